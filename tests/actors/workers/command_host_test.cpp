#include "actors/workers/command_host.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include "messages/type_ids.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/worker_reports.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

using testing::eventually;
using testing::has_children;
using testing::is_gone;

using lines = std::vector<std::string>;

/// A host with real children, and a runner that writes down what it is told.
class CommandHost : public ::testing::Test {
protected:
  CommandHost() {
    runner_ = system_.spawn([this](task_runner_actor::pointer) {
      return testing::worker_reports([this](std::string line) {
        const std::lock_guard lock{mutex_};
        told_.push_back(std::move(line));
        changed_.notify_all();
      });
    });
    host.emplace(command_host_options{200ms, 0ms}, numbers);
  }

  ~CommandHost() override {
    host.reset();
    EXPECT_FALSE(has_children());
    caf::anon_send_exit(runner_, caf::exit_reason::kill);
  }

  command_job job(std::vector<std::string> argv, std::string input = "{}\n") {
    return {
      task_id{"t"},
      0,
      {std::move(argv), "", {{"PATH", "/usr/bin:/bin"}}},
      std::move(input),
      runner_};
  }

  command_job shell(const std::string& script) { return job({"/bin/sh", "-c", script}); }

  /// What the runner was told, once that fulfils a condition; fails the test if it never does.
  template <class Condition>
  lines told_when(Condition condition) {
    std::unique_lock lock{mutex_};
    EXPECT_TRUE(changed_.wait_for(lock, 30s, [&] { return condition(told_); }));
    return told_;
  }

  /// All that is told of a job up to its end.
  lines run(command_job j) {
    {
      const std::lock_guard lock{mutex_};
      told_.clear();
    }
    host->start(std::move(j));
    return rest();
  }

  lines rest() {
    return told_when([](const lines& l) { return !l.empty() && l.back() == "idle 0"; });
  }

  /// The process numbers that a child tells as the text of its progress.
  std::vector<pid_t> start_and_get_pids(command_job j) {
    host->start(std::move(j));
    const auto told = told_when([](const lines& l) { return !l.empty(); });
    std::vector<pid_t> pids;
    std::istringstream numbers_told{told.front().substr(std::string{"progress t 0 "}.size())};
    for (pid_t pid = 0; numbers_told >> pid;)
      pids.push_back(pid);
    return pids;
  }

  static bool all_gone(const std::vector<pid_t>& pids) {
    return std::all_of(pids.begin(), pids.end(), is_gone);
  }

  task_runner_actor runner() const { return runner_; }

  metrics numbers;
  std::optional<command_host> host;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  lines told_;
  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  task_runner_actor runner_;
};

TEST_F(CommandHost, HandsParamsInAndTheResultOut) {
  EXPECT_EQ(
    run(job({"/bin/sh", "-c", R"(read -r line; echo "{\"result\":$line}"; cat)"}, "{\"n\":1.0}\n")),
    (lines{R"(finished t {"n":1.0})", "idle 0"}));
  EXPECT_EQ(run(job({"/bin/true"})), (lines{"finished t null", "idle 0"})) << "no result is null";
}

TEST_F(CommandHost, ReportsWhatTheLinesOfAChildSay) {
  EXPECT_EQ(
    run(shell(R"(
      echo starting up...
      echo '{"value":0.25,"text":"quarter"}'; sleep 0.02
      echo '{"value":"much"} {'; echo '[0.9]'; echo 0.9; echo; echo '{"valu":0.9}'
      echo '{"text":"still"}'; sleep 0.02
      echo '{"result":"first"}'
      echo '{"value":1}'; sleep 0.02
      printf '{"result":"last, without a line break"}'
    )")),
    (lines{
      "progress t 0.25 quarter", "progress t 0.25 still", "progress t 1 -",
      R"(finished t "last, without a line break")", "idle 0"}));
}

TEST_F(CommandHost, CoalescesTheProgressOfATalkativeChild) {
  host.emplace(command_host_options{200ms, 1h}, numbers);
  const auto told = run(shell(
    R"(i=1; while [ $i -le 2000 ]; do echo "{\"value\":0.$i,\"text\":\"$i\"}"; i=$((i+1)); done)"));
  EXPECT_EQ(told, (lines{"progress t 0.1 1", "progress t 0.2 2000", "finished t null", "idle 0"}))
    << "the first, and the last before the end";
}

TEST_F(CommandHost, LosesNoOutputOfChildrenThatEndWhileItIsBusy) {
  // Starting many at once, the host finds the first ones ended and their pipes full.
  auto talkative = shell(R"(yes '' | head -n 20000; echo '{"result":7}'; yes '' | head -n 20000)");
  for (int i = 0; i < 30; ++i) {
    talkative.id = task_id{std::to_string(i)};
    talkative.worker = static_cast<std::size_t>(i);
    host->start(talkative);
  }
  const auto told = told_when([](const lines& l) { return l.size() == 60; });
  for (int i = 0; i < 30; ++i) {
    const auto expected = "finished " + std::to_string(i) + " 7";
    EXPECT_EQ(std::count(told.begin(), told.end(), expected), 1) << i;
  }
}

TEST_F(CommandHost, ReadsAFloodToItsEndAndNoFasterThanItsBudget) {
  const auto begun = std::chrono::steady_clock::now();
  const auto told = run(shell(R"(yes '{"value":0.5}' | head -n 20000; echo '{"result":7}')"));
  EXPECT_EQ(std::count(told.begin(), told.end(), "finished t 7"), 1);
  // Ten times the lines of a period, of which the last may be read at the end; never sooner,
  // however fast the machine is.
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 200ms);
}

TEST_F(CommandHost, DropsLinesThatAreTooLongAndGoesOn) {
  const testing::log_capture log;
  const auto told = run(shell(R"(
    for i in 1 2; do printf '{"result":"'; head -c 70000 /dev/zero | tr '\0' x; echo '"}'; done
    printf '{"result":"'; head -c 60000 /dev/zero | tr '\0' y; echo '"}'
  )"));
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0], "finished t \"" + std::string(60'000, 'y') + "\"");
  EXPECT_NE(numbers.render().find("\nherald_task_lines_dropped_total 2\n"), std::string::npos);
  EXPECT_EQ(
    log.lines("lines_dropped"),
    (lines{"warning task-worker lines_dropped task_id=t lines=2 longer_than=65536"}));
}

/// Memory of this process, in bytes.
std::size_t resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(::getpagesize());
}

TEST_F(CommandHost, KeepsLittleOfHugeOutput) {
  run(job({"/bin/true"}));
  const auto before = resident_bytes();
  const auto told = run(shell(R"(
    head -c 100000000 /dev/zero
    head -c 100000000 /dev/zero >&2
    echo; echo '{"result":7}'
  )"));
  EXPECT_EQ(told, (lines{"finished t 7", "idle 0"}));
  EXPECT_LT(resident_bytes(), before + 20'000'000);
}

TEST_F(CommandHost, TellsWhyAChildFailed) {
  EXPECT_EQ(
    run(shell("echo '{\"result\":1}'; echo disk full >&2; echo >&2; exit 3")),
    (lines{"failed t exit code 3: disk full", "idle 0"}));
  EXPECT_EQ(run(job({"/bin/false"})), (lines{"failed t exit code 1", "idle 0"}));
  EXPECT_EQ(
    run(shell("kill -SEGV $$")), (lines{"failed t ended by signal 11 (SIGSEGV)", "idle 0"}));
  EXPECT_EQ(
    run(shell("echo what >&2; kill -40 $$")),
    (lines{"failed t ended by signal 40: what", "idle 0"}));
}

TEST_F(CommandHost, LogsTheComplaintsOfAChildThatSucceedsOrIsStopped) {
  testing::log_capture log;
  run(shell("echo 'low on disk' >&2"));
  EXPECT_EQ(
    log.lines("command_stderr"),
    (lines{"info task-worker command_stderr task_id=t stopped=false end=\"low on disk\""}));
  const auto stopped = shell("echo stuck >&2; echo '{\"text\":\"1\"}'; exec sleep 1000");
  host->start(stopped);
  told_when([](const lines& l) { return l.back().starts_with("progress "); });
  host->abort(task_id{"t"});
  rest();
  EXPECT_EQ(
    log.lines("command_stderr").at(1),
    "info task-worker command_stderr task_id=t stopped=true end=stuck");
  run(shell("echo broken >&2; exit 1"));
  EXPECT_EQ(log.lines("command_stderr").size(), 2u) << "the error of the task says it";
  run(shell("yes | head -c 5000 >&2; printf end >&2"));
  const auto last = log.lines("command_stderr").back();
  EXPECT_LT(last.size(), 5000u);
  EXPECT_TRUE(last.ends_with("end\"")) << last;
}

TEST_F(CommandHost, KeepsTheEndOfALongComplaint) {
  const auto told = run(shell(R"(
    yes 'it goes on and on' | head -n 2000 >&2
    printf '\303\251\377 the end' >&2; exit 1
  )"));
  const std::string end = "it goes on and on\n\xc3\xa9\xef\xbf\xbd the end";
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].substr(0, 22), "failed t exit code 1: ");
  EXPECT_EQ(told[0].substr(told[0].size() - end.size()), end);
  EXPECT_LE(told[0].size(), 22u + 4096);
  EXPECT_GE(told[0].size(), 22u + 4000);
}

TEST_F(CommandHost, SaysWhatCannotBeStarted) {
  EXPECT_EQ(
    run(job({"/nowhere/program"})),
    (lines{"failed t cannot start the program: No such file or directory", "idle 0"}));
  auto lost = job({"/bin/true"});
  lost.program.cwd = "/nowhere";
  EXPECT_EQ(
    run(lost),
    (lines{"failed t cannot enter its working directory: No such file or directory", "idle 0"}));
}

TEST_F(CommandHost, GivesTheChildItsEnvironment) {
  auto command = shell(R"(echo "{\"result\":\"$GREETING\"}")");
  command.program.env["GREETING"] = "hello";
  EXPECT_EQ(run(command), (lines{R"(finished t "hello")", "idle 0"}));
}

TEST_F(CommandHost, ForcesNoInputUponAChild) {
  const std::string much(1'000'000, 'x');
  EXPECT_EQ(run(job({"/bin/true"}, much)), (lines{"finished t null", "idle 0"}));
  EXPECT_EQ(
    run(job({"/bin/sh", "-c", "exec <&-; sleep 0.05; echo '{\"result\":1}'"}, much)),
    (lines{"finished t 1", "idle 0"}));
  EXPECT_EQ(
    run(job({"/bin/sh", "-c", R"(echo "{\"result\":$(wc -c)}")"}, much)),
    (lines{"finished t 1000000", "idle 0"}))
    << "but gives all of it to one that reads";
}

TEST_F(CommandHost, EndsAChildThatIsAborted) {
  const auto pids = start_and_get_pids(shell(R"(sleep 1000 & echo "{\"text\":\"$$ $!\"}"; wait)"));
  ASSERT_EQ(pids.size(), 2u);
  host->abort(task_id{"another"});
  host->abort(task_id{"t"});
  host->abort(task_id{"t"});
  const auto told = rest();
  EXPECT_EQ(told.size(), 2u) << "no report but that it is idle";
  EXPECT_TRUE(eventually([&] { return all_gone(pids); }));
  EXPECT_FALSE(has_children());
}

TEST_F(CommandHost, KillsAChildThatDoesNotListen) {
  const auto pids = start_and_get_pids(shell(
    R"(trap '' TERM; sleep 1000 & echo "{\"text\":\"$$ $!\"}"; while :; do sleep 1000; done)"));
  ASSERT_EQ(pids.size(), 2u);
  host->abort(task_id{"t"});
  EXPECT_EQ(rest().size(), 2u);
  EXPECT_TRUE(eventually([&] { return all_gone(pids); })) << "the child that sleeps, too";
}

TEST_F(CommandHost, TakesNoReportOfAChildThatIsAborted) {
  start_and_get_pids(shell(
    R"(trap 'echo "{\"value\":1}"; echo "{\"result\":1}"; exit 0' TERM
       echo '{"text":"1"}'; while :; do sleep 0.01; done)"));
  host->abort(task_id{"t"});
  EXPECT_EQ(rest(), (lines{"progress t 0 1", "idle 0"}));
}

TEST_F(CommandHost, LeavesTheProgramInAShellTheTimeToTidyUp) {
  // The outer shell dies of SIGTERM at once. The inner one, which does the work, does not.
  const auto file = ::testing::TempDir() + "herald_tidy_" + std::to_string(::getpid());
  auto wrapped = shell(
    R"(sh -c 'trap "sleep 0.1; echo done > $FILE; exit" TERM
              echo "{\"text\":\"$$\"}"; while :; do sleep 0.01; done' & wait)");
  wrapped.program.env["FILE"] = file;
  host.emplace(command_host_options{1h, 0ms}, numbers);
  const auto pids = start_and_get_pids(std::move(wrapped));
  host->abort(task_id{"t"});
  EXPECT_EQ(rest().size(), 2u) << "as soon as the work is done, long before SIGKILL";
  EXPECT_TRUE(eventually([&] { return all_gone(pids); }));
  EXPECT_EQ(std::remove(file.c_str()), 0) << "it was killed before it was done";
}

TEST_F(CommandHost, AbortsAChildThatHasJustBeenStarted) {
  for (int i = 0; i < 20; ++i) {
    auto sleeper = job({"/bin/sleep", "1000"});
    sleeper.id = task_id{"sleeper"};
    host->start(sleeper);
    host->abort(sleeper.id);
    EXPECT_EQ(
      told_when([&](const lines& l) { return l.size() == static_cast<std::size_t>(i + 1); }).back(),
      "idle 0");
  }
}

TEST_F(CommandHost, WaitsForNobodyWhoHoldsTheOutputOfAChild) {
  // In its group: killed with it.
  EXPECT_EQ(run(shell("sleep 1000 & echo '{\"result\":1}'")), (lines{"finished t 1", "idle 0"}));
}

TEST_F(CommandHost, WaitsForNobodyOutsideOfTheGroupEither) {
  // Out of its group, and writes without end: it gets a broken pipe once the child has ended.
  const auto told = run(shell(R"(
    echo '{"result":1}'
    setsid sh -c 'echo "{\"text\":\"$$\"}"; exec yes' & sleep 0.1
  )"));
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[1], "finished t 1");
  const pid_t stray = std::stoi(told[0].substr(std::string{"progress t 0 "}.size()));
  EXPECT_TRUE(eventually([&] { return is_gone(stray); }));
}

TEST_F(CommandHost, ReleasesAWorkerFromWhateverItHas) {
  auto sleeper = job({"/bin/sleep", "1000"});
  sleeper.worker = 7;
  host->start(sleeper);
  host->release(5, runner());
  host->release(7, runner());
  const auto told = told_when([](const lines& l) { return l.size() == 2; });
  EXPECT_EQ(told, (lines{"idle 5", "idle 7"}));
}

TEST_F(CommandHost, TakesItsChildrenWithIt) {
  const auto pids =
    start_and_get_pids(shell(R"(trap '' TERM; sleep 1000 & echo "{\"text\":\"$$ $!\"}"; wait)"));
  ASSERT_EQ(pids.size(), 2u);
  host.reset();
  EXPECT_FALSE(has_children());
  EXPECT_TRUE(eventually([&] { return all_gone(pids); }));
  EXPECT_EQ(told_when([](const lines&) { return true; }).size(), 1u) << "without a report";
}

TEST_F(CommandHost, LearnsHowChildrenEndedWhateverItsParentIgnored) {
  host.reset();
  auto* const before = ::signal(SIGCHLD, SIG_IGN);
  host.emplace(command_host_options{200ms, 0ms}, numbers);
  EXPECT_EQ(run(shell("exit 3")), (lines{"failed t exit code 3", "idle 0"}));
  ::signal(SIGCHLD, before);
}

TEST_F(CommandHost, KeepsNoDescriptorOpen) {
  run(job({"/bin/true"}));
  const auto before = testing::open_descriptors();
  for (int i = 0; i < 20; ++i)
    run(shell("echo out; echo err >&2"));
  EXPECT_EQ(testing::open_descriptors(), before);
}

} // namespace
} // namespace herald
