#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/audience/audience_index.hpp"
#include "actors/gateway/gateway_body.hpp"
#include "actors/gateway/gateway_link_health.hpp"
#include "actors/gateway/gateway_options.hpp"
#include "messages/delivery.hpp"
#include "messages/events.hpp"
#include "messages/ids.hpp"
#include "messages/text/expirations.hpp"

namespace herald {

/// The events and orders that wait for the streams of one gateway shard, and the rules of sending.
///
/// - Each stream has its own queue, sent strictly in its order. Streams take turns, one send each,
///   so a stream whose sends fail holds up only itself, while it backs off.
/// - Every event that a stream is given ends as sent, failed or lost, once, and is reported so.
/// - An event is lost where a limit is reached, or when it cannot be sent until it is
///   `gateway_options::retry_ms` old. Age alone costs nothing: what waits behind a slow gateway
///   that does answer is sent however late.
/// - A stream is dropped only when the gateway says that it does not have it.
/// - The owner is told of a stream that ends without an order of its own. Such a close is tried
///   until it is answered: a page whose stream stayed open would hear nothing there.
///
/// Pure: the caller gives the time, sends what `next` says, and tells `finish` how it went.
class gateway_queue {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Why an event is lost for a stream that stays.
  enum class loss : std::uint8_t { expired, stream_full, shard_full };
  static constexpr std::size_t loss_count = 3;

  /// Hears how events end. Called from within the methods of the queue; must not call it.
  class listener {
  public:
    listener() = default;
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;
    virtual ~listener() = default;

    virtual void sent(service_type service) = 0;
    /// The stream is gone, or the gateway refuses the event.
    virtual void failed(const token& to, service_type service, std::string_view why) = 0;
    virtual void lost(service_type service, loss why) = 0;
    /// A send will be tried again.
    virtual void retried() = 0;
    /// The order to close a stream could not be given.
    virtual void close_lost() = 0;
    /// The gateway does not have the stream (any more), and its owner may not know.
    virtual void gone(const token& stream, std::string_view why) = 0;
    /// The stream is closed, which its owner has not ordered.
    virtual void ended(const token& stream) = 0;
    /// All of a ticket's batch is sent, failed or lost, or it was to be answered by now.
    virtual void settled(const delivery_settled& fact) = 0;
    /// The gateway is not there, or is back.
    virtual void gateway_down(std::string_view why) = 0;
    virtual void gateway_up() = 0;
  };

  /// A send that is due: an event, an order to close, both, or neither, which is a probe.
  struct attempt {
    token to;
    prepared_ptr what;
    bool close = false;

    [[nodiscard]] bool probe() const noexcept { return !what && !close; }
  };

  gateway_queue(gateway_options options, listener& out, random_source random);

  /// The stream gets what is delivered from now on. One that is known only hears something else
  /// from now on. One that is doubtful is probed before all others.
  void
  attach(const token& to, time_point now, bool doubtful = false, const reach_ptr& hears = nullptr);
  /// The stream, known or not, has no right to be open: it gets nothing from now on, and is closed.
  void turn_away(const token& to, time_point now);
  /// The stream hears this from now on. An unknown token is ignored.
  void change(const token& to, const reach_ptr& hears);
  /// Queues the order to end a stream, with an event before it if there is one. The stream gets
  /// nothing that is delivered later. An unknown token is ignored.
  void close(const token& to, const event_ptr& farewell, time_point now);
  /// The stream is gone: what waits for it has failed. An unknown token is ignored.
  void remove(const token& to);
  /// Queues a batch. An event for an unknown stream has failed.
  void deliver(
    const delivery_batch& batch, ticket_id ticket, time_point now,
    time_point answer_by = time_point::max());
  /// When to call `answer_late`: the next time at which a ticket is to be answered.
  [[nodiscard]] std::optional<time_point> answer_due() const;
  /// Settles the tickets whose time is over; what is not sent by now counts as pending.
  void answer_late(time_point now);

  /// Gives what to send now, if anything is due; the same again until `finish`.
  [[nodiscard]] std::optional<attempt> next(time_point now);
  /// When to ask `next` again, if nothing is said to the queue before. May lie in the past.
  [[nodiscard]] std::optional<time_point> next_due() const;
  /// How a send went that `next` asked for.
  void finish(const attempt& which, const send_outcome& outcome, time_point now);

  // The ends of rights, by the clock on the wall.

  /// Whether a right with this end, if it has one, is over.
  [[nodiscard]] bool is_over(std::optional<wall_time> expires_at, wall_time now) const {
    return herald::is_over(expires_at, options_.expiry_grace, now);
  }
  /// The stream, which opens `now`, may be open until `expires_at`: before that it is told by an
  /// event `expired`, and closed behind it. Nothing: as long as it likes. A token that is unknown,
  /// or being closed, is ignored.
  void limit(const token& to, wall_time now, std::optional<wall_time> expires_at);
  /// Tells streams whose right comes to an end, and closes those whose has, some at a time.
  void end_rights(wall_time now, time_point at);
  /// When to do so; nothing where no right ends.
  [[nodiscard]] std::optional<wall_time> right_due() const { return rights_.next_due(); }

  /// While somebody waits for the queue to run empty, orders to close get no longer than events.
  void hurry(bool on) noexcept { hurried_ = on; }

  [[nodiscard]] bool empty() const noexcept { return waiting_ == 0 && closes_ == 0; }
  /// Events that wait, counted for each stream.
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::size_t waiting_bytes() const noexcept { return waiting_bytes_; }
  [[nodiscard]] std::size_t streams() const noexcept { return streams_.size(); }
  /// What waits for a stream, a send under way included; nothing for an unknown token.
  [[nodiscard]] std::optional<stream_backlog> backlog_of(const token& stream) const;
  [[nodiscard]] bool down() const noexcept { return health_.down(); }

  /// Says what is wrong with it. Between two calls of its methods nothing is.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  using account_id = std::uint64_t;

  struct item {
    prepared_ptr what;
    account_id account = 0;
    time_point queued;
    bool close = false;
    /// Of a notice, which is made when it is sent, and counts as no event: when the right ends.
    std::optional<time_point> right_ends = std::nullopt;
  };

  enum class phase : std::uint8_t { idle, ready, backing_off };

  struct stream;
  using stream_ref = std::list<stream>::iterator;
  using turn_list = std::list<stream_ref>;
  using pause_list = std::multimap<time_point, stream_ref>;

  struct stream {
    token name;
    audience_index::member number = 0;
    std::list<item> due;
    std::size_t bytes = 0;
    time_point tried;
    unsigned failures = 0;
    bool closing = false;
    /// Its owner, who has not ordered the end, is told of it.
    bool tells_end = false;
    phase where = phase::idle;
    /// Its place among the turns or the pauses, by `where`.
    turn_list::iterator turn;
    pause_list::iterator pause;
  };

  /// The sends that a ticket still waits for.
  struct account {
    ticket_id ticket = 0;
    std::size_t open = 0;
    std::size_t delivered = 0;
    time_point answer_by;
  };

  [[nodiscard]] std::vector<stream_ref> streams_of(const delivery& one);
  void push(
    stream_ref to, const event& what, prepared_ptr& prepared, account_id account, time_point now);
  void order_close(stream_ref s, const event_ptr& farewell, time_point now);
  void enqueue(stream_ref to, item what);
  [[nodiscard]] static prepared_ptr notice_of_end(std::chrono::milliseconds left);
  [[nodiscard]] std::optional<loss> limit_of_events(const stream& s) const;
  [[nodiscard]] std::optional<loss>
  limit_of_bytes(const stream& s, const prepared_event& what) const;
  void make_ready(stream_ref s);
  void unschedule(stream_ref s);
  void back_off(stream_ref s, time_point now);
  void wake(time_point now);

  void unqueue_event(stream& s, item& i);
  void pop(stream_ref s);
  void drop(stream_ref s, std::string_view why);
  bool expire(stream_ref s, time_point now);
  void count_outcome(account_id account, bool delivered);

  void finish_delivered(stream_ref s);
  void finish_refused(stream_ref s, std::string_view why);
  void finish_unsent(stream_ref s, send_result result, time_point now);

  [[nodiscard]] std::optional<attempt> next_probe(time_point now) const;
  [[nodiscard]] std::optional<time_point> probe_due() const;
  [[nodiscard]] std::optional<std::string> check_rights() const;

  gateway_options options_;
  listener& out_;
  random_source random_;
  gateway_link_health health_;

  /// In the order in which they were last tried: the front is the next to probe.
  std::list<stream> streams_;
  std::unordered_map<token, stream_ref> by_token_;
  /// By the numbers of the streams in `hearers_`; free ones are at the end of the list.
  std::vector<stream_ref> by_number_;
  std::vector<audience_index::member> free_numbers_;
  audience_index hearers_;
  /// Of streams by their numbers.
  expirations rights_;
  turn_list ready_;
  pause_list backing_off_;
  std::unordered_map<account_id, account> accounts_;
  /// Those that have a time by which they are to be answered, in its order.
  std::set<std::pair<time_point, account_id>> answers_;
  account_id last_account_ = 0;

  std::size_t waiting_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::size_t closes_ = 0;

  bool hurried_ = false;
  time_point last_probe_;
};

} // namespace herald
