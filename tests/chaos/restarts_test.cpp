// How long a herald with a long history takes to be there again, and that all of it is.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/chaos/crowd.hpp"
#include "tests/chaos/scenario.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"

namespace herald::testing {
namespace {

using clock = std::chrono::steady_clock;
using milliseconds = std::chrono::duration<double, std::milli>;

class Restarts : public scenario {
protected:
  /// Gives how long it took until herald said that it is ready.
  milliseconds begin_life() {
    herald.reset();
    const auto began = clock::now();
    herald.emplace(std::vector<std::string>{
      "--journal-path", folder / "journal.db", "--history-max-events", "200000",
      "--history-max-bytes", "268435456", "--history-max-age-s", "86400", "--log-level",
      "warning"});
    api.emplace(herald->api_port());
    EXPECT_TRUE(eventually([this] { return api->get("/readyz").status == 200; }));
    return clock::now() - began;
  }

  /// Publishes `count` numbered events of some 200 bytes, in batches. Gives the cursor of a page
  /// that has none of them.
  std::string publish(std::uint32_t count) {
    constexpr std::uint32_t batch = 100;
    const auto cursor = json_of(api->post("/api/events", R"({"event":"note","data":1})"))["id"];
    for (std::uint32_t first = 1; first <= count; first += batch) {
      auto events = nlohmann::json::array();
      for (auto number = first; number < first + batch; ++number) {
        events.push_back(
          {{"event", "chaos"},
           {"text", "p " + std::to_string(number) + " " + std::string(200, 'x')}});
        taken["p"].push_back(number);
      }
      EXPECT_EQ(api->post("/api/events", events.dump()).status, 202);
    }
    return cursor.get<std::string>();
  }

  temporary_folder folder;
  std::optional<herald_process> herald;
  std::optional<http_client> api;
  ledger taken;
};

TEST_F(Restarts, BringALongHistoryBack) {
  const auto empty = begin_life();
  const auto events = size<std::uint32_t>(1000, 100'000);
  crowd::options how;
  how.pages = 1;
  how.headers = "Last-Event-ID: " + publish(events) + "\r\n";
  std::vector<milliseconds> ready;
  const auto lives = size<std::size_t>(2, 20);
  for (std::size_t life = 0; life < lives; ++life) {
    // One that is killed has left its write-ahead log to be gone through.
    if (life % 2 == 0)
      herald->kill();
    else
      EXPECT_EQ(herald->terminate(), exited(0));
    ready.push_back(begin_life());
  }
  const auto asked = clock::now();
  crowd page{herald->stream_port(), how};
  EXPECT_TRUE(page.caught_up(taken));
  const milliseconds replayed = clock::now() - asked;
  EXPECT_EQ(page.complaints(taken), "");
  EXPECT_EQ(page.gaps(), 0u);

  std::sort(ready.begin(), ready.end());
  result("history_events", events);
  result("restarts", lives);
  result("ready_ms_median", ready[ready.size() / 2].count());
  result("ready_ms_max", ready.back().count());
  result("ready_ms_without_history", empty.count());
  result("replay_ms", replayed.count());
}

} // namespace
} // namespace herald::testing
