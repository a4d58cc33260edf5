// Publishers with keys that give up, try again, and meet a herald that is killed, that cannot write
// and whose disk is full: each of their events is published once.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/chaos/crowd.hpp"
#include "tests/chaos/scenario.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"

namespace herald::testing {
namespace {

using namespace std::chrono_literals;

/// Publishes numbered events with a key each, and tries each until it is taken. Backs off from try
/// to try, up to a second: a thousand that do not leave a herald that starts nothing of the
/// machine.
class retrying_publisher {
public:
  /// From one event to the next it waits up to `longest_pause`.
  retrying_publisher(
    std::string name, const std::atomic<std::uint16_t>& port, const std::atomic<bool>& stopping,
    std::uint32_t seed, std::chrono::milliseconds longest_pause)
    : name_(std::move(name)),
      port_(port),
      stopping_(stopping),
      longest_pause_(longest_pause),
      random_(seed),
      thread_([this] { run(); }) {}
  retrying_publisher(const retrying_publisher&) = delete;
  retrying_publisher& operator=(const retrying_publisher&) = delete;
  ~retrying_publisher() { join(); }

  void join() {
    if (thread_.joinable())
      thread_.join();
  }

  // Once it has ended.

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::vector<std::uint32_t>& taken() const noexcept { return taken_; }
  /// Tries by the status of their answer; 0: none, or none was waited for.
  [[nodiscard]] const std::map<int, std::size_t>& tries() const noexcept { return tries_; }
  [[nodiscard]] std::size_t replayed() const noexcept { return replayed_; }
  /// Answers that were other than they may be.
  [[nodiscard]] const std::string& complaints() const noexcept { return complaints_; }

private:
  void run() {
    for (std::uint32_t number = 1; !stopping_; ++number) {
      for (auto longest = 50ms; !attempt(number); longest = std::min(2 * longest, 1000ms))
        pause(longest);
      taken_.push_back(number);
      pause(longest_pause_);
    }
  }

  void pause(std::chrono::milliseconds longest) {
    std::this_thread::sleep_for(
      std::chrono::milliseconds{random_() % static_cast<std::uint32_t>(longest.count())});
  }

  bool attempt(std::uint32_t number) {
    http_client api{port_};
    const auto text = name_ + " " + std::to_string(number);
    const auto key = "Idempotency-Key: " + name_ + "-" + std::to_string(number) + "\r\n";
    const auto body = R"({"event":"chaos","text":")" + text + "\"}";
    const bool gives_up = random_() % 4 == 0;
    if (gives_up) {
      // A time-out of its own: the request may be anywhere.
      (void)api.ask("POST", "/api/events", body, key);
      std::this_thread::sleep_for(std::chrono::microseconds{random_() % 3000});
      ++tries_[0];
      return false;
    }
    const auto reply = api.post("/api/events", body, key);
    ++tries_[reply.status];
    if (reply.status == 202) {
      replayed_ += reply.has("idempotent-replayed") ? 1 : 0;
      return true;
    }
    if (reply.status != 0 && reply.status < 500)
      complaints_ += text + ": " + std::to_string(reply.status) + " " + reply.body + "\n";
    return false;
  }

  const std::string name_;
  const std::atomic<std::uint16_t>& port_;
  const std::atomic<bool>& stopping_;
  const std::chrono::milliseconds longest_pause_;
  std::minstd_rand random_;
  std::vector<std::uint32_t> taken_;
  std::map<int, std::size_t> tries_;
  std::size_t replayed_ = 0;
  std::string complaints_;
  std::thread thread_;
};

class Retries : public scenario {
protected:
  void begin_life() {
    herald.reset();
    herald.emplace(std::vector<std::string>{
      "--journal-path", folder / "journal.db", "--history-max-events", "1000000",
      "--history-max-bytes", "1073741824", "--history-max-age-s", "86400", "--stream-retry-ms",
      "100", "--api-max-connections", "2048", "--log-level", "error"});
    port = herald->api_port();
  }

  void let_write(bool yes) {
    rlimit limit{};
    ASSERT_EQ(::prlimit(herald->pid(), RLIMIT_FSIZE, nullptr, &limit), 0);
    limit.rlim_cur = yes ? limit.rlim_max : 4096;
    ASSERT_EQ(::prlimit(herald->pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  }

  void fill_disk() {
    std::ofstream out{folder / "hog", std::ios::binary | std::ios::app};
    const std::string block(4096, 'x');
    while (out.write(block.data(), static_cast<std::streamsize>(block.size())).flush())
      ;
  }

  /// How often each event is in the history.
  std::map<std::string, std::size_t> history() {
    std::map<std::string, std::size_t> found;
    http_client api{herald->api_port()};
    std::string after;
    for (;;) {
      const auto page = json_of(api.get("/api/events?limit=1000" + after));
      for (const auto& one : page["events"])
        ++found[std::string{one.value("text", "")}];
      if (page["events"].empty())
        return found;
      after = "&after=" + std::string{page["last_id"]};
    }
  }

  temporary_folder folder;
  std::optional<herald_process> herald;
  std::atomic<std::uint16_t> port{0};
};

TEST_F(Retries, PublishEachEventOnce) {
  // A disk of its own, which can be full.
  const bool own_disk =
    ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
    && ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, size("size=64m", "size=1g")) == 0;
  begin_life();
  crowd::options how;
  how.pages = size<std::size_t>(10, 50);
  how.seed = seed();
  how.retry = 50ms;
  crowd pages{herald->stream_port(), how};
  ASSERT_TRUE(pages.all_open());

  std::atomic<bool> stopping = false;
  std::vector<std::unique_ptr<retrying_publisher>> publishers;
  const auto count = size<std::size_t>(50, 1000);
  for (std::size_t i = 0; i < count; ++i)
    publishers.push_back(std::make_unique<retrying_publisher>(
      "p" + std::to_string(i), port, stopping, seed() + static_cast<std::uint32_t>(i),
      size(100ms, 2000ms)));

  std::size_t kills = 0;
  std::size_t full_disks = 0;
  const auto rounds = size<std::size_t>(6, 100);
  for (std::size_t round = 0; round < rounds; ++round) {
    pages.turns_for(pause(800));
    const bool fills = own_disk && round % 3 == 1;
    if (fills) {
      fill_disk();
      ++full_disks;
    } else if (round % 3 == 2) {
      let_write(false);
    }
    pages.turns_for(pause(800));
    if (round % 2 == 0) {
      // Also while nothing can be written.
      std::filesystem::remove(folder / "hog");
      herald->kill();
      EXPECT_EQ(herald->log().find("damaged"), std::string::npos) << herald->log();
      begin_life();
      pages.move_to(herald->stream_port());
      ++kills;
    } else {
      std::filesystem::remove(folder / "hog");
      let_write(true);
    }
  }
  stopping = true;
  // All that is under way is taken in the end.
  std::thread joining{[&] {
    for (const auto& one : publishers)
      one->join();
    stopping = false;
  }};
  while (stopping)
    pages.turn();
  joining.join();

  ledger taken;
  std::size_t events = 0;
  std::size_t replayed = 0;
  std::map<int, std::size_t> tries;
  for (const auto& one : publishers) {
    taken[one->name()] = one->taken();
    events += one->taken().size();
    replayed += one->replayed();
    EXPECT_EQ(one->complaints(), "");
    for (const auto& [status, times] : one->tries())
      tries[status] += times;
  }
  EXPECT_TRUE(pages.caught_up(taken, 60s));
  EXPECT_EQ(pages.complaints(taken), "");
  EXPECT_EQ(pages.gaps(), 0u);
  const auto kept = history();
  EXPECT_EQ(kept.size(), events);
  for (const auto& [text, times] : kept)
    EXPECT_EQ(times, 1u) << text;
  EXPECT_GT(replayed, 0u);
  herald->kill();
  herald.reset();
  if (own_disk) {
    EXPECT_EQ(::umount(folder.path().c_str()), 0);
  }

  result("publishers", publishers.size());
  result("pages", pages.size());
  result("events", events);
  result("kills", kills);
  result("full_disks", full_disks);
  result("given_up", tries[0]);
  for (const int status : {500, 503, 504, 507})
    result("answers_" + std::to_string(status), tries[status]);
  result("replayed", replayed);
}

} // namespace
} // namespace herald::testing
