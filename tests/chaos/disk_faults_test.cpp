// Faults of the disk under the journal: publishers are told, streams go on, and all is well by
// itself when the disk is.

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include "tests/chaos/crowd.hpp"
#include "tests/chaos/publisher.hpp"
#include "tests/chaos/scenario.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sanitizer.hpp"

namespace herald::testing {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

class DiskFaults : public scenario {
protected:
  void begin_life(std::vector<std::string> environment = {}) {
    herald.reset();
    herald.emplace(herald_options{
      {"--journal-path", folder / "journal.db", "--history-max-events", "300000",
       "--history-max-bytes", "268435456", "--stream-retry-ms", "100", "--log-level", "error"},
      std::move(environment),
      {}});
    api.emplace(herald->api_port());
  }

  /// Whether herald may write more than a page to any file.
  void let_write(bool yes) {
    rlimit limit{};
    ASSERT_EQ(::prlimit(herald->pid(), RLIMIT_FSIZE, nullptr, &limit), 0);
    limit.rlim_cur = yes ? limit.rlim_max : 4096;
    ASSERT_EQ(::prlimit(herald->pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  }

  static std::size_t count(const ledger& taken) {
    std::size_t sum = 0;
    for (const auto& [_, numbers] : taken)
      sum += numbers.size();
    return sum;
  }

  temporary_folder folder;
  std::optional<herald_process> herald;
  std::optional<http_client> api;
};

TEST_F(DiskFaults, AreOverWhenTheDiskIsWell) {
  begin_life();
  crowd::options how;
  how.pages = size<std::size_t>(20, 100);
  how.seed = seed();
  how.retry = 50ms;
  crowd pages{herald->stream_port(), how};
  ASSERT_TRUE(pages.all_open());
  auto publishers =
    start_publishers(herald->api_port(), 2, {size<std::chrono::milliseconds>(3ms, 20ms), 1, 200});
  const auto rounds = size<std::size_t>(4, 50);
  for (std::size_t round = 0; round < rounds; ++round) {
    pages.turns_for(100ms + pause(200));
    let_write(false);
    const auto before = pages.events();
    pages.turns_for(200ms + pause(300));
    EXPECT_TRUE(eventually([&] {
      pages.turn();
      return pages.events() > before;
    }))
      << "streams stand still while the disk is full";
    // In every other round herald dies of it, and comes back where there is room.
    if (round % 2 == 1) {
      herald->kill();
      begin_life();
      pages.move_to(herald->stream_port());
      for (const auto& p : publishers)
        p->move_to(herald->api_port());
    } else {
      let_write(true);
    }
    EXPECT_TRUE(eventually([&] {
      pages.turn();
      return metric(*api, "herald_journal_failing") == 0;
    }));
  }
  ASSERT_TRUE(pages.all_open());
  pages.turns_for(300ms);
  std::size_t refused = 0;
  for (const auto& p : publishers)
    refused += p->refused();
  const auto taken = stop_all(publishers);
  EXPECT_GT(refused, rounds);
  EXPECT_TRUE(pages.caught_up(taken));
  EXPECT_EQ(pages.complaints(taken), "");
  result("rounds", rounds);
  result("events_taken", count(taken));
  result("requests_refused", refused);
  result("gaps", pages.gaps());
}

TEST_F(DiskFaults, SlowSyncsHoldUpTheirPublishersAlone) {
  if (built_with != sanitizer::none)
    GTEST_SKIP() << "a sanitizer wants to be loaded first";
  constexpr auto slow = 300ms;
  begin_life({"LD_PRELOAD=" SLOW_FSYNC, "SLOW_FSYNC_MS=300"});
  sse_client page{herald->stream_port(), stream_target("page")};
  ASSERT_TRUE(page.open());
  std::chrono::milliseconds slowest_delivery{0};
  std::chrono::milliseconds quickest_answer{1h};
  const auto rounds = size<std::size_t>(5, 50);
  for (std::size_t i = 0; i < rounds; ++i) {
    const auto asked = clock::now();
    ASSERT_TRUE(api->ask("POST", "/api/events", R"({"event":"note","data":1})"));
    EXPECT_TRUE(page.next("note"));
    const auto delivered = clock::now();
    EXPECT_EQ(api->answer().status, 202);
    const auto answered = clock::now();
    using std::chrono::duration_cast;
    slowest_delivery =
      std::max(slowest_delivery, duration_cast<std::chrono::milliseconds>(delivered - asked));
    quickest_answer =
      std::min(quickest_answer, duration_cast<std::chrono::milliseconds>(answered - asked));
    EXPECT_LT(delivered, answered) << "live delivery waits for the disk";
  }
  EXPECT_GE(quickest_answer, slow) << "an answer came before the disk had it";
  result("slowest_delivery_ms", slowest_delivery.count());
  result("quickest_answer_ms", quickest_answer.count());
}

} // namespace
} // namespace herald::testing
