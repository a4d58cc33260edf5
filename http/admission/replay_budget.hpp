#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "http/sockets/host_address.hpp"
#include "messages/history.hpp"

namespace herald {

/// How much clients may be sent again in a minute, each of them, over all loops: a request of a
/// hundred bytes may ask for all of the history, again and again. Safe from any thread.
class replay_budget {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// A client's minute begins with its first replay; the next one after its end.
  static constexpr std::chrono::seconds period{60};
  /// What becomes of a replay.
  struct outcome {
    bool allowed = false;
    /// Another client was forgotten for this one before its time.
    bool forgot = false;
  };

  /// `bytes` in a minute; 0: no limit. Of up to `clients`, at least 1, whose minute is not over:
  /// one more has the oldest forgotten. Each takes 104 bytes; who has as many addresses has more of
  /// everything.
  explicit replay_budget(std::size_t bytes, std::size_t clients = 65'536)
    : limit_(bytes),
      clients_at_most_(clients) {}

  /// Other limits from now on.
  void change(std::size_t bytes, std::size_t clients);

  [[nodiscard]] bool limited() const noexcept { return limit_ != 0; }
  /// Whether the client may be sent so much now, which is then spent.
  [[nodiscard]] outcome spend(const client_address& client, std::size_t bytes, time_point now);
  /// What was spent was not sent.
  void give_back(const client_address& client, std::size_t bytes);

private:
  struct minute {
    time_point begin;
    std::size_t spent = 0;
  };

  void forget_oldest();

  std::atomic<std::size_t> limit_;
  std::atomic<std::size_t> clients_at_most_;
  std::mutex mutex_;
  std::map<client_address, minute> clients_;
  /// In the order in which their minutes began.
  std::deque<std::pair<time_point, client_address>> begun_;
};

/// The bytes of the events that a stream is to be sent again, without their framing.
[[nodiscard]] std::size_t bytes_of(missed_events all);

/// What a stream is told instead of so much: a gap, and the newest version among it, which nobody
/// else would tell it. `whom` had too much: "address" or "subject".
[[nodiscard]] missed_events gap_instead_of(missed_events all, std::string_view whom);

// Whom else something is counted to, in place of an address. Nothing but itself can be either.

/// A page whose address is not counted.
[[nodiscard]] client_address counted_as_page(std::string_view request_id);
/// The subject of a credential. Not to be found for another name: subjects may choose theirs.
[[nodiscard]] client_address counted_as_subject(std::string_view subject);

} // namespace herald
