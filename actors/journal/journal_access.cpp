// Rows of who may hear: whose pages are, and what is revoked.
#include <utility>

#include <sqlite3.h>

#include "actors/journal/journal_tables.hpp"
#include "actors/sqlite/stored_time.hpp"

namespace herald {

namespace {

constexpr std::string_view by_credential = "jti";
constexpr std::string_view by_subject = "sub";

/// Kind and name.
std::pair<std::string_view, std::string_view>
key_of(const std::string& credential_id, const std::string& subject) {
  if (credential_id.empty())
    return {by_subject, subject};
  return {by_credential, credential_id};
}

} // namespace

int journal_tables::put(const page_bound& entry) {
  return put_page_.bind(1, std::string_view{entry.id.str()})
    .bind(2, std::string_view{entry.subject})
    .run();
}

int journal_tables::put(const page_unbound& entry) {
  return drop_page_.bind(1, std::string_view{entry.id.str()}).run();
}

int journal_tables::put(const revocation_kept& entry) {
  const auto [kind, name] = key_of(entry.what.credential_id, entry.what.subject);
  return put_revocation_.bind(1, kind)
    .bind(2, name)
    .bind(3, stored_time(entry.what.issued_before))
    .bind(4, stored_time(entry.until))
    .run();
}

int journal_tables::put(const revocation_dropped& entry) {
  const auto [kind, name] = key_of(entry.credential_id, entry.subject);
  return drop_revocation_.bind(1, kind).bind(2, name).run();
}

int journal_tables::load_pages(journal_snapshot& into) {
  return sqlite::for_each_row(
    db_, "SELECT request_id, subject FROM page_subjects", [&](const sqlite::statement& row) {
      // No herald wrote it.
      if (request_id_violation(row.text(0)))
        return;
      into.pages.push_back({request_id{std::string{row.text(0)}}, std::string{row.text(1)}});
    });
}

int journal_tables::load_revocations(journal_snapshot& into) {
  return sqlite::for_each_row(
    db_, "SELECT kind, name, issued_before, good_until FROM revocations",
    [&](const sqlite::statement& row) {
      revocation_kept one;
      auto& name = row.text(0) == by_credential ? one.what.credential_id : one.what.subject;
      name = row.text(1);
      one.what.issued_before = from_stored_time(row.integer(2));
      one.until = from_stored_time(row.integer(3));
      into.revocations.push_back(std::move(one));
    });
}

} // namespace herald
