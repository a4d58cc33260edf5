#include "actors/command_host.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include "messages/type_ids.hpp"
#include "tests/support/worker_reports.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

using lines = std::vector<std::string>;

/// A host with real children, and a runner that writes down what it is told.
class CommandHost : public ::testing::Test {
protected:
  CommandHost() {
    runner = system_.spawn([this](task_runner_actor::pointer) {
      return testing::worker_reports([this](std::string line) {
        const std::lock_guard lock{mutex_};
        told_.push_back(std::move(line));
        changed_.notify_all();
      });
    });
  }

  ~CommandHost() override { caf::anon_send_exit(runner, caf::exit_reason::kill); }

  command_job job(std::vector<std::string> argv, std::string input = "{}\n") {
    return {
      task_id{"t"},
      0,
      {std::move(argv), "", {{"PATH", "/usr/bin:/bin"}}},
      std::move(input),
      runner};
  }

  command_job shell(const std::string& script) { return job({"/bin/sh", "-c", script}); }

  /// What the runner was told, once it was told `last`.
  lines told_up_to(const std::string& last) {
    return told_after([&](const lines& l) { return !l.empty() && l.back() == last; });
  }

  template <class Condition>
  lines told_after(Condition condition) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, 30s, [&] { return condition(told_); });
    return told_;
  }

  lines run(command_job j) {
    {
      const std::lock_guard lock{mutex_};
      told_.clear();
    }
    host.start(std::move(j));
    return told_up_to("idle 0");
  }

  metrics numbers;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  lines told_;
  caf::actor_system_config config_;
  caf::actor_system system_{config_};

protected:
  task_runner_actor runner;
  command_host host{{300ms, 0ms}, numbers};
};

TEST_F(CommandHost, LosesNoOutputOfChildrenThatEndWhileItIsBusy) {
  // Starting many at once, the host finds the first ones ended and their pipes full.
  auto talkative =
    shell("{ yes '' | head -n 20000; echo '{\"result\":7}'; yes '' | head -n 20000; }");
  int missed = 0;
  for (int i = 0; i < 30; ++i) {
    talkative.id = task_id{std::to_string(i)};
    talkative.worker = static_cast<std::size_t>(i);
    host.start(talkative);
  }
  const auto told = told_after([](const lines& l) { return l.size() == 60; });
  for (const auto& line : told)
    missed += line.rfind("finished", 0) == 0 && line.substr(line.size() - 2) != " 7";
  EXPECT_EQ(missed, 0);
}

} // namespace
} // namespace herald
