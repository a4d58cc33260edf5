// Faults of the network between herald and browsers, on a cable of our own.

#include <memory>
#include <optional>
#include <stdexcept>

#include "tests/chaos/crowd.hpp"
#include "tests/chaos/network.hpp"
#include "tests/chaos/process_use.hpp"
#include "tests/chaos/publisher.hpp"
#include "tests/chaos/scenario.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald::testing {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto heartbeat = 1s;
constexpr auto unreachable = 3s;
/// What a busy machine and the kernel's timers may add.
constexpr auto slack = 4s;

class NetworkFaults : public scenario {
protected:
  void SetUp() override {
    try {
      cable.emplace(seed());
    } catch (const std::runtime_error& e) {
      GTEST_SKIP() << "no network namespace here: " << e.what();
    }
    herald.emplace(std::vector<std::string>{
      "--stream-host", cable->server_address(), "--stream-heartbeat-s", "1",
      "--stream-unreachable-s", "3", "--history-max-events", "1000000", "--history-max-bytes",
      "268435456", "--log-level", "warning"});
    crowd::options how;
    how.pages = size<std::size_t>(20, 200);
    how.address = cable->server_address();
    how.seed = seed();
    how.connect = [this](const auto& make) {
      cable->inside(make);
    };
    pages.emplace(herald->stream_port(), how);
    ASSERT_TRUE(pages->all_open());
    api.emplace(herald->api_port());
    // Some 4,000 deliveries a second, with acknowledgements twice as many packets. The cable is a
    // thread; what it cannot carry piles up to seconds of delay, and proves nothing of herald.
    publisher::options pace;
    pace.pace = size<std::chrono::milliseconds>(10ms, 100ms);
    publishers = start_publishers(herald->api_port(), 2, pace);
  }

  double open_streams() { return metric(*api, "sse_gateway_active_connections"); }

  void expect_all_had_everything() {
    cable->mend();
    const auto taken = stop_all(publishers);
    EXPECT_TRUE(pages->caught_up(taken, 120s));
    EXPECT_EQ(pages->complaints(taken), "");
    EXPECT_EQ(pages->gaps(), 0u);
    std::size_t events = 0;
    for (const auto& [_, numbers] : taken)
      events += numbers.size();
    result("packets", cable->packets());
    result("packets_lost", cable->lost());
    // Otherwise the cable has lost more than this scenario asked for.
    EXPECT_EQ(cable->dropped(), 0u);
    result("cable_round_ms_at_most", cable->longest_round().count());
    result("pages", pages->size());
    result("events", events);
    result("returns", pages->returns());
    result("rss_kib", use_of(herald->pid()).rss_kib);
  }

  std::optional<cabled_network> cable;
  std::optional<herald_process> herald;
  std::optional<crowd> pages;
  std::optional<http_client> api;
  std::vector<std::unique_ptr<publisher>> publishers;
};

TEST_F(NetworkFaults, LossAndDelayCostNoEvent) {
  cable->disturb({50, 20ms, 10ms});
  pages->turns_for(size<std::chrono::milliseconds>(4s, 60s));
  expect_all_had_everything();
  EXPECT_EQ(pages->returns(), 0u);
  EXPECT_EQ(metric(*api, "herald_stream_unreachable_total"), 0);
}

TEST_F(NetworkFaults, AShortCutCostsNoStream) {
  for (std::size_t i = 0; i < size<std::size_t>(1, 10); ++i) {
    cable->cut();
    pages->turns_for(1s);
    cable->mend();
    pages->turns_for(2s);
  }
  expect_all_had_everything();
  EXPECT_EQ(pages->returns(), 0u);
  EXPECT_EQ(metric(*api, "herald_stream_unreachable_total"), 0);
}

TEST_F(NetworkFaults, DeadStreamsAreFoundInTimeAndReplayFillsTheHole) {
  double found = 0;
  std::chrono::milliseconds longest{0};
  for (std::size_t i = 0; i < size<std::size_t>(1, 10); ++i) {
    pages->turns_for(500ms);
    pages->come_back(false);
    cable->cut();
    const auto cut_at = clock::now();
    EXPECT_TRUE(eventually([&] { return open_streams() == 0; }, heartbeat + unreachable + slack))
      << open_streams() << " dead streams are still open";
    longest = std::max(
      longest, std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - cut_at));
    found += static_cast<double>(pages->size());
    EXPECT_EQ(metric(*api, "herald_stream_unreachable_total"), found);
    cable->mend();
    // The browsers know as little of the cut as anybody; here they try again at once.
    pages->come_back(true);
    pages->reconnect_all();
    ASSERT_TRUE(pages->all_open());
  }
  result("found_after_ms_at_most", longest.count());
  expect_all_had_everything();
}

} // namespace
} // namespace herald::testing
