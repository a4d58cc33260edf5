#include "tests/bench/swarm/options.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace herald::bench {
namespace {

TEST(SwarmOptions, AreReadIntoTheirPlaces) {
  const auto read = read_options(
    {"--streams", "7", "--port", "81", "--publish", "http://127.0.0.1:80/api/x?y", "--mode", "rate",
     "--rate", "2.5", "--body", "a", "--body", "b", "--server", "1234", "--header", "X: y"});
  EXPECT_EQ(read.streams.count, 7u);
  EXPECT_EQ(read.streams.port, 81u);
  EXPECT_EQ(read.streams.headers, std::vector<std::string>{"X: y"});
  EXPECT_EQ(read.publish.port, 80u);
  EXPECT_EQ(read.publish.target, "/api/x?y");
  EXPECT_EQ(read.publish.mode, pacing::rate);
  EXPECT_EQ(read.publish.rate, 2.5);
  EXPECT_EQ(read.publish.bodies, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read.servers, std::vector<pid_t>{1234});
}

TEST(SwarmOptions, ThatMakeNoSenseAreRefused) {
  const std::vector<std::vector<std::string>> bad = {
    {"--streams", "5"},
    {"--port", "70000"},
    {"--port"},
    {"--nonsense", "1"},
    {"port", "80"},
    {"--port", "80", "--rate", "-1"},
    {"--port", "80", "--mode", "closed"},
    {"--port", "80", "--publish", "https://127.0.0.1/"},
    {"--port", "80", "--publish", "http://127.0.0.1/", "--mode", "rate"},
    {"--port", "80", "--publish", "http://127.0.0.1/", "--mode", "closed", "--churn", "1"},
  };
  for (const auto& arguments : bad)
    EXPECT_THROW((void)read_options(arguments), std::invalid_argument) << arguments.back();
}

} // namespace
} // namespace herald::bench
