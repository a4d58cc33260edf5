#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <caf/expected.hpp>

#include "http/server/router.hpp"

namespace herald {

struct copied_journal {
  std::string name;
  std::uint64_t bytes = 0;
};

/// Copies the journal into a file of this name, or of one that says when it was made (empty), and
/// waits for that, at most so long.
using journal_copier =
  std::function<caf::expected<copied_journal>(std::string name, std::chrono::milliseconds most)>;

/// `POST /api/journal/backup` copies the journal into a file beside it: `{"name"?}`, or no body;
/// 201
/// `{"name","bytes"}` once the copy is on the disk. Without a journal (no `copy`): 404.
void add_journal_route(router& routes, journal_copier copy);

} // namespace herald
