#include "http/server/connection_threads.hpp"

#include <future>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

class ConnectionThreads : public ::testing::Test {
protected:
  /// A job that runs until the gate opens.
  bool enqueue_blocked(connection_threads& threads) {
    std::function<void()> job = [this] {
      ++running;
      gate.wait();
      ++done;
    };
    return threads.enqueue(job);
  }

  template <class Condition>
  bool comes_true(Condition condition) {
    for (int i = 0; i < 2000 && !condition(); ++i)
      std::this_thread::sleep_for(5ms);
    return condition();
  }

  metrics numbers;
  std::promise<void> opener;
  std::shared_future<void> gate = opener.get_future().share();
  std::atomic<int> running{0};
  std::atomic<int> done{0};
};

TEST_F(ConnectionThreads, GiveEachJobAThreadAndShrinkAgain) {
  connection_threads threads{{50, 10, 1ms}, numbers};
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(enqueue_blocked(threads));
  EXPECT_TRUE(comes_true([&] { return running == 50; }));
  EXPECT_FALSE(threads.starving());
  opener.set_value();
  EXPECT_TRUE(comes_true([&] { return threads.size() == 0; }));
  EXPECT_EQ(done, 50);
}

TEST_F(ConnectionThreads, LetOthersWaitAtTheLimitAndRefuseBeyond) {
  connection_threads threads{{2, 3, 5s}, numbers};
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(enqueue_blocked(threads)) << i;
  EXPECT_TRUE(comes_true([&] { return running == 2; }));
  EXPECT_TRUE(threads.starving());
  EXPECT_FALSE(enqueue_blocked(threads));
  EXPECT_NE(numbers.render().find("herald_api_connection_waits_total 3"), std::string::npos);
  opener.set_value();
  threads.join();
  EXPECT_EQ(done, 5);
  EXPECT_FALSE(threads.starving());
}

TEST_F(ConnectionThreads, UseIdleThreadsAgain) {
  connection_threads threads{{8, 8, 5s}, numbers};
  for (int i = 0; i < 20; ++i) {
    std::function<void()> job = [this] {
      ++done;
    };
    ASSERT_TRUE(threads.enqueue(job));
    ASSERT_TRUE(comes_true([&] { return done == i + 1; }));
  }
  EXPECT_LE(threads.size(), 8u);
  threads.join();
  EXPECT_EQ(done, 20);
}

TEST_F(ConnectionThreads, TakeNothingOnceJoined) {
  connection_threads threads{{8, 8, 5s}, numbers};
  threads.join();
  EXPECT_FALSE(enqueue_blocked(threads));
}

} // namespace
} // namespace herald
