#include "actors/history/retained_values.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/memory/each_failure.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::each_failure;
using testing::state_lines;

constexpr retained_values::time_point published{1h};

kept_event value_on(unsigned topic, std::uint64_t id, std::chrono::milliseconds ttl) {
  auto made = std::make_shared<event>();
  made->id = {id};
  made->data = "value " + std::to_string(id);
  audience to;
  to.topics.push_back("a/topic/whose/name/takes/memory/" + std::to_string(topic));
  return {std::move(made), std::make_shared<const audience>(std::move(to)), ttl, published};
}

/// Every other value has an end.
std::unique_ptr<retained_values> some_values() {
  auto made = std::make_unique<retained_values>(retention_limits{1000, 1'000'000, 1000});
  for (unsigned n = 0; n < 10; ++n)
    made->keep(value_on(n, n + 1, n % 2 == 0 ? 0s : std::chrono::seconds{n}));
  return made;
}

state_lines state_of_values(const retained_values& all) {
  state_lines lines{std::to_string(all.size()), std::to_string(all.bytes())};
  const std::vector<std::string> every{"*"};
  for (const auto& one : all.select(every, {0}, {1000}, published).values)
    lines.push_back(one.to->topics.front() + "=" + one.what->data);
  return lines;
}

TEST(RetainedValuesMemory, AreAsTheyWereWhenAnotherFails) {
  for (const auto ttl : {0s, 60s}) {
    for (const auto topic : {0U, 1U, 99U}) {
      const auto keep = [what = value_on(topic, 50, ttl)](retained_values& all) {
        all.keep(what);
        return true;
      };
      // One without an end takes the place of another without memory.
      if (topic == 99U || ttl != 0s)
        each_failure(some_values, keep, state_of_values);
      if (topic == 99U)
        each_failure(
          [] {
            return std::make_unique<retained_values>(retention_limits{10, 10'000, 10});
          },
          keep, state_of_values);
    }
  }
}

TEST(RetainedValuesMemory, AreForgottenAllOrNone) {
  each_failure(
    some_values, [](retained_values& all) { return all.expire(published + 8s); }, state_of_values);
}

} // namespace
} // namespace herald
