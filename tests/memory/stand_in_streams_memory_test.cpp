#include "actors/stand_in/stand_in_streams.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "messages/type_ids.hpp"
#include "tests/memory/each_failure.hpp"

namespace herald {
namespace {

using testing::each_failure;
using testing::state_lines;

token stream(unsigned n) {
  return token::from_bits(7, n);
}

const auto request = std::make_shared<const std::string>(R"({"token":"t"})");

event_ptr named_event() {
  event made;
  made.name = "name";
  made.data = "data";
  return std::make_shared<const event>(std::move(made));
}
const auto said = named_event();

/// All are open but the last, which waits for the backend and has been sent `events` events.
auto streams_of(unsigned count, unsigned events = 0) {
  return [count, events] {
    auto made = std::make_unique<stand_in_streams>(stand_in_streams::limits{100, 10'000, 10'000});
    for (unsigned n = 0; n < count; ++n) {
      made->begin(stream(n), {}, request, nullptr, "10.0.0.1");
      if (n + 1 < count)
        made->accept(stream(n), wall_time{});
    }
    for (unsigned n = 0; n < events; ++n)
      made->send(stream(count - 1), said, false);
    return made;
  };
}

state_lines state_of_streams(const stand_in_streams& all) {
  state_lines lines;
  for (const auto number :
       {all.size(), all.calling_back(), all.buffered_bytes(), all.request_bytes(),
        all.identity_bytes()})
    lines.push_back(std::to_string(number));
  const auto page = all.page(0, 1000);
  lines.push_back(std::to_string(page.total));
  lines.push_back(std::to_string(all.page(0, 1).next.value_or(0)));
  for (const auto& one : page.connections)
    lines.push_back(one.stream.str() + " " + one.client.address);
  for (unsigned n = 0; n <= all.size(); ++n)
    if (const auto found = all.find(stream(n)))
      lines.push_back(std::to_string(static_cast<int>(*found)));
  return lines;
}

TEST(StandInStreamsMemory, AreAsTheyWereWhenABeginningFails) {
  const std::string address(40, '1');
  for (unsigned count = 0; count < 120; ++count)
    each_failure(
      streams_of(count),
      [&, name = stream(count)](stand_in_streams& all) {
        return all.begin(name, {}, request, nullptr, address);
      },
      state_of_streams, [](stand_in_streams::beginning given) { return static_cast<int>(given); });
}

/// Up to a list of open ones whose tree is three levels high.
TEST(StandInStreamsMemory, AreAsTheyWereWhenOneCannotOpen) {
  const auto told = [](const std::optional<stand_in_streams::opened>& given) {
    return given->due.size();
  };
  unsigned grown = 0;
  for (unsigned count = 1; count < 300; ++count) {
    const auto make = streams_of(count, 2);
    const auto accept = [name = stream(count - 1)](stand_in_streams& all) {
      return all.accept(name, wall_time{});
    };
    const auto probe = make();
    std::size_t needed = 0;
    {
      testing::failing_memory memory;
      accept(*probe);
      needed = memory.allocations();
    }
    if (needed == 0)
      continue;
    ++grown;
    each_failure(make, accept, state_of_streams, told);
  }
  EXPECT_GT(grown, 20U);
}

TEST(StandInStreamsMemory, AreAsTheyWereWhenAnEventCannotBeKept) {
  const auto told = [](const stand_in_streams::routed& given) {
    return static_cast<int>(given.what);
  };
  for (const auto kept : {0U, 1U, 2U, 4U, 8U}) {
    const auto make = streams_of(3, kept);
    for (const bool close : {false, true}) {
      const auto send = [close](stand_in_streams& all) {
        return all.send(stream(2), said, close);
      };
      each_failure(make, send, state_of_streams, told);
    }
  }
}

} // namespace
} // namespace herald
