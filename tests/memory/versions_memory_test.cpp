#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "actors/versions/pending_versions.hpp"
#include "tests/memory/each_failure.hpp"

namespace herald {
namespace {

using testing::each_failure;
using testing::state_lines;

request_id waiting_page(unsigned n) {
  return request_id{"a-page-whose-name-takes-memory-" + std::to_string(n)};
}

auto versions_of(unsigned count, std::size_t limit) {
  return [count, limit] {
    auto made = std::make_unique<pending_versions>(limit, 5'000);
    for (unsigned n = 0; n < count; ++n)
      made->put(waiting_page(n), {"1." + std::to_string(n), std::nullopt});
    return made;
  };
}

state_lines state_of_versions(const pending_versions& all) {
  state_lines lines{std::to_string(all.size()), std::to_string(all.bytes())};
  for (unsigned n = 0; n < 100; ++n)
    if (const auto* one = all.find(waiting_page(n)))
      lines.push_back(waiting_page(n).str() + "=" + one->version);
  return lines;
}

/// Puts a version and gives whose versions went for it.
auto put(unsigned n, std::size_t bytes) {
  return [id = waiting_page(n),
          version = pending_version{std::string(bytes, '7'), std::nullopt}](pending_versions& all) {
    return all.put(id, version);
  };
}

std::vector<std::string> names_of_pages(const std::vector<request_id>& ids) {
  std::vector<std::string> result;
  for (const auto& id : ids)
    result.push_back(id.str());
  return result;
}

TEST(PendingVersionsMemory, AreAsTheyWereWhenOneMoreFails) {
  for (unsigned count = 0; count < 15; ++count)
    each_failure(versions_of(count, 100), put(99, 40), state_of_versions, names_of_pages);
}

TEST(PendingVersionsMemory, AreAsTheyWereWhenANewerOneFails) {
  each_failure(versions_of(5, 100), put(2, 40), state_of_versions, names_of_pages);
}

TEST(PendingVersionsMemory, GoForAnotherAllOrNone) {
  each_failure(versions_of(5, 5), put(99, 40), state_of_versions, names_of_pages);
  each_failure(versions_of(15, 100), put(99, 3'000), state_of_versions, names_of_pages);
  each_failure(versions_of(15, 100), put(3, 3'000), state_of_versions, names_of_pages);
  each_failure(versions_of(15, 100), put(3, 10'000), state_of_versions, names_of_pages);
}

} // namespace
} // namespace herald
