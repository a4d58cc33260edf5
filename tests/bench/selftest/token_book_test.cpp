#include "tests/bench/swarm/token_book.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/bench/swarm/progress.hpp"
#include "tests/bench/swarm/publisher.hpp"
#include "tests/support/free_port.hpp"

namespace herald::bench {
namespace {

TEST(TokenBook, KeepsTheTokensOfConnects) {
  publish_settings callbacks;
  callbacks.port = testing::free_port();
  const token_book book{callbacks.port};
  callbacks.mode = pacing::flat;
  callbacks.events = 3;
  callbacks.warmup_s = 0;
  callbacks.bodies = {
    R"({"action":"connect","token":"t-%S","request":{}})",
    R"({"action":"disconnect","token":"t-%S","reason":"error"})"};
  progress run;
  publisher gateway{callbacks, run, [] {
                    }};
  gateway.publish_all();
  EXPECT_EQ(gateway.tally().answered, 6u);
  EXPECT_EQ(book.tokens(), (std::vector<std::string>{"t-1", "t-2", "t-3"}));
}

} // namespace
} // namespace herald::bench
