#include "http/streams/stream_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>
#include <caf/send.hpp>
#include <malloc.h>
#include <sys/epoll.h>

#include "actors/supervision/fault_hook.hpp"
#include "actors/supervision/shell_core.hpp"
#include "actors/system/descriptor_channel.hpp"
#include "actors/telemetry/log.hpp"

namespace herald {

namespace {

using refusal = stream_metrics::refusal;

constexpr std::string_view component = "stream-endpoint";
/// Between two looks at everything else.
constexpr std::size_t slice_sends = 256;
constexpr std::size_t slice_orders = 1024;
/// Descriptors of a loop that are neither streams nor clients: epoll sets, timers, the listener.
constexpr std::size_t fixed_descriptors = 64;
/// Descriptors that streams leave to clients that are not streams yet.
constexpr std::size_t head_descriptors = 448;
constexpr std::chrono::seconds tick{1};

} // namespace

stream_loop::stream_loop(
  const surroundings& around, unsigned index, std::vector<owned_fd> listeners, loop_inbox& inbox)
  : options_(around.options),
    owner_(around.owner),
    limits_(around.limits),
    clients_(around.clients),
    descriptors_(around.descriptors),
    index_(index),
    metrics_(around.numbers, index),
    handling_(around.numbers.short_latency(
      "herald_actor_handling_seconds", "Time that a message takes to be handled.",
      {{"actor", "stream-loop"}})),
    child_(index, name_of(index), around.numbers, around.supervisor, inbox),
    admission_(options_, limits_, clients_, metrics_, streams_in(descriptors_), secrets_()),
    // There may be more streams soon.
    beats_(
      io_, [this] { return std::min(heartbeats_.due(), clock::now() + tick); },
      [this] { on_heartbeats(); }),
    tick_(
      io_, [] { return clock::now() + tick; }, [this] { on_tick(); }),
    patrols_(
      io_, [this] { return clock::now() + patrol_.pause(); }, [this] { on_patrol(); }),
    pending_(
      {options_.max_head_bytes, options_.head_timeout_ms}, sockets_,
      static_cast<std::uint32_t>(kind::pending), *this),
    streams_(
      sockets_, static_cast<std::uint32_t>(kind::stream), options_.io_uring, metrics_.unreachable,
      {.ended =
         [this](const ended_stream& stream) {
           on_stream_ended(stream);
         }}),
    table_(
      {.loop = index,
       .log_bytes = options_.log_bytes,
       .private_queue_bytes = options_.private_queue_bytes,
       .window_bytes = std::min(options_.log_bytes / 4, std::size_t{256} * 1024),
       .linger = options_.linger,
       .format = options_.format,
       .max_private_bytes = options_.max_private_bytes},
      streams_),
    feed_(table_, clock::now(), options_.format),
    openings_(options_.open_timeout),
    heartbeats_(
      {options_.heartbeat_s, options_.heartbeat_event, options_.stand_in}, table_, feed_,
      clock::now()),
    key_waiters_(inbox),
    asked_(options_.questions.get(), key_waiters_.way()),
    expiring_(options_.auth.renew_s),
    patrol_(options_.unreachable_s, options_.heartbeat_s, table_, metrics_.unreachable),
    inbox_(inbox) {
  const acceptor::counters numbers{metrics_.accepted, metrics_.gathered, metrics_.accept_errors};
  client_sink& sink = *this;
  for (auto& listener : listeners) {
    const auto which = tag(kind::listener, static_cast<std::uint32_t>(acceptors_.size()));
    acceptors_.emplace_back(io_, sockets_, which, std::move(listener), numbers, index, sink);
  }
  if (const auto error = streams_.ring_error(); options_.io_uring && error != 0)
    log::info(
      component, "no_io_uring",
      {{"loop", index_}, {"why", std::generic_category().message(error)}});
}

stream_loop::~stream_loop() {
  // The set closes it.
  socket_events_.release();
  stream_sockets::close_all(table_);
}

void stream_loop::run() {
  const auto from_api = options_.from_api;
  if (
    !sockets_.add(inbox_.wake_descriptor(), tag(kind::inbox))
    || (from_api >= 0 && !sockets_.add(from_api, tag(kind::from_api))))
    throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
  if (child_.run([this] { work_on(); }, orders_) == loop_child::verdict::idle)
    idle();
}

std::string stream_loop::name_of(unsigned index) {
  return "stream-loop-" + std::to_string(index);
}

/// Takes up what a step that threw may have left out.
void stream_loop::work_on() {
  if (const auto damage = table_.check())
    throw state_damaged(*damage);
  for (auto& one : acceptors_)
    one.listen();
  if (options_.heartbeat_s.count() != 0)
    beats_.start();
  tick_.start();
  if (options_.unreachable_s.count() != 0)
    patrols_.start();
  announce_openings();
  schedule();
  if (!watching_)
    on_sockets();
  io_.run();
}

/// A loop that must not go on ends its streams and waits for its own end.
void stream_loop::idle() {
  stop_accepting();
  // Streams of a table that is damaged end with the process.
  const auto slots = table_.check() ? 0 : table_.slots();
  for (stream_slot slot = 0; slot < slots; ++slot)
    if (table_.descriptor(slot) >= 0)
      table_.drop(slot, end_reason::error);
  child_.idle(orders_, owner_);
}

std::size_t stream_loop::streams_in(std::size_t descriptors) {
  return descriptors - std::min(fixed_descriptors + head_descriptors, descriptors / 2);
}

/// True while clients of any listener are let wait for others.
bool stream_loop::gathering() const {
  return std::any_of(
    acceptors_.begin(), acceptors_.end(), [](const acceptor& one) { return one.gathering(); });
}

void stream_loop::stop_accepting() {
  for (auto& one : acceptors_)
    one.stop();
}

void stream_loop::on_client(int fd, clock::time_point now) {
  add_client(fd, now, {}, options_.proxy_protocol && admission_.trusts(peer_of(fd)));
}

void stream_loop::add_client(int fd, clock::time_point now, std::string_view read, bool proxied) {
  const auto taken = table_.size() + fixed_descriptors;
  const auto left = descriptors_ > taken ? descriptors_ - taken : 0;
  pending_.add(
    fd, std::max(std::min(options_.max_heads, left), std::size_t{1}), now, read, proxied);
}

/// Connections whose last request was the API's, with the next one, which is not. Every loop is
/// told of each; one gets it.
void stream_loop::on_handed_back(std::uint32_t what, clock::time_point now) {
  while (auto parcel = descriptor_channel::take(options_.from_api))
    add_client(parcel->descriptor.release(), now, parcel->bytes);
  if ((what & (EPOLLHUP | EPOLLRDHUP)) != 0)
    sockets_.remove(options_.from_api);
}

void stream_loop::on_gathered() {
  announce_now();
  after_sockets();
}

header_list stream_loop::on_refusal(ec why) {
  return admission_.refuse_unread(why);
}

/// At once, or a little later where others were announced just now.
void stream_loop::announce_openings() {
  const auto due = openings_.announcement_due();
  if (!due)
    return;
  if (clock::now() >= *due)
    return announce_now();
  if (gathering() || std::exchange(announcing_, true))
    return;
  announcement_.expires_at(*due);
  announcement_.async_wait([this](error_code error) {
    announcing_ = false;
    if (!error)
      announce_openings();
  });
}

void stream_loop::announce_now() {
  openings_.announce(clock::now(), [this](std::vector<open_connection>& all) {
    if (all.size() == 1)
      caf::anon_send(owner_, std::move(all.front()));
    else
      caf::anon_send(owner_, open_connections{std::move(all)});
  });
}

/// The time that it takes is how long all that comes next has to wait.
void stream_loop::work() {
  const auto begin = clock::now();
  const bool more = work_a_round();
  handling_.Observe(std::chrono::duration<double>(clock::now() - begin).count());
  if (more)
    schedule();
}

/// True if there is more to do.
bool stream_loop::work_a_round() {
  for (std::size_t i = 0; i < slice_orders && !orders_.empty(); ++i) {
    if (!apply(orders_.front()))
      break;
    orders_.pop_front();
    inbox_.handled(1);
    if (fault_hook != nullptr)
      fault_hook(name_of(index_), "stream-loop", handler_moment::after);
  }
  if (draining_)
    drain_some();
  if (orders_.empty())
    feed_.release_memory();
  const bool expiring = expire_some();
  const bool more = streams_.run_slice(table_, slice_sends);
  report_progress();
  return more || expiring || !orders_.empty();
}

void stream_loop::schedule() {
  if (std::exchange(scheduled_, true))
    return;
  boost::asio::post(io_, [this] {
    scheduled_ = false;
    work();
  });
}

/// Counts what was done, and tells whoever waits for it what has come to its end.
void stream_loop::report_progress() {
  metrics_.count(table_.tally());
  if (feed_.has_served()) {
    const auto now = clock::now();
    feed_.each_served([&](service_type service, clock::time_point accepted) {
      metrics_.duration(service).Observe(std::chrono::duration<double>(now - accepted).count());
    });
  }
  for (const auto& settled : table_.tickets().take_settled())
    caf::anon_send(owner_, settled);
  arrange_answers();
  if (draining_ && drained_ && table_.size() == 0 && orders_.empty())
    std::exchange(drained_, nullptr)();
}

/// Sees to it that whoever waits for delivery is answered in time, whatever a stream does.
void stream_loop::arrange_answers() {
  const auto due = table_.tickets().next_deadline();
  // A timer that is set for earlier asks again.
  if (!due || (answers_due_ && *answers_due_ <= *due))
    return;
  answers_due_.reset();
  answers_.expires_at(*due);
  answers_.async_wait([this](error_code cancelled) {
    if (cancelled)
      return;
    answers_due_.reset();
    table_.tickets().expire(clock::now());
    report_progress();
  });
  answers_due_ = due;
}

void stream_loop::on_sockets() {
  watching_ = false;
  std::vector<std::uint32_t> listeners;
  bool orders = false;
  std::optional<std::uint32_t> handed_back;
  const auto events = sockets_.take();
  const auto now = clock::now();
  for (const auto& event : events) {
    switch (static_cast<kind>(event.tag.kind)) {
    case kind::listener:
      listeners.push_back(event.tag.index);
      break;
    case kind::inbox:
      orders = true;
      break;
    case kind::from_api:
      handed_back = event.what;
      break;
    case kind::pending:
      pending_.on_event(event, now);
      break;
    case kind::stream:
      streams_.on_event(event, table_);
    }
  }
  // Last, as they give slots away for which there may have been an event in this round.
  for (const auto listener : listeners)
    acceptors_[listener].on_event(now);
  if (handed_back)
    on_handed_back(*handed_back, now);
  if (orders)
    on_inbox();
  if (!events.empty()) {
    announce_openings();
    after_sockets();
  }
  watching_ = true;
  socket_events_.async_wait(
    boost::asio::posix::stream_descriptor::wait_read, [this](error_code error) {
      if (!error)
        on_sockets();
    });
}

void stream_loop::after_sockets() {
  report_progress();
  if (table_.has_work())
    schedule();
}

/// Its socket is closed.
void stream_loop::on_stream_ended(const ended_stream& stream) {
  give_ticket_back(stream.slot);
  openings_.remove(stream.slot);
  asked_.forget(stream.stream);
  heartbeats_.ended(stream.slot);
  expiring_.remove(stream.slot);
  feed_.ended(stream.slot);
  patrol_.ended(stream.slot);
  limits_.release(stream.lease);
  if (!stream.report)
    return;
  // An end that came before its beginning would be forgotten, and the stream never.
  announce_now();
  caf::anon_send(owner_, stream_closed{stream.stream, stream.reason});
}

/// A slice: where more are due, the timer is over at once, and what else there is comes between.
void stream_loop::on_heartbeats() {
  const bool queued = heartbeats_.beat(clock::now());
  report_progress();
  if (queued)
    schedule();
}

void stream_loop::on_tick() {
  const auto now = clock::now();
  while (const auto slot = openings_.overdue(now)) {
    turn_away(*slot, refusal::unanswered, true);
    schedule();
  }
  table_.expire(now);
  pending_.expire(now);
  expiry_due_ = expiring_.size() != 0 && expiring_.due(std::chrono::system_clock::now());
  if (expiry_due_)
    schedule();
  if (now - feed_.last_frame() > tick && now - openings_.last_added() > tick) {
    table_.release_memory();
    // Opening a stream takes several times the memory that it keeps, and malloc would not give back
    // what lies between.
    if (openings_.release_memory())
      ::malloc_trim(0);
  }
  metrics_.show(table_, orders_.size());
  report_progress();
  log_unsent_versions();
}

void stream_loop::log_unsent_versions() {
  const auto unsent =
    strayed_versions_ + table_.tally().failed.at(static_cast<std::size_t>(service_type::version));
  const auto count = unsent - std::exchange(logged_versions_, unsent);
  if (count != 0)
    log::warning(
      component, "versions_not_sent",
      {{"loop", index_}, {"count", count}, {"why", "their streams have ended"}});
}

void stream_loop::on_patrol() {
  patrol_.walk(clock::now());
  report_progress();
}

} // namespace herald
