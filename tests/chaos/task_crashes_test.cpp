// kill -9 at any instant, under events, batches, programs, external tasks and versions at once: no
// program starts twice, nothing follows the end of a task or takes it back, and what was answered
// reaches every page once.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/chaos/crowd.hpp"
#include "tests/chaos/publisher.hpp"
#include "tests/chaos/scenario.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sanitizer.hpp"

namespace herald::testing {
namespace {

using namespace std::chrono_literals;
using json = nlohmann::json;

bool is_end(const std::string& kind) {
  return kind == "task_completed" || kind == "task_failed" || kind == "task_cancelled";
}

/// Starts tasks, reports on external ones and queues versions, from a thread of its own, and keeps
/// what was answered for.
class customer {
public:
  customer(std::size_t number, std::uint16_t api_port)
    : number_(number),
      port_(api_port),
      thread_([this] { run(); }) {}
  customer(const customer&) = delete;
  customer& operator=(const customer&) = delete;
  ~customer() { stop(); }

  void move_to(std::uint16_t api_port) { port_ = api_port; }
  /// Ends the thread; then what is below is complete.
  void stop() {
    stopping_ = true;
    if (thread_.joinable())
      thread_.join();
  }

  std::set<std::string> tasks;
  std::set<std::string> completed;
  std::set<std::string> versions;
  /// What was taken back, in words.
  std::string complaints;

private:
  void run() {
    auto port = port_.load();
    auto api = std::make_unique<http_client>(port);
    for (std::size_t turn = 0; !stopping_; ++turn) {
      if (port != port_) {
        port = port_;
        api = std::make_unique<http_client>(port);
      }
      if (!act(*api, turn % 4))
        std::this_thread::sleep_for(1ms);
      look(*api);
    }
  }

  bool act(http_client& api, std::size_t what) {
    if (what == 3) {
      const auto version = std::to_string(number_) + "." + std::to_string(++last_version_);
      const json body = {{"request_id", "other-" + std::to_string(number_)}, {"version", version}};
      if (api.post("/api/versions", body.dump()).status != 202)
        return false;
      versions.insert(version);
      return true;
    }
    const auto* const order = what == 2 ? R"({"type":"external"})" : R"({"type":"program"})";
    const auto answer = api.post("/api/tasks", order);
    if (answer.status != 202)
      return false;
    const std::string id = json_of(answer)["task_id"];
    tasks.insert(id);
    last_task_ = id;
    if (what != 2)
      return true;
    const auto path = "/api/tasks/" + id;
    (void)api.post(path + "/progress", R"({"value":0.5})");
    if (api.post(path + "/complete", R"({"result":1})").status == 200)
      completed.insert(id);
    return true;
  }

  /// A state that was shown is not taken back.
  void look(http_client& api) {
    const auto answer = api.get("/api/tasks/" + last_task_);
    if (answer.status != 200)
      return;
    const std::string now = json_of(answer)["status"];
    const auto rank = [](const std::string& status) {
      return status == "pending" ? 0 : status == "running" ? 1 : 2;
    };
    if (last_shown_.first == last_task_
        && (rank(now) < rank(last_shown_.second)
            || (rank(now) == 2 && rank(last_shown_.second) == 2 && now != last_shown_.second)))
      complaints += last_task_ + ": " + now + " after " + last_shown_.second + "\n";
    last_shown_ = {last_task_, now};
  }

  std::size_t number_;
  std::size_t last_version_ = 0;
  std::string last_task_;
  std::pair<std::string, std::string> last_shown_;
  std::atomic<std::uint16_t> port_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

class CrashesUnderTasks : public scenario {
protected:
  CrashesUnderTasks() {
    // It notes that it has been started.
    const std::string script = "echo $HERALD_TASK_ID >>'" + (folder / "starts").string()
                               + R"('; sleep 0.02; echo '{"result":1}')";
    settings["tasks"] = {
      {"workers", 8},
      {"retention_s", 86400},
      {"max_ended", 1'000'000},
      {"commands", {{"program", {{"argv", {"/bin/sh", "-c", script}}}}}}};
  }

  void begin_life() {
    herald.reset();
    herald_options how{
      {"--journal-path", folder / "journal.db", "--history-max-events", "300000",
       "--history-max-bytes", "268435456", "--history-max-age-s", "86400", "--stream-retry-ms",
       "100", "--log-level", "warning"},
      {},
      settings.dump()};
    // Something is always on its way to the disk.
    if (built_with == sanitizer::none)
      how.environment = {"LD_PRELOAD=" SLOW_FSYNC, "SLOW_FSYNC_MS=3"};
    herald.emplace(how);
  }

  void move_all() {
    pages->move_to(herald->stream_port());
    for (const auto& p : publishers)
      p->move_to(herald->api_port());
    for (const auto& c : customers)
      c->move_to(herald->api_port());
    for (auto& page : watching)
      page.reconnect(herald->stream_port());
  }

  void watch_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    do {
      pages->turn(5ms);
      read_once(watching, 1ms);
    } while (std::chrono::steady_clock::now() < end);
  }

  /// How often each program has been started.
  std::map<std::string, int> starts() const {
    std::map<std::string, int> found;
    std::ifstream in{folder / "starts"};
    for (std::string id; std::getline(in, id);)
      ++found[id];
    return found;
  }

  /// What a page was told of tasks: their kinds of events, by task.
  static std::map<std::string, std::vector<std::string>> steps(const sse_client& page) {
    std::map<std::string, std::vector<std::string>> found;
    for (const auto& event : page.events())
      if (event.name == "task_event") {
        const auto step = json::parse(event.data);
        found[step["task_id"]].push_back(step["event_type"]);
      }
    return found;
  }

  static bool has_ended(const std::vector<std::string>& kinds) {
    return !kinds.empty() && is_end(kinds.back());
  }

  temporary_folder folder;
  json settings;
  std::optional<herald_process> herald;
  std::optional<crowd> pages;
  std::vector<sse_client> watching;
  std::vector<std::unique_ptr<publisher>> publishers;
  std::vector<std::unique_ptr<customer>> customers;
};

TEST_F(CrashesUnderTasks, StartNoProgramTwiceAndTakeNothingBack) {
  begin_life();
  crowd::options how;
  how.pages = 10;
  how.seed = seed();
  how.retry = 50ms;
  pages.emplace(herald->stream_port(), how);
  ASSERT_TRUE(pages->all_open());
  watching = open_streams(herald->stream_port(), 3, "watch-");
  publishers = start_publishers(herald->api_port(), 2, {5ms, 1, 50});
  publishers.push_back(
    std::make_unique<publisher>("batch", herald->api_port(), publisher::options{20ms, 10, 50}));
  for (std::size_t i = 0; i < 4; ++i)
    customers.push_back(std::make_unique<customer>(i, herald->api_port()));
  const auto kills = size<std::size_t>(8, 500);
  for (std::size_t life = 1; life <= kills; ++life) {
    watch_for(pause(300));
    herald->kill();
    EXPECT_EQ(herald->log().find("damaged"), std::string::npos) << herald->log();
    begin_life();
    move_all();
  }
  watch_for(300ms);
  for (const auto& c : customers)
    c->stop();
  const auto taken = stop_all(publishers);

  // External tasks whose service does not know that they were started go on for ever.
  http_client api{herald->api_port()};
  std::set<std::string> tasks;
  for (const auto& c : customers) {
    EXPECT_EQ(c->complaints, "");
    tasks.insert(c->tasks.begin(), c->tasks.end());
  }
  for (const auto& id : tasks)
    (void)api.post("/api/tasks/" + id + "/complete", "{}");
  for (const auto& id : tasks)
    EXPECT_TRUE(eventually(
      [&] { return !json_of(api.get("/api/tasks/" + id)).value("end_time", json{}).is_null(); }))
      << id;
  // What is shown has been told before.
  EXPECT_EQ(api.post("/api/events", R"({"event":"done","data":1})").status, 202);
  EXPECT_TRUE(read_until(
    watching,
    [&] {
      return std::all_of(watching.begin(), watching.end(), [](const sse_client& page) {
        return !page.events().empty() && page.events().back().name == "done";
      });
    },
    60s));
  EXPECT_TRUE(pages->caught_up(taken, 60s));
  EXPECT_EQ(pages->complaints(taken), "");

  for (const auto& [id, count] : starts())
    EXPECT_EQ(count, 1) << id;
  for (const auto& page : watching) {
    const auto told = steps(page);
    for (const auto& [id, kinds] : told) {
      const auto end = std::find_if(kinds.begin(), kinds.end(), is_end);
      EXPECT_TRUE(end == kinds.end() || end + 1 == kinds.end()) << id << ": " << json(kinds);
      EXPECT_LE(std::count(kinds.begin(), kinds.end(), "task_started"), 1) << id;
    }
    for (const auto& id : tasks)
      EXPECT_TRUE(told.contains(id) && has_ended(told.at(id))) << id;
    for (const auto& c : customers)
      for (const auto& id : c->completed)
        EXPECT_TRUE(told.contains(id) && told.at(id).back() == "task_completed") << id;
    std::map<std::string, int> versions;
    for (const auto& event : page.events()) {
      EXPECT_NE(event.name, "gap");
      if (event.name == "version")
        ++versions[json::parse(event.data)["version"]];
    }
    for (const auto& [version, count] : versions)
      EXPECT_EQ(count, 1) << version;
    for (const auto& c : customers)
      for (const auto& version : c->versions)
        EXPECT_TRUE(versions.contains(version)) << version;
  }
  result("kills", kills);
  result("programs", starts().size());
  result("tasks", tasks.size());
  result("events", pages->events());
  result("returns", pages->returns());
}

} // namespace
} // namespace herald::testing
