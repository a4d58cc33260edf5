#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/support/free_port.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using arguments = std::vector<std::string>;

class Journal : public ::testing::Test {
protected:
  /// Starts herald with the journal of this test.
  herald_process& begin_life(arguments more = {}) {
    more.insert(more.end(), {"--journal-path", file});
    herald.reset();
    herald.emplace(std::move(more));
    api.emplace(herald->api_port());
    return *herald;
  }

  nlohmann::json post(std::string_view target, std::string_view body, int expected = 202) {
    const auto answer = api->post(target, body);
    EXPECT_EQ(answer.status, expected) << answer.body;
    return json_of(answer);
  }

  temporary_folder folder;
  const std::string file = folder / "journal.db";
  std::optional<herald_process> herald;
  std::optional<http_client> api;
};

std::vector<std::string> data_of(const sse_client& stream) {
  std::vector<std::string> data;
  for (const auto& event : stream.events())
    data.push_back(event.data);
  return data;
}

/// Publishes until herald is gone; gives the data of what was acknowledged.
std::vector<std::string> publish_until_the_end(std::uint16_t port, const std::string& name) {
  std::vector<std::string> acknowledged;
  http_client api{port};
  for (int i = 0;; ++i) {
    const auto data = '"' + name + "-" + std::to_string(i) + '"';
    if (api.post("/api/events", R"({"event":"note","data":)" + data + "}").status != 202)
      return acknowledged;
    acknowledged.push_back(data);
  }
}

TEST_F(Journal, IsCopiedWhileEventsComeAndTheCopyIsAJournal) {
  begin_life();
  post("/api/versions", R"({"request_id":"p","version":"1"})");
  for (int i = 0; i < 200; ++i)
    post("/api/events", nlohmann::json{{"event", "e"}, {"data", std::string(5'000, 'x')}}.dump());
  std::atomic<bool> stop{false};
  std::thread publisher{[&, port = herald->api_port()] {
    http_client others{port};
    while (!stop)
      EXPECT_EQ(others.post("/api/events", R"({"event":"e","data":1})").status, 202);
  }};
  const auto made = post("/api/journal/backup", R"({"name":"copy.db"})", 201);
  stop = true;
  publisher.join();
  const auto copy = (folder / "copy.db").string();
  EXPECT_EQ(made["bytes"], std::filesystem::file_size(copy));
  EXPECT_EQ(static_cast<unsigned>(std::filesystem::status(copy).permissions()), 0600U);
  post("/api/journal/backup", R"({"name":"copy.db"})", 409);
  post("/api/journal/backup", R"({"name":"../copy.db"})", 400);
  EXPECT_NE(post("/api/journal/backup", "", 201)["name"], "copy.db");
  const auto kept = json_of(api->get("/api/events?limit=1000"));
  post("/api/events", R"({"event":"late","data":1})");

  herald_process other{{"--journal-path", copy}};
  EXPECT_EQ(other.full_log().find("damaged"), std::string::npos);
  http_client its_api{other.api_port()};
  const auto there = json_of(its_api.get("/api/events?limit=1000"));
  EXPECT_GE(there["events"].size(), 200u);
  EXPECT_LE(there["events"].size(), kept["events"].size());
  for (std::size_t i = 0; i < there["events"].size(); ++i)
    EXPECT_EQ(there["events"][i]["id"], kept["events"][i]["id"]);
  EXPECT_EQ(json_of(its_api.get("/api/versions/p"))["version"], "1");
}

TEST_F(Journal, EveryAcknowledgedEventReachesEveryPageOnceHoweverOftenHeraldIsKilled) {
  begin_life();
  constexpr std::size_t pages = 20;
  auto streams = open_streams(herald->stream_port(), pages);
  for (auto& stream : streams)
    ASSERT_TRUE(stream.wait_for_cursor()) << "from which on nothing may be missed";
  std::mt19937 random{7};
  std::vector<std::string> acknowledged;
  for (int life = 0; life < 5; ++life) {
    std::vector<std::vector<std::string>> of_publisher(3);
    std::vector<std::thread> publishing;
    for (std::size_t i = 0; i < of_publisher.size(); ++i)
      publishing.emplace_back([&, i, life] {
        of_publisher[i] =
          publish_until_the_end(herald->api_port(), std::to_string(life) + "-" + std::to_string(i));
      });
    const auto enough = streams.front().events().size() + 5 + random() % 60;
    EXPECT_TRUE(read_until(streams, [&] { return streams.front().events().size() >= enough; }));
    herald->kill();
    for (auto& thread : publishing)
      thread.join();
    for (const auto& some : of_publisher)
      acknowledged.insert(acknowledged.end(), some.begin(), some.end());
    begin_life();
    for (auto& stream : streams)
      stream.reconnect(herald->stream_port());
  }
  post("/api/events", R"({"event":"note","data":"last"})");
  ASSERT_TRUE(read_until(streams, [&] {
    return std::all_of(streams.begin(), streams.end(), [](const auto& s) {
      return !s.events().empty() && s.events().back().data == R"("last")";
    });
  }));
  for (const auto& stream : streams) {
    std::map<std::string, int> times;
    for (const auto& data : data_of(stream))
      ++times[data];
    for (const auto& data : acknowledged)
      EXPECT_EQ(times[data], 1) << data;
    for (const auto& [data, count] : times)
      EXPECT_EQ(count, 1) << data;
    std::uint64_t last = 0;
    for (const auto& event : stream.events()) {
      EXPECT_GT(std::stoull(event.id), last);
      EXPECT_EQ(event.name, "note");
      last = std::stoull(event.id);
    }
  }
  EXPECT_GT(acknowledged.size(), 20u);
}

TEST_F(Journal, AnswersAPublisherThatIsAloneWithinOneGroup) {
  begin_life();
  const auto groups = [this] {
    return metric(*api, "herald_journal_groups_total");
  };
  post("/api/events", R"({"event":"note","data":0})");
  const auto before = groups();
  for (int i = 1; i <= 20; ++i) {
    post("/api/events", R"({"event":"note","data":1})");
    EXPECT_EQ(groups(), before + i) << "it waits for one commit, and no more";
  }
}

TEST_F(Journal, BringsBackWhatAPageHasMissedThatHadNoEventBefore) {
  begin_life();
  sse_client page{herald->stream_port(), stream_target("page")};
  ASSERT_TRUE(page.wait_for_cursor());
  page.close();
  post("/api/events", R"({"event":"note","data":1})");
  herald->kill();
  begin_life();
  post("/api/events", R"({"event":"note","data":2,"request_id":"page"})");
  post("/api/events", R"({"event":"note","data":0,"request_id":"other"})");
  page.reconnect(herald->stream_port());
  ASSERT_TRUE(page.open());
  post("/api/events", R"({"event":"note","data":3})");
  for (const auto* data : {"1", "2", "3"})
    EXPECT_EQ(page.next().value_or(sse_event{}).data, data);
  // A life in which nobody has published.
  herald->kill();
  begin_life();
  page.reconnect(herald->stream_port());
  ASSERT_TRUE(page.open());
  post("/api/events", R"({"event":"note","data":4})");
  EXPECT_EQ(page.next().value_or(sse_event{}).data, "4") << "no gap, and nothing again";
}

TEST_F(Journal, WithoutOneAPageIsToldThatItMayHaveMissedSomething) {
  herald_process first;
  sse_client page{first.stream_port(), stream_target("page")};
  ASSERT_TRUE(page.wait_for_cursor());
  first.kill();
  herald_process second;
  http_client api{second.api_port()};
  page.reconnect(second.stream_port());
  EXPECT_EQ(page.next().value_or(sse_event{}).name, "gap") << "though it has had no event";
  page.close();
  api.post("/api/events", R"({"event":"note","data":1})");
  page.reconnect(second.stream_port());
  EXPECT_EQ(page.next().value_or(sse_event{}).data, "1") << "its cursor is of this life now";
}

TEST_F(Journal, WithoutOneAPageIsToldThatItHasMissedSomething) {
  herald_process first;
  sse_client page{first.stream_port(), stream_target("page")};
  ASSERT_TRUE(page.open());
  http_client{first.api_port()}.post("/api/events", R"({"event":"note","data":1})");
  ASSERT_TRUE(page.next("note"));
  first.kill();
  herald_process second;
  page.reconnect(second.stream_port());
  const auto gap = page.next();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->name, "gap");
  http_client{second.api_port()}.post("/api/events", R"({"event":"note","data":2})");
  EXPECT_EQ(page.next()->data, "2");
}

TEST_F(Journal, KeepsVersionsAndTasks) {
  begin_life({"--tasks-workers", "1"});
  post("/api/versions", R"({"request_id":"page","version":"1.2","changelog":"x"})");
  const auto at_work = post("/api/tasks", R"({"type":"demo","params":{"steps":1,"delay":3600}})");
  const auto waiting = post("/api/tasks", R"({"type":"demo","params":{"steps":1,"delay":0}})");
  const auto external = post("/api/tasks", R"({"type":"external"})");
  const std::string external_path = "/api/tasks/" + std::string{external["task_id"]};
  post(external_path + "/progress", R"({"value":0.5,"text":"half"})", 200);
  const auto status_of = [this](const nlohmann::json& task) {
    return json_of(api->get("/api/tasks/" + std::string{task["task_id"]}));
  };
  ASSERT_TRUE(eventually([&] { return status_of(at_work)["status"] == "running"; }));
  sse_client watcher{herald->stream_port(), stream_target("watcher")};
  ASSERT_TRUE(watcher.open());
  post("/api/events", R"({"event":"note","data":1})");
  ASSERT_TRUE(watcher.next("note"));
  herald->kill();

  begin_life({"--tasks-workers", "1"});
  EXPECT_EQ(json_of(api->get("/api/versions/page"))["changelog"], "x");
  EXPECT_TRUE(eventually([&] { return status_of(at_work)["status"] == "failed"; }));
  EXPECT_EQ(status_of(at_work)["error"], "interrupted by a restart");
  watcher.reconnect(herald->stream_port());
  // The progress of the external task may have been told after the note.
  const std::string id = at_work["task_id"];
  auto failed = watcher.next("task_event");
  while (failed && failed->data.find(id) == std::string::npos)
    failed = watcher.next("task_event");
  ASSERT_TRUE(failed);
  EXPECT_NE(failed->data.find("task_failed"), std::string::npos) << failed->data;
  EXPECT_TRUE(eventually([&] { return status_of(waiting)["status"] == "completed"; }));
  EXPECT_EQ(status_of(external)["status"], "running");
  EXPECT_EQ(status_of(external)["progress_text"], "half");
  post(external_path + "/complete", R"({"result":{"done":true}})", 200);
  EXPECT_EQ(herald->terminate()->code, 0);

  begin_life({"--tasks-workers", "1"});
  EXPECT_EQ(status_of(external)["result"]["done"], true);
  EXPECT_EQ(json_of(api->get("/api/tasks"))["total"], 3);
}

TEST_F(Journal, KnowsTheStreamsOfAGatewayAgain) {
  const auto api_port = std::to_string(free_port());
  const auto gateway_port = std::to_string(free_port());
  const arguments as_backend = {"--api-port",        api_port,
                                "--gateway-url",     "http://127.0.0.1:" + gateway_port,
                                "--gateway-senders", "2"};
  begin_life(as_backend);
  herald_process gateway{arguments{
    "--api-port", gateway_port, "--callback-url",
    "http://127.0.0.1:" + api_port + "/api/sse/callback"}};
  std::vector<sse_client> pages;
  for (int i = 0; i < 3; ++i)
    pages.emplace_back(gateway.stream_port(), "/any/path?request_id=page-" + std::to_string(i));
  for (auto& page : pages)
    ASSERT_TRUE(page.open());
  herald->kill();
  // One leaves while nobody is there to hear of it.
  pages[0].close();

  begin_life(as_backend);
  EXPECT_GE(post("/api/events", R"({"event":"note","data":"again"})")["recipients"], 2);
  for (const std::size_t i : {1, 2}) {
    const auto event = pages[i].next("note");
    ASSERT_TRUE(event);
    EXPECT_EQ(event->data, R"("again")");
  }
  EXPECT_TRUE(eventually([&] { return json_of(api->get("/api/connections"))["total"] == 2; }))
    << "the one that is gone is found out";
}

TEST_F(Journal, FindsOutByItselfWhichStreamsOfAGatewayAreGone) {
  const auto api_port = std::to_string(free_port());
  const auto gateway_port = std::to_string(free_port());
  const arguments as_backend = {
    "--api-port", api_port, "--gateway-url", "http://127.0.0.1:" + gateway_port};
  const arguments as_gateway = {
    "--api-port", gateway_port, "--callback-url",
    "http://127.0.0.1:" + api_port + "/api/sse/callback"};
  begin_life(as_backend);
  {
    herald_process gateway{as_gateway};
    auto pages = std::vector<sse_client>{};
    for (int i = 0; i < 20; ++i) {
      pages.emplace_back(gateway.stream_port(), "/?request_id=page-" + std::to_string(i));
      ASSERT_TRUE(pages.back().open());
    }
    herald->kill();
    gateway.kill();
  }
  herald_process gateway{as_gateway};
  begin_life(as_backend);
  EXPECT_TRUE(eventually([&] { return json_of(api->get("/api/connections"))["total"] == 0; }))
    << "nothing was published";
}

TEST_F(Journal, HasWhatTheShutdownItselfDecides) {
  begin_life({"--shutdown-grace-s", "0"});
  const auto task = post("/api/tasks", R"({"type":"demo","params":{"steps":1,"delay":3600}})");
  const auto path = "/api/tasks/" + std::string{task["task_id"]};
  ASSERT_TRUE(eventually([&] { return json_of(api->get(path))["status"] == "running"; }));
  EXPECT_EQ(herald->terminate(), exited(0));
  begin_life();
  const auto then = json_of(api->get(path));
  EXPECT_EQ(then["status"], "failed");
  EXPECT_EQ(then["error"], "shutting down") << "and not that a restart interrupted it";
}

TEST_F(Journal, ForgetsStreamsOfAGatewayOnceHeraldServesStreamsItself) {
  const arguments with_gateway = {"--gateway-url", "http://127.0.0.1:1"};
  const auto open = [this] {
    return json_of(api->get("/api/connections"))["total"];
  };
  begin_life(with_gateway);
  post(
    "/api/sse/callback",
    R"({"action":"connect","token":"t","request":{"url":"/s?request_id=page","headers":{}}})", 200);
  EXPECT_EQ(open(), 1);
  EXPECT_EQ(herald->terminate(), exited(0));
  begin_life(with_gateway);
  EXPECT_EQ(open(), 1) << "they outlive herald";
  EXPECT_EQ(herald->terminate(), exited(0));
  begin_life();
  EXPECT_EQ(open(), 0);
  EXPECT_EQ(herald->terminate(), exited(0));
  begin_life(with_gateway);
  EXPECT_EQ(open(), 0) << "they are in the file no more";
}

TEST_F(Journal, BelongsToOneHeraldAtATime) {
  begin_life();
  const auto second = run_herald({"--api-port", "0", "--stream-port", "0", "--journal-path", file});
  EXPECT_EQ(second.status.code, 1);
  EXPECT_EQ(second.standard_error, "herald: journal " + file + " is in use by another process\n");
  post("/api/events", R"({"event":"note","data":1})");
}

TEST_F(Journal, IsSetAsideWhereItIsDamaged) {
  const auto damaged = std::string(20'000, 'x');
  folder.write("journal.db", damaged);
  begin_life();
  EXPECT_NE(
    herald->full_log().find("error journal damaged_file_set_aside file="), std::string::npos)
    << herald->log();
  post("/api/events", R"({"event":"note","data":1})");
  std::size_t aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator{folder.path()})
    if (entry.path().string().starts_with(file + ".damaged-")) {
      ++aside;
      EXPECT_EQ(text_of(entry.path()), damaged);
    }
  EXPECT_EQ(aside, 1u);
}

TEST_F(Journal, RefusesPublishersAndServesStreamsWhileItCannotBeWritten) {
  begin_life();
  sse_client page{herald->stream_port(), stream_target("page")};
  ASSERT_TRUE(page.open());
  rlimit limit{};
  ASSERT_EQ(::prlimit(herald->pid(), RLIMIT_FSIZE, nullptr, &limit), 0);
  const auto before = limit.rlim_cur;
  limit.rlim_cur = 4096;
  ASSERT_EQ(::prlimit(herald->pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  for (int i = 0; i < 3; ++i) {
    const auto refused = post("/api/events", R"({"event":"note","data":1})", 503);
    EXPECT_EQ(refused["title"], "Storage failed");
    EXPECT_TRUE(page.next("note")) << "live all the same";
  }
  EXPECT_EQ(metric(*api, "herald_journal_failing"), 1);
  EXPECT_EQ(api->get("/readyz").status, 200) << "streams are served";
  limit.rlim_cur = before;
  ASSERT_EQ(::prlimit(herald->pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  EXPECT_TRUE(eventually([&] { return metric(*api, "herald_journal_failing") == 0; }))
    << "by itself";
  post("/api/events", R"({"event":"note","data":2})");
  herald->kill();
  begin_life();
  EXPECT_EQ(herald->full_log().find("damaged"), std::string::npos);
}

TEST_F(Journal, SaysThatTheDiskIsFull) {
  if (
    ::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0
    || ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "no right to mount";
  begin_life();
  sse_client page{herald->stream_port(), stream_target("page")};
  ASSERT_TRUE(page.open());
  post("/api/events", R"({"event":"note","data":0})");
  const auto first = page.next("note");
  ASSERT_TRUE(first);
  const auto hog = folder.write("hog", std::string(4'000'000, 'h'));
  const auto body = R"({"event":"note","data":")" + std::string(100'000, 'x') + "\"}";
  const auto refused = post("/api/events", body, 507);
  EXPECT_EQ(refused["title"], "Insufficient storage");
  EXPECT_TRUE(page.next("note")) << "live all the same";
  post("/api/tasks", R"({"type":"demo"})", 507);
  post("/api/versions", R"({"request_id":"page","version":"2"})", 507);
  std::filesystem::remove(hog);
  EXPECT_TRUE(eventually([&] { return metric(*api, "herald_journal_failing") == 0; }));
  EXPECT_EQ(json_of(api->get("/api/tasks"))["total"], 0);
  post("/api/events", body);
  herald->kill();
  begin_life();
  EXPECT_EQ(json_of(api->get("/api/versions/page"))["version"], "2")
    << "written once there was room";
  herald->kill();
  ASSERT_EQ(::umount(folder.path().c_str()), 0);
}

TEST_F(Journal, ReplaysFarMoreThanMayWaitForAStreamAlone) {
  begin_life({"--history-max-bytes", "33554432", "--api-max-body-bytes", "16777216"});
  sse_client first{herald->stream_port(), stream_target("first")};
  ASSERT_TRUE(first.open());
  post("/api/events", R"({"event":"note","data":"cursor"})");
  const auto cursor = first.next("note");
  ASSERT_TRUE(cursor);
  constexpr int events = 1500;
  const std::string data(2500, 'd');
  for (int i = 0; i < events; i += 100) {
    auto batch = nlohmann::json::array();
    for (int n = i; n < i + 100; ++n)
      batch.push_back({{"event", "note"}, {"data", std::to_string(n) + data}});
    post("/api/events", batch.dump());
  }
  herald->kill();
  begin_life({"--history-max-bytes", "33554432"});
  std::vector<sse_client> pages;
  for (int i = 0; i < 5; ++i)
    pages.emplace_back(
      herald->stream_port(),
      stream_target("page-" + std::to_string(i)) + "&last_event_id=" + cursor->id);
  ASSERT_TRUE(read_until(pages, [&] {
    return std::all_of(
      pages.begin(), pages.end(), [](const auto& p) { return p.events().size() >= events; });
  }));
  post("/api/events", R"({"event":"note","data":"live"})");
  for (auto& page : pages) {
    EXPECT_EQ(page.events().size(), std::size_t{events});
    for (int i = 0; i < events; ++i)
      ASSERT_EQ(page.next()->data.substr(1, std::to_string(i).size() + 1), std::to_string(i) + "d");
    EXPECT_EQ(page.next()->data, R"("live")");
  }
}

} // namespace
} // namespace herald
