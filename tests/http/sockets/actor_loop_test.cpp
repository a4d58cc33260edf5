#include "http/sockets/actor_loop.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <gtest/gtest.h>

#include "actors/supervision/shell.hpp"
#include "http/server/ask.hpp"
#include "messages/type_ids.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

std::string this_thread() {
  std::ostringstream name;
  name << std::this_thread::get_id();
  return name.str();
}

/// Answers with the thread that it runs on; asks its friend, if it has one.
class resident {
public:
  using interface = typed_actor<result<pending_version>(get_pending_version)>;

  resident(self_pointer<interface> self, interface friend_of_mine)
    : self_(self),
      friend_(std::move(friend_of_mine)) {
    ++alive;
  }
  ~resident() { --alive; }
  resident(const resident&) = delete;
  resident& operator=(const resident&) = delete;

  static inline std::atomic<int> alive = 0;

  static shell<interface, resident>::behavior_type behavior(shell<interface, resident>& s) {
    return {s.on(&resident::get), s.control()};
  }

  result<pending_version> get(const get_pending_version& query) {
    if (query.id.str() == "throws")
      throw std::runtime_error("as it is told");
    if (friend_) {
      auto answer = self_->make_response_promise<pending_version>();
      self_->request(friend_, 10s, query).then([answer](pending_version& theirs) mutable {
        theirs.version = this_thread() + " after " + theirs.version;
        answer.deliver(std::move(theirs));
      });
      return answer;
    }
    return pending_version{this_thread(), {}};
  }

private:
  self_pointer<interface> self_;
  interface friend_;
};

class ActorLoop : public ::testing::Test {
protected:
  using actor = supervised<resident::interface>;

  ~ActorLoop() override {
    for (const auto& one : spawned)
      caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  }

  resident::interface spawn(caf::execution_unit* unit, const resident::interface& of = {}) {
    shell_options options{"resident"};
    options.unit = unit;
    spawned.push_back(
      spawn_supervised<resident::interface, resident>(system, std::move(options), [of](auto* self) {
        return std::make_unique<resident>(self, of);
      }));
    return spawned.back();
  }

  std::string thread_of(const resident::interface& who, const char* id = "a") {
    const auto answer = ask<pending_version>(system, who, get_pending_version{request_id{id}}, 20s);
    return answer ? answer->version : "error";
  }

  caf::actor_system_config config;
  caf::actor_system system{config};
  /// Outlives the actors, not the system.
  std::optional<actor_loop> loop{std::in_place, system, true};
  std::vector<actor> spawned;
};

TEST_F(ActorLoop, RunsItsActorsOnItsThreadAlone) {
  const auto first = spawn(&*loop);
  const auto second = spawn(&*loop);
  std::set<std::string> threads;
  for (int i = 0; i < 100; ++i) {
    threads.insert(thread_of(first));
    threads.insert(thread_of(second));
  }
  EXPECT_EQ(threads.size(), 1u);
  EXPECT_FALSE(threads.contains(this_thread()));
  EXPECT_FALSE(threads.contains("error"));
}

TEST_F(ActorLoop, LeavesOtherActorsWhereTheyAre) {
  const auto outside = spawn(nullptr);
  const auto inside = spawn(&*loop, outside);
  const auto mine = thread_of(spawn(&*loop));
  for (int i = 0; i < 100; ++i) {
    const auto both = thread_of(inside);
    ASSERT_EQ(both.find(mine + " after "), 0u) << both;
    EXPECT_NE(both, mine + " after " + mine);
  }
}

TEST_F(ActorLoop, IsReachedFromActorsElsewhere) {
  const auto inside = spawn(&*loop);
  const auto outside = spawn(nullptr, inside);
  const auto mine = thread_of(inside);
  for (int i = 0; i < 100; ++i) {
    const auto both = thread_of(outside);
    EXPECT_NE(both.find(" after " + mine), std::string::npos) << both;
  }
}

TEST_F(ActorLoop, OutlivesAHandlerThatThrows) {
  const auto one = spawn(&*loop);
  const auto before = thread_of(one);
  EXPECT_EQ(thread_of(one, "throws"), "error");
  EXPECT_EQ(thread_of(one), before);
}

TEST_F(ActorLoop, EndsOnceItsActorsAreDone) {
  for (int i = 0; i < 10; ++i)
    spawn(&*loop);
  EXPECT_EQ(thread_of(spawned.back()), thread_of(spawned.front()));
  EXPECT_EQ(resident::alive, 10);
  for (const auto& one : std::exchange(spawned, {}))
    caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  loop.reset();
  EXPECT_EQ(resident::alive, 0) << "it has waited for all of them";
}

} // namespace
} // namespace herald
