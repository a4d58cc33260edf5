// Everything at once, for long: events, tasks, versions, pages that come and go. What herald takes
// of the machine stays as it is, and nobody loses an event or gets one twice.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/chaos/crowd.hpp"
#include "tests/chaos/process_use.hpp"
#include "tests/chaos/publisher.hpp"
#include "tests/chaos/scenario.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sanitizer.hpp"

namespace herald::testing {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

class MixedLoad : public scenario {};

/// The middle of a measure over a part of the samples.
template <class Measure>
std::size_t
median(const std::vector<process_use>& samples, std::size_t from, std::size_t to, Measure of) {
  std::vector<std::size_t> values;
  for (auto i = from; i < to; ++i)
    values.push_back(of(samples[i]));
  std::nth_element(
    values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

TEST_F(MixedLoad, LeavesHeraldAsItWas) {
  herald_process herald{
    {"--log-level", "warning", "--tasks-retention-s", "5", "--history-max-events", "20000",
     "--history-max-age-s", "60"}};
  crowd::options how;
  how.pages = size<std::size_t>(50, 200);
  how.seed = seed();
  crowd pages{herald.stream_port(), how};
  ASSERT_TRUE(pages.all_open());
  const auto descriptors_at_first = use_of(herald.pid()).descriptors;
  publisher::options pace;
  pace.pace = size<std::chrono::milliseconds>(10ms, 20ms);
  auto publishers = start_publishers(herald.api_port(), 3, pace);

  http_client api{herald.api_port()};
  std::vector<process_use> samples;
  std::size_t tasks = 0;
  std::size_t versions = 0;
  const auto length = size<std::chrono::milliseconds>(8s, 30min);
  const auto end = clock::now() + length;
  auto next_sample = clock::now() + length / 5; // after warming up
  while (clock::now() < end) {
    pages.turn();
    if (below(3) == 0)
      pages.leave(below(pages.size()));
    if (below(5) == 0) {
      const auto reply =
        api.post("/api/tasks", R"({"type":"demo","params":{"steps":3,"delay":0.01}})");
      EXPECT_TRUE(reply.status == 202 || reply.status == 503) << reply.status;
      tasks += reply.status == 202 ? 1 : 0;
    }
    if (below(10) == 0) {
      const auto id = "page-" + std::to_string(below(pages.size()));
      const auto reply = api.post(
        "/api/versions",
        R"({"request_id":")" + id + R"(","version":")" + std::to_string(++versions) + "\"}");
      EXPECT_EQ(reply.status, 202);
    }
    if (clock::now() >= next_sample) {
      samples.push_back(use_of(herald.pid()));
      next_sample += length / 200;
    }
  }
  const auto taken = stop_all(publishers);
  EXPECT_TRUE(pages.caught_up(taken));
  EXPECT_EQ(pages.complaints(taken), "");
  EXPECT_EQ(pages.gaps(), 0u);
  // Where all pages have their stream, as at first. How many are away in between is a matter of how
  // much of a processor they have.
  EXPECT_TRUE(pages.all_open());
  EXPECT_TRUE(eventually([&] {
    pages.turn();
    return use_of(herald.pid()).descriptors <= descriptors_at_first + 10;
  }))
    << use_of(herald.pid()).descriptors << " descriptors, at first " << descriptors_at_first;
  EXPECT_EQ(herald.terminate(), exited(0));

  ASSERT_GT(samples.size(), 20u);
  const auto third = samples.size() / 3;
  const auto last = samples.size() - third;
  const auto rss = [](const process_use& use) {
    return use.rss_kib;
  };
  const auto threads = [](const process_use& use) {
    return use.threads;
  };
  const auto rss_first = median(samples, 0, third, rss);
  const auto rss_last = median(samples, last, samples.size(), rss);
  EXPECT_LT(rss_last, rss_first + rss_first / 10 + 4096 + sanitizer_kib);
  EXPECT_LE(median(samples, last, samples.size(), threads), median(samples, 0, third, threads) + 2);
  std::size_t events = 0;
  for (const auto& [_, numbers] : taken)
    events += numbers.size();
  result("events", events);
  result("deliveries", pages.events());
  result("returns", pages.returns());
  result("tasks", tasks);
  result("versions", versions);
  result("rss_kib_first_third", rss_first);
  result("rss_kib_last_third", rss_last);
}

} // namespace
} // namespace herald::testing
