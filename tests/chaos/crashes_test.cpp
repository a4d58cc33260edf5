// kill -9 at any instant, while publishers publish and pages come back with their cursors: what was
// acknowledged reaches every page once, in order, and the journal is never damaged.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/chaos/crowd.hpp"
#include "tests/chaos/publisher.hpp"
#include "tests/chaos/scenario.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"

namespace herald::testing {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

class Crashes : public scenario {
protected:
  void begin_life() {
    herald.reset();
    const auto began = clock::now();
    herald.emplace(std::vector<std::string>{
      "--journal-path", folder / "journal.db", "--history-max-events", "300000",
      "--history-max-bytes", "268435456", "--history-max-age-s", "86400", "--stream-retry-ms",
      "100", "--log-level", "warning"});
    starts.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - began));
  }

  /// Herald dies without a word; what it has said until then stays.
  void crash() {
    herald->kill();
    const auto log = herald->log();
    EXPECT_EQ(log.find("damaged"), std::string::npos) << log;
  }

  temporary_folder folder;
  std::optional<herald_process> herald;
  std::vector<std::chrono::milliseconds> starts;
};

TEST_F(Crashes, LoseNothingThatWasAcknowledged) {
  begin_life();
  crowd::options how;
  how.pages = size<std::size_t>(20, 200);
  how.seed = seed();
  how.retry = 50ms;
  crowd pages{herald->stream_port(), how};
  ASSERT_TRUE(pages.all_open());
  auto publishers =
    start_publishers(herald->api_port(), 3, {size<std::chrono::milliseconds>(2ms, 20ms), 1, 50});
  const auto lives = size<std::size_t>(5, 200);
  for (std::size_t life = 1; life <= lives; ++life) {
    pages.turns_for(pause(size<std::size_t>(300, 1000)));
    crash();
    begin_life();
    pages.move_to(herald->stream_port());
    for (const auto& p : publishers)
      p->move_to(herald->api_port());
  }
  ASSERT_TRUE(pages.all_open(60s));
  pages.turns_for(300ms);
  const auto taken = stop_all(publishers);
  EXPECT_TRUE(pages.caught_up(taken, 60s));
  EXPECT_EQ(pages.complaints(taken), "");
  EXPECT_EQ(pages.gaps(), 0u);
  for (const auto& file : std::filesystem::directory_iterator{folder.path()})
    EXPECT_TRUE(file.path().filename().string().starts_with("journal.db")) << file.path();

  std::size_t events = 0;
  for (const auto& [_, numbers] : taken)
    events += numbers.size();
  EXPECT_GT(events, lives);
  std::sort(starts.begin(), starts.end());
  result("kills", lives);
  result("pages", pages.size());
  result("events", events);
  result("returns", pages.returns());
  result("start_ms_median", starts[starts.size() / 2].count());
  result("start_ms_p99", starts[starts.size() * 99 / 100].count());
}

} // namespace
} // namespace herald::testing
