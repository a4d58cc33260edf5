// Exceptions in the handlers of random actors, while publishers publish: what was acknowledged
// reaches every stream once, in order, and nobody but the actor that failed is held up.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "actors/supervision/supervision_options.hpp"
#include "tests/chaos/crowd.hpp"
#include "tests/chaos/publisher.hpp"
#include "tests/chaos/scenario.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sanitizer.hpp"

namespace herald::testing {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using clock = std::chrono::steady_clock;
using milliseconds = std::chrono::duration<double, std::milli>;

/// Who asks an actor that has not failed gets an answer within this. Far from any measure of speed:
/// it only tells being held up from not being held up.
constexpr milliseconds held_up = 2s;

double percentile(std::vector<milliseconds> all, std::size_t percent) {
  if (all.empty())
    return 0;
  std::sort(all.begin(), all.end());
  return all[std::min(all.size() - 1, all.size() * percent / 100)].count();
}

/// A request, and the actors without which it is not answered well.
struct question {
  std::string method;
  std::string target;
  std::string body;
  std::vector<std::string> asks;

  [[nodiscard]] bool asks_any_of(std::string_view kind) const {
    return std::find(asks.begin(), asks.end(), kind) != asks.end();
  }
  http_client::reply put_to(http_client& api) const { return api.send(method, target, body); }
};

const std::string note = R"({"event":"note","data":1})";

const question health{"GET", "/healthz", {}, {}};
const question connections{"GET", "/api/connections?limit=1", {}, {"connection-registry"}};
const question version{"GET", "/api/versions/page-0", {}, {"version-store"}};
const question tasks{"GET", "/api/tasks?limit=1", {}, {"task-runner"}};
const question publishing{"POST", "/api/events", note, {"connection-registry", "journal"}};
const question delivery{
  "POST",
  "/api/events?wait=true",
  note,
  {"connection-registry", "journal", "stream-loop", "gateway-sender"}};

/// Asks those who have not failed, from a thread of its own, and notes how long they take.
class bystander {
public:
  explicit bystander(std::uint16_t api_port) : api_(api_port), thread_([this] { run(); }) {}
  bystander(const bystander&) = delete;
  bystander& operator=(const bystander&) = delete;
  ~bystander() { stop(); }

  /// The actor that is about to fail; null once none is.
  void leave_out(const std::string* kind) { victim_ = kind; }
  void stop() {
    stopping_ = true;
    if (thread_.joinable())
      thread_.join();
  }

  /// Once it is stopped.
  std::vector<milliseconds> took;
  std::vector<milliseconds> health_took;
  std::size_t refused = 0;

private:
  void run() {
    const std::vector<const question*> all = {&health, &connections, &version, &tasks, &publishing};
    for (std::size_t turn = 0; !stopping_; ++turn) {
      const auto& asked = *all[turn % all.size()];
      const auto* victim = victim_.load();
      if (victim != nullptr && asked.asks_any_of(*victim))
        continue;
      const auto begin = clock::now();
      const auto reply = asked.put_to(api_);
      const milliseconds time = clock::now() - begin;
      // The next one may fail while this one is still being asked.
      if (victim_ != victim)
        continue;
      (&asked == &health ? health_took : took).push_back(time);
      refused += reply.status == 0 || reply.status >= 500 ? 1U : 0U;
      std::this_thread::sleep_for(1ms);
    }
  }

  http_client api_;
  std::atomic<const std::string*> victim_ = nullptr;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

class ActorFaults : public scenario {
protected:
  /// Any number of restarts, that come soon.
  static std::string settings() {
    json children;
    for (const auto& kind : child_kinds())
      children[std::string{kind.name}] = {{"min_backoff_ms", 1}, {"max_backoff_ms", 5}};
    return json{{"supervision", {{"intensity", 1'000'000}, {"children", children}}}}.dump();
  }

  static std::vector<std::string> arguments(const temporary_folder& folder) {
    return {"--journal-path",       folder / "journal.db",
            "--journal-sync",       "normal",
            "--history-max-events", "300000",
            "--history-max-bytes",  "268435456",
            "--history-max-age-s",  "86400",
            "--log-level",          "error"};
  }

  /// How often an actor has thrown so far.
  static std::size_t thrown(http_client& api) {
    const auto now = json_of(api.get("/api/testing/faults"));
    return now["before"].get<std::size_t>() + now["after"].get<std::size_t>();
  }

  void arm(http_client& api, const std::string& kind) {
    const json plan = {{"actor", kind}, {"every", 1 + below(3)}, {"seed", below(1'000'000)}};
    EXPECT_EQ(api.post("/api/testing/faults", plan.dump()).status, 202);
  }

  /// Something to do for every actor.
  void stir(http_client& api) {
    const json version = {
      {"request_id", "page-" + std::to_string(below(10))},
      {"version", std::to_string(below(1000))}};
    api.post("/api/versions", version.dump());
    api.post("/api/tasks", R"({"type":"demo","params":{"steps":2,"delay":0}})");
  }

  /// Has an actor of this kind fail once. Gives a moment before that, as late as can be told.
  clock::time_point fail_once(http_client& api, crowd& pages, const std::string& kind) {
    const auto before = thrown(api);
    const auto deadline = clock::now() + patience;
    for (;;) {
      // Again and again: one that is due at the end of a step that is cut short never comes.
      arm(api, kind);
      pages.turn(0ms);
      auto moment = clock::now();
      stir(api);
      for (int looks = 0; looks < 50; ++looks) {
        const auto looked = clock::now();
        if (thrown(api) != before)
          return moment;
        moment = looked;
      }
      if (clock::now() > deadline) {
        ADD_FAILURE() << kind << " has nothing to do";
        return moment;
      }
    }
  }

  static bool all_run(http_client& api) {
    const auto tree = json_of(api.get("/api/actors"))["actors"];
    return std::all_of(
      tree.begin(), tree.end(), [](const json& actor) { return actor["state"] == "running"; });
  }

  static std::size_t restarts(http_client& api) {
    std::size_t sum = 0;
    const auto tree = json_of(api.get("/api/actors"));
    for (const auto& actor : tree["actors"])
      sum += actor["restarts"].get<std::size_t>();
    return sum;
  }

  /// What only this kind can answer; the state of all actors where nothing says it sooner.
  static bool answers_again(http_client& api, const std::string& kind) {
    for (const auto* q : {&connections, &version, &tasks, &publishing, &delivery})
      if (q->asks_any_of(kind)) {
        const auto status = q->put_to(api).status;
        return status != 0 && status < 500;
      }
    return all_run(api);
  }

  static bool no_task_runs(http_client& api) {
    const auto page = json_of(api.get("/api/tasks?limit=1000"));
    return std::all_of(page["tasks"].begin(), page["tasks"].end(), [](const json& task) {
      return task["status"] == "completed" || task["status"] == "failed";
    });
  }

  /// The scenario, against whichever kinds of actors there are. Gives what was taken.
  ledger fail_all(
    herald_process& herald, crowd& pages, const publisher::options& how,
    const std::vector<std::string>& kinds) {
    http_client api{herald.api_port()};
    auto publishers = start_publishers(herald.api_port(), 3, how);
    EXPECT_TRUE(pages.caught_up({{"p0", {1}}, {"p1", {1}}, {"p2", {1}}}));
    bystander others{herald.api_port()};
    std::vector<milliseconds> recovery;
    std::map<std::string, std::vector<milliseconds>> recovery_of;
    const auto faults = size<std::size_t>(40, 1000);
    // Each at the end once more, so that its tables are checked after all that has been.
    for (std::size_t i = 0; i < faults + kinds.size() && !HasFailure(); ++i) {
      const auto& kind = i < faults ? kinds[below(kinds.size())] : kinds[i - faults];
      others.leave_out(&kind);
      const auto moment = fail_once(api, pages, kind);
      EXPECT_TRUE(eventually([&] { return answers_again(api, kind); })) << kind;
      recovery.push_back(clock::now() - moment);
      recovery_of[kind].push_back(recovery.back());
      EXPECT_TRUE(eventually([&] { return all_run(api); })) << api.get("/api/actors").body;
      others.leave_out(nullptr);
      pages.turns_for(pause(5));
    }
    others.stop();
    auto taken = stop_all(publishers);
    EXPECT_TRUE(pages.caught_up(taken)) << pages.complaints(taken);
    EXPECT_EQ(pages.complaints(taken), "");
    EXPECT_TRUE(eventually([&] { return no_task_runs(api); })) << api.get("/api/tasks").body;
    EXPECT_EQ(restarts(api), thrown(api));
    EXPECT_EQ(others.refused, 0u) << "who has not failed answers well";
    EXPECT_LT(percentile(others.took, 99), held_up.count());

    result("faults", thrown(api));
    result("restarts", restarts(api));
    std::size_t events = 0;
    for (const auto& [_, numbers] : taken)
      events += numbers.size();
    result("events", events);
    result("pages", pages.size());
    result("recovery_ms_p50", percentile(recovery, 50));
    result("recovery_ms_p99", percentile(recovery, 99));
    for (const auto& [kind, times] : recovery_of)
      result("recovery_ms_p99 of " + kind, percentile(times, 99));
    result("others_asked", others.took.size());
    result("others_ms_p50", percentile(others.took, 50));
    result("others_ms_p99", percentile(others.took, 99));
    result("health_ms_p99", percentile(others.health_took, 99));
    return taken;
  }

  static void expect_calm_end(herald_process& herald) {
    EXPECT_EQ(herald.terminate(), exited(0));
    const auto log = herald.log();
    for (const auto* word : {"state_damaged", "intensity_exceeded", "child_left_behind"})
      EXPECT_EQ(log.find(word), std::string::npos) << log;
  }

  crowd::options crowd_options() {
    crowd::options how;
    how.pages = size<std::size_t>(10, 100);
    how.seed = seed();
    how.retry = 50ms;
    return how;
  }

  temporary_folder folder;
};

TEST_F(ActorFaults, CostNothingThatWasAcknowledged) {
  herald_process herald{herald_options{arguments(folder), {}, settings(), HERALD_FAULTS_BINARY}};
  crowd pages{herald.stream_port(), crowd_options()};
  ASSERT_TRUE(pages.all_open());
  http_client api{herald.api_port()};
  const auto beginning = json_of(publishing.put_to(api))["id"].get<std::string>();
  const auto taken = fail_all(
    herald, pages, {5ms, 1, 50, false},
    {"connection-registry", "journal", "version-store", "task-runner", "task-worker",
     "stream-loop"});
  EXPECT_EQ(pages.returns(), 0u) << "a failure costs no stream";
  expect_calm_end(herald);

  // The journal was one of those that failed.
  herald_process next{arguments(folder)};
  auto how = crowd_options();
  how.pages = 1;
  how.headers = "Last-Event-ID: " + beginning + "\r\n";
  crowd late{next.stream_port(), how};
  EXPECT_TRUE(late.caught_up(taken)) << late.complaints(taken);
  EXPECT_EQ(late.complaints(taken), "");
  EXPECT_EQ(late.gaps(), 0u);
}

TEST_F(ActorFaults, CostNothingThatWasAcknowledgedBehindAGateway) {
  const auto backend_port = std::to_string(free_port());
  herald_process gateway{
    {"--callback-url", "http://127.0.0.1:" + backend_port + "/api/sse/callback", "--log-level",
     "error"}};
  auto flags = arguments(folder);
  flags.insert(
    flags.end(), {"--api-port", backend_port, "--gateway-url",
                  "http://127.0.0.1:" + std::to_string(gateway.api_port())});
  herald_process backend{herald_options{flags, {}, settings(), HERALD_FAULTS_BINARY}};
  // Each of its events is a request to the gateway.
  auto how = crowd_options();
  how.pages = size<std::size_t>(10, 20);
  crowd pages{gateway.stream_port(), how};
  ASSERT_TRUE(pages.all_open());
  // A shard makes one send after the other. More events than it has time for would be dropped at
  // its bounds, rightly, and not by a failure: with little of a processor, or under a sanitizer,
  // 3,000 sends a second are too many.
  (void)fail_all(
    backend, pages, {20ms, 1, 50, true},
    {"connection-registry", "journal", "version-store", "task-runner", "task-worker",
     "gateway-sender"});
  EXPECT_EQ(pages.returns(), 0u) << "a failure costs no stream";
  expect_calm_end(backend);
}

} // namespace
} // namespace herald::testing
