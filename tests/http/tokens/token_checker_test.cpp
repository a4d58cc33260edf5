#include "http/tokens/token_checker.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "messages/errors.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/token_issuer.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::jwks_of;
using testing::signing_key;
using testing::token_issuer;

const token_issuer& issuer() {
  return token_issuer::shared();
}

class TokenChecker : public ::testing::Test {
protected:
  TokenChecker() {
    options.jwks_file = files.write("keys", jwks_of({issuer().ec, issuer().ed}));
    auto opened = key_source::open(options, numbers);
    source = std::move(*opened);
  }

  [[nodiscard]] static bool is_good(const token_checker::judgement& how) {
    return std::holds_alternative<access_right>(how);
  }

  [[nodiscard]] double judged(const char* result) {
    return numbers.counter("herald_auth_tokens_total", "", {{"result", result}}).Value();
  }

  [[nodiscard]] double gauge(const char* name) { return numbers.gauge(name, "").Value(); }

  testing::temporary_folder files;
  metrics numbers;
  auth_options options = token_issuer::rules();
  std::unique_ptr<key_source> source;
};

TEST_F(TokenChecker, KnowsATokenAgain) {
  token_checker checker{*source, options, numbers};
  const auto token = issuer().ec.token(issuer().claims({{"roles", {"admin"}}}));
  const auto first = checker.check(token, issuer().now);
  const auto second = checker.check(token, issuer().now + 1s);
  ASSERT_TRUE(is_good(first));
  ASSERT_TRUE(is_good(second));
  // Streams of one token share what it gives.
  EXPECT_EQ(std::get<access_right>(first).by, std::get<access_right>(second).by);
  EXPECT_EQ(std::get<access_right>(first).hears, std::get<access_right>(second).hears);
  EXPECT_EQ(judged("verified"), 1);
  EXPECT_EQ(judged("known"), 1);
  EXPECT_EQ(gauge("herald_auth_cached_tokens"), 1);
  EXPECT_GT(gauge("herald_auth_cached_bytes"), 0);
}

TEST_F(TokenChecker, RefusesATokenThatItKnowsWhenItEnds) {
  token_checker checker{*source, options, numbers};
  const auto token = issuer().ec.token(issuer().claims());
  EXPECT_TRUE(is_good(checker.check(token, issuer().now)));
  EXPECT_TRUE(is_good(checker.check(token, issuer().now + 10min - 1ns)));
  EXPECT_FALSE(is_good(checker.check(token, issuer().now + 10min)));
  // The clock is set back over the end, and behind the time from which the token is good.
  EXPECT_TRUE(is_good(checker.check(token, issuer().now + 1s)));
  EXPECT_FALSE(is_good(checker.check(token, issuer().now - 1h)));
}

TEST_F(TokenChecker, RefusesATokenThatItKnowsWhenItsKeyIsWithdrawn) {
  token_checker checker{*source, options, numbers};
  const auto old = issuer().ec.token(issuer().claims());
  const auto other = issuer().ed.token(issuer().claims());
  EXPECT_TRUE(is_good(checker.check(old, issuer().now)));
  EXPECT_TRUE(is_good(checker.check(other, issuer().now)));
  files.write("keys", jwks_of({issuer().ed}));
  ASSERT_FALSE(source->reload().has_value());
  EXPECT_FALSE(is_good(checker.check(old, issuer().now)));
  EXPECT_TRUE(is_good(checker.check(other, issuer().now)));
}

TEST_F(TokenChecker, RemembersNoBadToken) {
  token_checker checker{*source, options, numbers};
  for (int i = 0; i != 3; ++i) {
    EXPECT_FALSE(is_good(checker.check("token", issuer().now)));
    EXPECT_FALSE(
      is_good(checker.check(signing_key::p256("new").token(issuer().claims()), issuer().now)));
  }
  EXPECT_EQ(judged("invalid"), 3);
  EXPECT_EQ(judged("unknown_key"), 3);
  EXPECT_EQ(gauge("herald_auth_cached_tokens"), 0);
}

TEST_F(TokenChecker, BoundsWhatItRemembers) {
  options.max_cached_tokens = 2;
  token_checker checker{*source, options, numbers};
  for (const auto* sub : {"a", "b", "c"})
    EXPECT_TRUE(
      is_good(checker.check(issuer().ec.token(issuer().claims({{"sub", sub}})), issuer().now)));
  EXPECT_EQ(gauge("herald_auth_cached_tokens"), 2);
  EXPECT_EQ(numbers.counter("herald_auth_cache_evicted_total", "").Value(), 1);
}

TEST_F(TokenChecker, IsAskedByManyThreadsWhileKeysChange) {
  token_checker checker{*source, options, numbers};
  const auto always = issuer().ed.token(issuer().claims());
  const auto sometimes = issuer().ec.token(issuer().claims());
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int i = 0; i != 3; ++i)
    threads.emplace_back([&] {
      while (!done) {
        EXPECT_TRUE(is_good(checker.check(always, issuer().now)));
        static_cast<void>(checker.check(sometimes, issuer().now));
      }
    });
  for (int round = 0; round != 50; ++round) {
    files.write("keys", jwks_of({issuer().ed}));
    EXPECT_FALSE(source->reload().has_value());
    // Whatever the others have remembered meanwhile.
    EXPECT_FALSE(is_good(checker.check(sometimes, issuer().now)));
    files.write("keys", jwks_of({issuer().ed, issuer().ec}));
    EXPECT_FALSE(source->reload().has_value());
    EXPECT_TRUE(is_good(checker.check(sometimes, issuer().now)));
  }
  done = true;
  for (auto& thread : threads)
    thread.join();
}

} // namespace
} // namespace herald
