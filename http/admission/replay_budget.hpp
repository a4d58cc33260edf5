#pragma once

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
  /// Clients whose minute is not over. One more has the oldest forgotten, so that this takes some
  /// 8 MiB at most; who has as many addresses has more of everything.
  static constexpr std::size_t max_clients = 65'536;

  /// `bytes` in a minute; 0: no limit.
  explicit replay_budget(std::size_t bytes) : limit_(bytes) {}

  [[nodiscard]] bool limited() const noexcept { return limit_ != 0; }
  /// Whether the client may be sent so much now, which is then spent.
  [[nodiscard]] bool spend(const client_address& client, std::size_t bytes, time_point now);

private:
  struct minute {
    time_point begin;
    std::size_t spent = 0;
  };

  void forget(time_point now);

  const std::size_t limit_;
  std::mutex mutex_;
  std::map<client_address, minute> clients_;
  /// In the order in which their minutes began.
  std::deque<std::pair<time_point, client_address>> begun_;
};

/// The bytes of the events that a stream is to be sent again, without their framing.
[[nodiscard]] std::size_t bytes_of(missed_events all);

/// What a stream is told instead of so much: a gap, and the newest version among it, which nobody
/// else would tell it.
[[nodiscard]] missed_events gap_instead_of(missed_events all);

/// Stands for the address of a page that is counted by none: nothing but itself can be it.
[[nodiscard]] client_address counted_as_page(std::string_view request_id);

} // namespace herald
