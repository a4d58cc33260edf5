// Rows of requests with a key, and their answers.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/journal/journal_tables.hpp"
#include "actors/sqlite/stored_time.hpp"

namespace herald {

namespace {

std::vector<std::pair<std::string, std::string>> headers_of(std::string_view lines) {
  std::vector<std::pair<std::string, std::string>> headers;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    const auto line = lines.substr(0, end);
    if (const auto colon = line.find(": "); colon != std::string_view::npos)
      headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return headers;
}

} // namespace

int journal_tables::put(const answer_kept& entry) {
  static const kept_answer none;
  const auto& answer = entry.answer ? *entry.answer : none;
  std::optional<std::int64_t> status;
  if (entry.answer)
    status = answer.status;
  std::string headers;
  for (const auto& [name, value] : answer.headers)
    headers.append(name).append(": ").append(value).append(1, '\n');
  const auto seed = entry.seed.str();
  return put_answer_.bind(1, std::string_view{entry.key.name})
    .bind_blob(2, entry.key.body_hash)
    .bind(3, std::string_view{seed})
    .bind(4, stored_time(entry.at))
    .bind(5, status)
    .bind(6, std::string_view{answer.content_type})
    .bind(7, std::string_view{headers})
    .bind_blob(8, answer.body)
    .run();
}

int journal_tables::put(const answer_dropped& entry) {
  return drop_answer_.bind(1, std::string_view{entry.name}).run();
}

int journal_tables::load_answers(journal_snapshot& into) {
  return sqlite::for_each_row(
    db_,
    "SELECT name, body_hash, seed, kept_at, status, content_type, headers, body FROM answers "
    "ORDER BY seq",
    [&](const sqlite::statement& row) {
      answer_kept one;
      one.key = {std::string{row.text(0)}, std::string{row.text(1)}};
      one.seed = token::from_text(row.text(2));
      one.at = from_stored_time(row.integer(3));
      if (!row.null(4)) {
        kept_answer answer;
        answer.status = static_cast<int>(std::clamp<std::int64_t>(row.integer(4), 200, 599));
        answer.content_type = row.text(5);
        answer.headers = headers_of(row.text(6));
        answer.body = row.text(7);
        one.answer = std::make_shared<const kept_answer>(std::move(answer));
      }
      into.answers.push_back(std::move(one));
    });
}

} // namespace herald
