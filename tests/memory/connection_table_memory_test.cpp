#include "actors/registry/connection_table.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/memory/each_failure.hpp"

namespace herald {
namespace {

using testing::each_failure;
using testing::failing_memory;
using testing::state_lines;

std::string id_of(unsigned n) {
  return "a-page-whose-name-takes-memory-" + std::to_string(n);
}
token token_of(unsigned n) {
  return token::from_bits(5, n);
}

/// Every third one hears more than others.
reach_ptr hearing(unsigned n) {
  if (n % 3 != 0)
    return nullptr;
  reach made;
  made.patterns = {
    "a/pattern/whose/name/takes/memory/" + std::to_string(n), "a/pattern/of/many/streams"};
  made.subject = "subject " + std::to_string(n / 6);
  made.broadcast = n % 2 == 0;
  return std::make_shared<const reach>(std::move(made));
}

const std::string url = "/api/sse/stream?request_id=something";

/// What a stream has of itself, for as long as it is opened again and again.
struct client {
  explicit client(unsigned n)
    : id(id_of(n)),
      agent("a browser whose name takes memory " + std::to_string(n % 5)),
      hears(hearing(n)),
      stream(token_of(n)),
      via(static_cast<connection_table::transport_index>(n % 2)) {}

  [[nodiscard]] connection_table::opening opening() const {
    return {id, stream, url, transport_kind::embedded, via, wall_time{}, hears, true, "::1", agent};
  }

  std::string id;
  std::string agent;
  reach_ptr hears;
  token stream;
  connection_table::transport_index via;
};

auto table_of(unsigned streams) {
  return [streams] {
    auto made = std::make_unique<connection_table>();
    for (unsigned n = 0; n < streams; ++n)
      made->open(client{n}.opening());
    return made;
  };
}

state_lines state_of_table(const connection_table& all) {
  state_lines lines;
  for (const auto& one : all.topics(0, 10'000).topics)
    lines.push_back(one.pattern + " " + std::to_string(one.streams));
  // A number that was given back may be that of another.
  std::sort(lines.begin(), lines.end());
  lines.push_back(std::to_string(all.size()) + " " + std::to_string(all.topics_bytes()));
  for (std::size_t via = 0; via < all.transports(); ++via)
    lines.push_back(
      "on " + std::to_string(via) + ": "
      + std::to_string(all.size_on(static_cast<connection_table::transport_index>(via))));
  lines.push_back(std::to_string(all.page(0, 1).next.value_or(0)));
  for (const auto& one : all.page(0, 100'000).connections) {
    auto line = one.id.str() + " " + one.stream.str() + " " + one.client.agent + " "
                + (one.hears.broadcast ? "+" : "-") + one.hears.subject;
    for (const auto& pattern : one.hears.patterns)
      line += " " + pattern;
    const bool found = all.find(one.id)->stream == one.stream && all.find(one.stream)->id == one.id;
    lines.push_back(line + (found ? "" : " is not found"));
  }
  return lines;
}

std::string told_of(const std::optional<connection_table::connection>& one) {
  return one ? one->id.str() + " " + one->stream.str() + " " + std::to_string(one->via) : "nothing";
}

auto open(const client& who) {
  return [who](connection_table& all) {
    return all.open(who.opening());
  };
}

TEST(ConnectionTableMemory, IsAsItWasWhenAnOpenFails) {
  for (unsigned streams = 0; streams < 70; ++streams)
    each_failure(table_of(streams), open(client{streams}), state_of_table, told_of);
}

TEST(ConnectionTableMemory, IsAsItWasWhenAnOpenFailsThatHasAllOfItsOwn) {
  client who{30};
  who.agent = "a browser that nobody else has, with a name";
  who.via = 7;
  for (const auto streams : {0U, 1U, 13U, 26U})
    each_failure(table_of(streams), open(who), state_of_table, told_of);
}

/// Where its trees and indexes grow: an open takes more there than what a stream has of itself.
TEST(ConnectionTableMemory, IsAsItWasWhenAnOpenFailsAtWhichItGrows) {
  constexpr unsigned most = 4'000;
  constexpr std::size_t own = 3;
  std::vector<unsigned> sizes;
  connection_table all;
  for (unsigned n = 0; n < most; ++n) {
    // Hears what all hear: only the table itself is to grow.
    const client who{3 * n + 1};
    const failing_memory memory;
    all.open(who.opening());
    if (n > 70 && memory.allocations() > own)
      sizes.push_back(n);
  }
  EXPECT_GT(sizes.size(), 3U);
  for (const auto size : sizes) {
    SCOPED_TRACE("at " + std::to_string(size));
    const auto make = [size] {
      auto made = std::make_unique<connection_table>();
      for (unsigned n = 0; n < size; ++n)
        made->open(client{3 * n + 1}.opening());
      return made;
    };
    each_failure(make, open(client{3 * size + 1}), state_of_table, told_of);
  }
}

TEST(ConnectionTableMemory, IsAsItWasWhenAnOpenFailsThatReplacesAnother) {
  for (const auto streams : {4U, 13U, 52U}) {
    auto same_page = client{3};
    same_page.stream = token_of(1'000);
    each_failure(table_of(streams), open(same_page), state_of_table, told_of);
    auto same_token = client{1'000};
    same_token.stream = token_of(3);
    each_failure(table_of(streams), open(same_token), state_of_table, told_of);
    auto both = client{3};
    both.stream = token_of(2);
    each_failure(table_of(streams), open(both), state_of_table, told_of);
  }
}

TEST(ConnectionTableMemory, IsAsItWasWhenACloseFails) {
  for (const auto which : {0U, 3U, 5U})
    each_failure(
      table_of(9), [stream = token_of(which)](connection_table& all) { return all.close(stream); },
      state_of_table, told_of);
}

TEST(ConnectionTableMemory, IsAsItWasWhenAStreamCannotHearSomethingElse) {
  for (const auto which : {0U, 1U})
    each_failure(
      table_of(9),
      [stream = token_of(which), hears = *hearing(90)](connection_table& all) {
        all.set_reach(stream, hears);
        return true;
      },
      state_of_table);
}

/// Of a stream without much of its own.
connection_table::opening plain(std::string_view id, const token& stream) {
  return {id, stream, {}, transport_kind::embedded, 0, wall_time{}};
}

/// Opens such streams, and knows what that takes.
class ConnectionTableChurn : public ::testing::Test {
protected:
  void open(unsigned n) {
    const auto id = id_of(n);
    const failing_memory memory;
    all.open(plain(id, token_of(n)));
    last_bytes = memory.bytes();
  }
  void close(unsigned n) { all.close(token_of(n)); }

  connection_table all;
  std::size_t last_bytes = 0;
};

TEST_F(ConnectionTableChurn, TakesLittleAtTheSizesAtWhichIndexesGrow) {
  constexpr unsigned most = 14'000;
  constexpr unsigned turns = 200;
  /// Of texts, and nodes of trees that come and go.
  constexpr std::size_t few_bytes = 2'000;
  /// Less than an index takes of so many.
  constexpr unsigned from = 1'500;
  unsigned grown = 0;
  for (unsigned size = 0; size < most; ++size) {
    open(size);
    if (size < from || last_bytes < few_bytes)
      continue;
    ++grown;
    std::size_t bytes = 0;
    for (unsigned turn = 0; turn < turns; ++turn) {
      for (const auto n : {size, size - 1})
        close(n);
      for (const auto n : {size - 1, size}) {
        open(n);
        bytes += last_bytes;
      }
    }
    EXPECT_LT(bytes / turns, few_bytes) << "with " << size + 1 << " streams";
  }
  EXPECT_GT(grown, 3U);
}

TEST_F(ConnectionTableChurn, NeverOpensHalfAStream) {
  constexpr unsigned full = 839;
  constexpr unsigned turns = 6'000;
  for (const auto size : {340U, 390U, 396U, 402U, 408U, 414U, 419U, 440U, 600U, 800U, 838U}) {
    SCOPED_TRACE("with " + std::to_string(size) + " streams");
    std::mt19937 chance{size};
    connection_table table;
    std::vector<unsigned> open;
    unsigned next = 0;
    for (; next < full; ++next) {
      table.open(plain(id_of(next), token_of(next)));
      open.push_back(next);
    }
    const auto close_one = [&] {
      std::swap(open[chance() % open.size()], open.back());
      table.close(token_of(open.back()));
      open.pop_back();
    };
    while (open.size() > size)
      close_one();
    for (unsigned turn = 0; turn < turns; ++turn, ++next) {
      close_one();
      const auto id = id_of(next);
      for (std::size_t n = 1;; ++n) {
        failing_memory memory{n};
        try {
          table.open(plain(id, token_of(next)));
          break;
        } catch (const std::bad_alloc&) {
          // The first is of its texts: nothing has been done by then.
        }
        if (n > 1) {
          ASSERT_TRUE(table.check()) << "at allocation " << n << " of turn " << turn;
        }
      }
      open.push_back(next);
    }
  }
}

} // namespace
} // namespace herald
