#include <cctype>
#include <csignal>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

struct process_state {
  char state = '?';
  pid_t parent = 0;
};

/// What the kernel says of a process; nothing if there is none.
std::optional<process_state> state_of(pid_t pid) {
  const auto text = text_of("/proc/" + std::to_string(pid) + "/stat");
  // Its name is in parentheses and may hold anything.
  const auto end = text.rfind(')');
  if (end == std::string::npos)
    return std::nullopt;
  process_state result;
  std::istringstream{text.substr(end + 1)} >> result.state >> result.parent;
  return result;
}

/// A process that has ended but was not waited for is no business of herald's once herald is gone.
bool runs(pid_t pid) {
  const auto found = state_of(pid);
  return found && found->state != 'Z';
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    if (std::isdigit(static_cast<unsigned char>(name.front())) == 0)
      continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    if (const auto found = state_of(pid); found && found->parent == parent)
      children.push_back(pid);
  }
  return children;
}

/// herald with the programs that a test gives, each a script for the shell.
class CommandTask : public ::testing::Test {
protected:
  void start(
    const std::vector<std::pair<std::string, std::string>>& scripts,
    std::vector<std::string> arguments = {}) {
    json config;
    for (const auto& [name, script] : scripts)
      config["tasks"]["commands"][name] = {
        {"argv", {"/bin/sh", "-c", script}}, {"cwd", folder.path().string()}};
    herald.emplace(herald_options{std::move(arguments), {}, config.dump()});
    api.emplace(herald->api_port());
  }

  std::string run(const json& order) {
    const auto answer = api->post("/api/tasks", order.dump());
    EXPECT_EQ(answer.status, 202) << answer.body;
    return json_of(answer)["task_id"];
  }

  json task(const std::string& id) { return json_of(api->get("/api/tasks/" + id)); }

  json ended(const std::string& id) {
    EXPECT_TRUE(eventually([&] { return !task(id)["end_time"].is_null(); }));
    return task(id);
  }

  /// The processes whose numbers a script has written into `pids`, when there are `count`.
  std::vector<pid_t> written(std::size_t count) {
    std::vector<pid_t> pids;
    EXPECT_TRUE(eventually([&] {
      pids.clear();
      std::istringstream in{text_of(folder / "pids")};
      for (pid_t pid = 0; in >> pid;)
        pids.push_back(pid);
      return pids.size() == count;
    }));
    return pids;
  }

  temporary_folder folder;
  std::optional<herald_process> herald;
  std::optional<http_client> api;
};

constexpr const char* with_a_child = R"(
  sleep 1000 &
  echo $$ $! >>pids
  wait
)";

/// Both of them must be killed.
constexpr const char* stubborn = R"(
  trap '' TERM
  (trap '' TERM; while :; do sleep 1; done) &
  echo $$ $! >>pids
  while :; do sleep 1; done
)";

TEST_F(CommandTask, GetsItsParamsAndTellsItsProgress) {
  start({{"report", R"(
    read params
    echo "not for herald"
    echo '{"value": 0.5, "text": "half"}'
    echo "{\"result\": $params}"
  )"}});
  sse_client stream{herald->stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.open());
  const auto id = run({{"type", "report"}, {"params", {{"rows", 3}}}});
  const auto done = ended(id);
  EXPECT_EQ(done["status"], "completed");
  EXPECT_EQ(done["result"], (json{{"rows", 3}}));
  std::string kind;
  while (kind != "task_completed") {
    const auto event = stream.next("task_event");
    ASSERT_TRUE(event);
    const auto step = json::parse(event->data);
    kind = step["event_type"];
    if (kind == "progress_update") {
      EXPECT_EQ(step["data"], (json{{"text", "half"}, {"value", 0.5}}));
    }
  }
}

TEST_F(CommandTask, FailsWithTheEndOfItsComplaints) {
  start({{"broken", "echo 'no such table' >&2; exit 3"}});
  const auto failed = ended(run({{"type", "broken"}}));
  EXPECT_EQ(failed["status"], "failed");
  EXPECT_NE(failed["error"].get<std::string>().find("no such table"), std::string::npos);
}

TEST_F(CommandTask, IsToldOfToThePageThatItIsForAndWithoutItsComplaints) {
  start({{"broken", R"(
    echo '{"value": 0.5, "text": "half"}'
    echo 'no such table' >&2
    exit 3
  )"}});
  sse_client mine{herald->stream_port(), stream_target("mine")};
  sse_client other{herald->stream_port(), stream_target("other")};
  ASSERT_TRUE(mine.open() && other.open());
  const auto id = run({{"type", "broken"}, {"request_id", "mine"}});
  const auto shown = ended(id);
  EXPECT_EQ(shown["error"], "exit code 3: no such table");
  EXPECT_EQ(shown["request_id"], "mine");
  std::size_t seq = 0;
  json step;
  while (step["event_type"] != "task_failed") {
    const auto event = mine.next("task_event");
    ASSERT_TRUE(event);
    step = json::parse(event->data);
    EXPECT_EQ(step["seq"], ++seq);
    EXPECT_EQ(event->data.find("no such table"), std::string::npos);
  }
  EXPECT_EQ(step["data"]["error"], "exit code 3");
  EXPECT_EQ(shown["seq"], seq);
  // What follows comes first to whom the rest was not for.
  run({{"type", "broken"}});
  const auto event = other.next("task_event");
  ASSERT_TRUE(event);
  EXPECT_NE(json::parse(event->data)["task_id"], id);
}

TEST_F(CommandTask, IsToldOfToNobodyOrWithAllWhereTheSettingsSaySo) {
  start(
    {{"broken", "echo 'no such table' >&2; exit 3"}},
    {"--tasks-audience", "none", "--tasks-publish-errors"});
  sse_client page{herald->stream_port(), stream_target("page")};
  ASSERT_TRUE(page.open());
  const auto quiet = ended(run({{"type", "broken"}}));
  EXPECT_EQ(quiet["status"], "failed");
  EXPECT_EQ(quiet["seq"], 0);
  const auto told = run({{"type", "broken"}, {"request_id", "page"}});
  json step;
  while (step["event_type"] != "task_failed") {
    const auto event = page.next("task_event");
    ASSERT_TRUE(event);
    step = json::parse(event->data);
    EXPECT_EQ(step["task_id"], told);
  }
  EXPECT_EQ(step["data"]["error"], "exit code 3: no such table");
}

TEST_F(CommandTask, LeavesNoZombie) {
  start({{"quick", "true"}, {"broken", "false"}});
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i)
    ids.push_back(run({{"type", i % 2 == 0 ? "quick" : "broken"}}));
  for (const auto& id : ids)
    ended(id);
  EXPECT_TRUE(eventually([&] { return children_of(herald->pid()).empty(); }));
}

TEST_F(CommandTask, IsEndedWithItsChildrenWhenCancelled) {
  start({{"busy", with_a_child}});
  const auto id = run({{"type", "busy"}});
  const auto pids = written(2);
  EXPECT_EQ(api->post("/api/tasks/" + id + "/cancel", "").status, 200);
  for (const auto pid : pids)
    EXPECT_TRUE(eventually([&] { return !runs(pid); })) << pid;
  EXPECT_TRUE(eventually([&] { return children_of(herald->pid()).empty(); }));
}

TEST_F(CommandTask, IsKilledWithItsChildrenWhenItWillNotEnd) {
  start({{"stubborn", stubborn}}, {"--tasks-kill-after-ms", "200"});
  const auto id = run({{"type", "stubborn"}});
  const auto pids = written(2);
  EXPECT_EQ(api->post("/api/tasks/" + id + "/cancel", "").status, 200);
  for (const auto pid : pids)
    EXPECT_TRUE(eventually([&] { return !runs(pid); })) << pid;
  EXPECT_TRUE(herald->logs("warning task-worker command_killed task_id=" + id));
}

TEST_F(CommandTask, FailsWhenItsTimeIsOver) {
  start({{"stubborn", stubborn}}, {"--tasks-kill-after-ms", "200", "--tasks-timeout-s", "1"});
  const auto failed = ended(run({{"type", "stubborn"}}));
  EXPECT_EQ(failed["status"], "failed");
  EXPECT_EQ(failed["error"], "timed out after 1 s");
  EXPECT_TRUE(eventually([&] { return children_of(herald->pid()).empty(); }));
}

TEST_F(CommandTask, DoesNotOutliveHerald) {
  for (const auto* script : {with_a_child, stubborn}) {
    std::filesystem::remove(folder / "pids");
    start(
      {{"busy", script}},
      {"--shutdown-grace-s", "0", "--tasks-kill-after-ms", "200", "--tasks-workers", "3"});
    for (int i = 0; i < 3; ++i)
      run({{"type", "busy"}});
    const auto pids = written(6);
    EXPECT_EQ(herald->terminate(), exited(0));
    for (const auto pid : pids)
      EXPECT_TRUE(eventually([&] { return !runs(pid); })) << pid << " has outlived herald";
  }
}

constexpr const char* with_an_escaped_child = R"(
  setsid sh -c 'echo $$ >>pids; sleep 1000; true' &
  until grep -q $! pids; do sleep 0.01; done
)";

TEST_F(CommandTask, LeavesNothingBehindWhereverItHides) {
  start({{"escapes", with_an_escaped_child}});
  EXPECT_EQ(ended(run({{"type", "escapes"}}))["status"], "completed");
  for (const auto pid : written(1))
    EXPECT_TRUE(eventually([&] { return !runs(pid); })) << pid;
}

TEST_F(CommandTask, IsGoneWithHeraldHoweverThatEnds) {
  const auto waits = std::string{with_an_escaped_child} + "\nwait";
  start({{"waits", with_a_child}, {"escapes", waits}});
  run({{"type", "waits"}});
  run({{"type", "escapes"}});
  const auto pids = written(3);
  herald->kill();
  for (const auto pid : pids)
    EXPECT_TRUE(eventually([&] { return !runs(pid); })) << pid;
}

TEST_F(CommandTask, DoesNotReadTheSecretsThatHeraldWasStartedWith) {
  const auto config =
    folder.write("herald.json", R"({"tasks": {"commands": {"nothing": {"argv": ["/bin/true"]}}}})");
  const herald_process with_secrets{herald_options{
    {"--config", config, "--version-url", "http://127.0.0.1:1/?key=hush-1"},
    {"HERALD_CALLBACK_SECRET=hush-2"},
    {}}};
  const auto about = "/proc/" + std::to_string(with_secrets.pid());
  EXPECT_NE(text_of(about + "/environ").find("HERALD_CALLBACK_SECRET="), std::string::npos);
  EXPECT_EQ(text_of(about + "/environ").find("hush"), std::string::npos);
  EXPECT_EQ(text_of(about + "/cmdline").find("hush"), std::string::npos);
}

TEST_F(CommandTask, UsesNoMoreThanItMay) {
  // KiB, seconds, and blocks of 512 bytes.
  start(
    {{"limited", "test $(ulimit -v) = 262144 -a $(ulimit -t) = 7 -a $(ulimit -f) = 2048"}},
    {"--tasks-max-memory-bytes", "268435456", "--tasks-max-cpu-s", "7", "--tasks-max-file-bytes",
     "1048576"});
  EXPECT_EQ(ended(run({{"type", "limited"}}))["status"], "completed");
}

TEST_F(CommandTask, GetsNoRightsThatItsUserDoesNotHave) {
  start({{"rights", "grep -q '^NoNewPrivs:.*1$' /proc/self/status"}});
  EXPECT_EQ(ended(run({{"type", "rights"}}))["status"], "completed");
}

TEST_F(CommandTask, MayEndWithinTheGrace) {
  start(
    {{"slow", R"(
      echo $$ >>pids
      until [ -e finish ]; do sleep 0.05; done
      echo '{"result": "saved"}'
    )"}},
    {"--shutdown-grace-s", "60"});
  sse_client stream{herald->stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.open());
  run({{"type", "slow"}});
  written(1);
  herald->signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return api->get("/readyz").status == 503; }));
  folder.write("finish", "");
  EXPECT_EQ(herald->wait(), exited(0));
  ASSERT_TRUE(stream.wait_for_end());
  EXPECT_EQ(json::parse(stream.events().back().data)["data"], "saved");
}

} // namespace
} // namespace herald
