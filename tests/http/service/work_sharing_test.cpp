#include "http/service/work_sharing.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"

namespace herald {
namespace {

/// Actors on two threads that share their work.
class WorkSharing : public ::testing::Test {
protected:
  ~WorkSharing() override {
    for (const auto& one : spawned)
      caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  }

  /// An actor that does this for each number it is sent.
  template <class Step>
  caf::actor spawn(Step step) {
    spawned.push_back(system.spawn([step](caf::event_based_actor* self) -> caf::behavior {
      return {[=](int number) {
        step(self, number);
      }};
    }));
    return spawned.back();
  }

  caf::actor counter() {
    return spawn([this](caf::event_based_actor*, int) { ++counted; });
  }

  /// Keeps the thread that it is called on until so many were counted, or more; whether they were.
  static bool wait_for_at_least(const std::atomic<int>& counter, int count) {
    const auto deadline = std::chrono::steady_clock::now() + testing::patience;
    while (counter < count) {
      if (std::chrono::steady_clock::now() > deadline)
        return false;
      std::this_thread::yield();
    }
    return true;
  }
  /// The same, and no more.
  static bool wait_for(const std::atomic<int>& counter, int count) {
    return wait_for_at_least(counter, count) && counter == count;
  }

  struct config : caf::actor_system_config {
    config() {
      set("scheduler.max-threads", std::size_t{2});
      load<work_sharing::scheduler>();
    }
  };

  config cfg;
  caf::actor_system system{cfg};
  std::atomic<int> counted = 0;
  std::atomic<int> done = 0;
  std::vector<caf::actor> spawned;
};

TEST_F(WorkSharing, IsTheSchedulerOfTheSystem) {
  EXPECT_NE(dynamic_cast<work_sharing::scheduler*>(&system.scheduler()), nullptr);
}

TEST_F(WorkSharing, HandlesWhatComesFromOutside) {
  std::vector<caf::actor> many;
  many.reserve(20);
  for (int i = 0; i < 20; ++i)
    many.push_back(counter());
  for (int round = 1; round <= 500; ++round) {
    for (const auto& one : many)
      caf::anon_send(one, round);
    ASSERT_TRUE(wait_for(counted, 20 * round)) << "nobody was woken in round " << round;
  }
}

TEST_F(WorkSharing, WakesAnotherThreadForWhatComesFromOutside) {
  const auto others = counter();
  const auto blocked = spawn([this](caf::event_based_actor*, int round) {
    EXPECT_TRUE(wait_for(counted, round));
    ++done;
  });
  for (int round = 1; round <= 200; ++round) {
    caf::anon_send(blocked, round);
    caf::anon_send(others, round);
    ASSERT_TRUE(wait_for(done, round));
  }
}

TEST_F(WorkSharing, HandlesWhatActorsSendToEachOther) {
  const auto last = counter();
  const auto middle = spawn([last](caf::event_based_actor*, int round) {
    // As actors of herald send: nobody is the sender.
    caf::anon_send(last, round);
  });
  const auto first =
    spawn([middle](caf::event_based_actor* self, int round) { self->send(middle, round); });
  for (int round = 1; round <= 2000; ++round) {
    caf::anon_send(first, round);
    ASSERT_TRUE(wait_for(counted, round));
  }
}

TEST_F(WorkSharing, WakesAnotherThreadWhereMoreThanOneActorIsLeft) {
  const auto second = counter();
  const auto third = counter();
  const auto first = spawn([&, second, third](caf::event_based_actor*, int round) {
    caf::anon_send(second, round);
    caf::anon_send(third, round);
    // Not both: the one may be left to this thread when another has taken the other already.
    EXPECT_TRUE(wait_for_at_least(counted, 2 * round - 1));
    ++done;
  });
  for (int round = 1; round <= 200; ++round) {
    caf::anon_send(first, round);
    ASSERT_TRUE(wait_for(done, round));
    ASSERT_TRUE(wait_for(counted, 2 * round));
  }
}

TEST_F(WorkSharing, GoesOnWithAnActorThatHasMoreToDo) {
  // More messages at once than one turn handles.
  constexpr int messages = 100'000;
  const auto self_feeding = spawn([this](caf::event_based_actor* self, int left) {
    ++counted;
    if (left > 1)
      self->send(self, left - 1);
  });
  caf::anon_send(self_feeding, messages);
  EXPECT_TRUE(wait_for(counted, messages));
}

} // namespace
} // namespace herald
