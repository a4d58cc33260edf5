#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "http/access/token_judge.hpp"
#include "http/admission/stream_admission.hpp"
#include "http/protocol/request_head.hpp"
#include "http/streams/loop_inbox.hpp"
#include "messages/ids.hpp"

namespace herald {

/// The clients of a loop that wait until a key is fetched, with which their tokens are judged
/// again. There are no more of them than openings. For the loop's thread.
class key_waiters {
public:
  struct waiter {
    token stream;
    request_head request;
    stream_admission::admitted client;
  };

  /// The inbox outlives this.
  explicit key_waiters(loop_inbox& inbox);
  key_waiters(const key_waiters&) = delete;
  key_waiters& operator=(const key_waiters&) = delete;
  ~key_waiters();

  /// A way into the inbox, from any thread, unless the loop is gone by then.
  [[nodiscard]] std::function<void(loop_order)> way() const;
  /// What the client that comes next is to be told by: puts `keys_fetched` into the inbox, from any
  /// thread, unless the loop is gone by then.
  [[nodiscard]] token_judge::fetch_over next();
  /// The client for which `next` was called last waits from now on.
  void add(waiter who) { waiting_.insert_or_assign(last_, std::move(who)); }
  /// The client of an order waits no longer.
  [[nodiscard]] std::optional<waiter> take(const keys_fetched& order);

  [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

private:
  class relay;

  std::shared_ptr<relay> relay_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, waiter> waiting_;
};

} // namespace herald
