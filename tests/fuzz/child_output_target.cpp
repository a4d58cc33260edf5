// What a child process writes: cut into lines, each perhaps a report; and the end of its errors.

#include <algorithm>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/system/child_output.hpp"
#include "messages/text/utf8.hpp"
#include "messages/wire/task_input.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

namespace {

constexpr std::size_t max_line = 200;

void check_text(std::string_view text, std::size_t limit, bool keep_end) {
  const auto safe = keep_end ? utf8_end(text, limit) : utf8_front(text, limit);
  require(safe.size() <= limit, "a text is too long");
  (void)nlohmann::json(safe).dump(); // throws for what is not UTF-8
}

void check_line(std::string_view line) {
  require(line.size() <= max_line && !line.empty(), "a line is too long, or empty");
  require(line.find('\n') == std::string_view::npos, "a line of two lines");
  const auto report = parse_child_line(line);
  if (!report)
    return;
  if (report->text)
    check_text(*report->text, max_task_text_bytes, false);
  if (report->result_json)
    require(report->result_json->size() <= max_task_json_bytes, "a result is too large");
}

} // namespace

HERALD_FUZZ_TARGET(child_output, input) {
  std::vector<std::string> lines;
  line_splitter whole{max_line};
  const auto keep = [&lines](std::string_view line) {
    check_line(line);
    lines.emplace_back(line);
  };
  whole.feed(input, keep);
  whole.flush(keep);

  std::size_t next = 0;
  line_splitter pieces{max_line};
  stream_tail tail{50};
  const auto compare = [&](std::string_view line) {
    require(next < lines.size() && lines[next] == line, "pieces give another line");
    ++next;
  };
  in_pieces(input, static_cast<std::uint8_t>(input.size()), [&](std::string_view piece) {
    pieces.feed(piece, compare);
    tail.feed(piece);
    return true;
  });
  pieces.flush(compare);
  require(next == lines.size() && pieces.dropped() == whole.dropped(), "pieces lose a line");
  require(input.ends_with(tail.text()), "the tail is not the end");
  // Up to three bytes less: it starts with no half of a character.
  const auto most = std::min<std::size_t>(input.size(), 50);
  const auto kept = tail.text().size();
  require(kept <= most, "the tail is too long");
  require(kept + 3 >= most, "the tail is too short");
  check_text(input, 40, true);
  check_text(input, 40, false);
  check_text(input, 3, true);
}

} // namespace herald::fuzz
