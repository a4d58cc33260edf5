// Faults of an external gateway: what it does badly costs no order, nothing silently, and nobody
// else's time.

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/chaos/crowd.hpp"
#include "tests/chaos/faulty_gateway.hpp"
#include "tests/chaos/network.hpp"
#include "tests/chaos/process_use.hpp"
#include "tests/chaos/publisher.hpp"
#include "tests/chaos/scenario.hpp"
#include "tests/support/herald_pair.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sanitizer.hpp"

namespace herald::testing {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using mood = faulty_gateway::mood;

class GatewayFaults : public scenario {
protected:
  /// A herald that sends to our gateway.
  herald_process start(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"--gateway-url", gateway.url(), "--gateway-timeout-ms",
                                          "300",           "--log-level", "error"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return herald_process{std::move(arguments)};
  }

  /// A browser has connected to the gateway.
  void connect(http_client& api, const std::string& name) {
    gateway.open(name);
    const auto reply = api.post(
      "/api/sse/callback", R"({"action":"connect","token":")" + name
                             + R"(","request":{"url":"/s?request_id=)" + name + R"("}})");
    EXPECT_EQ(reply.status, 200) << reply.body;
  }

  static std::vector<std::string> names(std::size_t count) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i)
      all.push_back("page-" + std::to_string(i));
    return all;
  }

  static std::size_t connections(http_client& api) {
    return json_of(api.get("/api/connections?limit=1")).value("total", std::size_t{0});
  }

  /// What a page was sent by one publisher, without the repeats of sends whose answer was lost.
  std::vector<std::uint32_t> numbers_of(const std::string& page, const std::string& publisher) {
    std::vector<std::uint32_t> numbers;
    for (const auto& data : gateway.sent_to(page)) {
      if (!data.starts_with(publisher + " "))
        continue;
      const auto number = static_cast<std::uint32_t>(std::stoul(data.substr(publisher.size() + 1)));
      if (numbers.empty() || numbers.back() != number)
        numbers.push_back(number);
    }
    return numbers;
  }

  /// Every page has had, or will have, what was taken, in order.
  void expect_all_sent(const std::vector<std::string>& pages, const ledger& taken) {
    std::size_t events = 0;
    for (const auto& entry : taken) {
      const auto& publisher = entry.first;
      const auto& numbers = entry.second;
      events += numbers.size();
      EXPECT_GT(numbers.size(), 10u);
      for (const auto& page : pages) {
        EXPECT_TRUE(eventually([&] {
          const auto had = numbers_of(page, publisher);
          return !had.empty() && had.back() == numbers.back();
        }));
        EXPECT_EQ(numbers_of(page, publisher), numbers) << page;
      }
    }
    result("pages", pages.size());
    result("events", events);
  }

  faulty_gateway gateway;
};

TEST_F(GatewayFaults, CostNoOrderAndNoEventWhileThereIsTime) {
  auto herald = start({"--gateway-retry-ms", "120000"});
  http_client api{herald.api_port()};
  const auto pages = names(size<std::size_t>(20, 100));
  for (const auto& page : pages)
    connect(api, page);
  publisher::options pace;
  pace.pace = 40ms;
  auto publishers = start_publishers(herald.api_port(), 2, pace);
  constexpr mood moods[] = {mood::good, mood::failing, mood::slow, mood::resetting, mood::hanging};
  for (std::size_t i = 0; i < size<std::size_t>(10, 200); ++i) {
    gateway.be(moods[below(std::size(moods))]);
    std::this_thread::sleep_for(100ms + pause(400));
  }
  gateway.be(mood::good);
  const auto taken = stop_all(publishers);
  expect_all_sent(pages, taken);
  for (const auto& p : publishers) {
    EXPECT_EQ(p->refused(), 0u);
    EXPECT_LT(p->slowest(), 2s) << "a publisher had to wait for the gateway";
  }
  result("retries", static_cast<std::size_t>(metric(api, "herald_gateway_retries_total")));
}

TEST_F(GatewayFaults, HalfOpenConnectionsCostNoOrderAndNoEvent) {
  std::string why_not;
  const auto cable = lay_cable(seed(), why_not);
  if (!cable)
    GTEST_SKIP() << why_not;
  gateway.move(cable->client_address(), [&](const auto& make) { cable->inside(make); });
  auto herald = start({"--gateway-retry-ms", "120000"});
  http_client api{herald.api_port()};
  const auto pages = names(20);
  for (const auto& page : pages)
    connect(api, page);
  publisher::options pace;
  pace.pace = 40ms;
  auto publishers = start_publishers(herald.api_port(), 2, pace);
  const auto lose_connections = [&] {
    cable->cut();
    std::this_thread::sleep_for(50ms);
    gateway.hang_up();
    std::this_thread::sleep_for(pause(1000));
    cable->mend();
  };
  const auto rounds = size<std::size_t>(3, 60);
  for (std::size_t i = 0; i < rounds; ++i) {
    lose_connections();
    std::this_thread::sleep_for(pause(1000));
  }
  const auto taken = stop_all(publishers);
  expect_all_sent(pages, taken);
  for (const auto& p : publishers)
    EXPECT_LT(p->slowest(), 2s) << "a publisher had to wait for the gateway";
  // And while nothing is under way.
  lose_connections();
  EXPECT_EQ(api.post("/api/events?wait=true", R"({"event":"e","text":"last"})").status, 200);
  for (const auto& page : pages)
    EXPECT_EQ(gateway.sent_to(page).back(), "last") << page;
  EXPECT_EQ(connections(api), pages.size());
  result("rounds", rounds);
  result("retries", static_cast<std::size_t>(metric(api, "herald_gateway_retries_total")));
}

TEST_F(GatewayFaults, FillQueuesUpToTheirBoundsAndAreCounted) {
  auto herald = start(
    {"--gateway-retry-ms", "600000", "--gateway-max-stream-events", "200",
     "--gateway-max-queue-events", "1000"});
  http_client api{herald.api_port()};
  const auto pages = names(20);
  for (const auto& page : pages)
    connect(api, page);
  gateway.be(mood::hanging);
  const auto before = use_of(herald.pid());
  publisher::options much;
  much.pace = 0ms;
  much.batch = 50;
  much.filler = 500;
  auto publishers = start_publishers(herald.api_port(), 1, much);
  const auto end = clock::now() + size<std::chrono::milliseconds>(3s, 60s);
  std::chrono::milliseconds slowest{0};
  while (clock::now() < end) {
    // Everything else goes on as if nothing were.
    const auto asked = clock::now();
    EXPECT_EQ(api.get("/readyz").status, 200);
    EXPECT_EQ(api.post("/api/versions", R"({"request_id":"x","version":"1"})").status, 202);
    slowest = std::max(
      slowest, std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - asked));
    std::this_thread::sleep_for(20ms);
  }
  (void)stop_all(publishers);
  const auto after = use_of(herald.pid());
  EXPECT_LT(after.rss_kib, before.rss_kib + std::size_t{128} * 1024 + sanitizer_kib);
  EXPECT_NE(api.get("/metrics").body.find("herald_gateway_lost_total"), std::string::npos);
  gateway.be(mood::good);
  EXPECT_EQ(api.post("/api/events?wait=true", R"({"event":"e","data":1})").status, 200);
  result("rss_kib_before", before.rss_kib);
  result("rss_kib_after", after.rss_kib);
  result("slowest_request_ms", slowest.count());
}

TEST_F(GatewayFaults, PruneWhatARestartedGatewayHasForgotten) {
  auto herald = start({"--gateway-probe-interval-s", "1"});
  http_client api{herald.api_port()};
  const auto rounds = size<std::size_t>(2, 20);
  result("rounds", rounds);
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto pages = names(size<std::size_t>(50, 500));
    for (const auto& page : pages)
      connect(api, page);
    // And the one that came back in the last round.
    EXPECT_EQ(connections(api), pages.size() + (round > 0 ? 1 : 0));
    gateway.crash();
    std::this_thread::sleep_for(pause(500));
    gateway.start();
    EXPECT_TRUE(eventually([&] { return connections(api) == 0; })) << connections(api);
    // Who comes back is served at once.
    connect(api, "fresh");
    const auto marker = "back " + std::to_string(round);
    EXPECT_EQ(api.post("/api/events", R"({"event":"e","text":")" + marker + "\"}").status, 202);
    EXPECT_TRUE(eventually([&] {
      const auto sent = gateway.sent_to("fresh");
      return std::find(sent.begin(), sent.end(), marker) != sent.end();
    }));
  }
}

TEST_F(GatewayFaults, KilledGatewaysAreForgottenWithTheirStreams) {
  herald_pair heralds{{"--log-level", "error"}, {"--log-level", "error"}};
  crowd::options how;
  how.pages = size<std::size_t>(20, 100);
  how.seed = seed();
  crowd pages{heralds.stream_port(), how};
  http_client api{heralds.api_port()};
  ledger all;
  const auto rounds = size<std::size_t>(3, 50);
  for (std::size_t round = 0; round < rounds; ++round) {
    ASSERT_TRUE(pages.all_open());
    ASSERT_TRUE(eventually([&] {
      pages.turn();
      return connections(api) == pages.size() && pages.open_now() == pages.size();
    }))
      << connections(api);
    publisher::options pace;
    publisher one{"r" + std::to_string(round), heralds.api_port(), pace};
    pages.turns_for(300ms);
    one.stop();
    ledger book;
    one.add_to(book);
    EXPECT_TRUE(pages.caught_up(book));
    one.add_to(all);
    heralds.gateway().kill();
    pages.turns_for(pause(300));
    heralds.start_gateway();
  }
  EXPECT_EQ(pages.complaints(all), "");
  result("rounds", rounds);
  result("returns", pages.returns());
}

} // namespace
} // namespace herald::testing
