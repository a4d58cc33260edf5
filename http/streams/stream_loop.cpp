#include "http/streams/stream_loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>
#include <caf/send.hpp>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "actors/supervision/fault_hook.hpp"
#include "actors/supervision/shell_core.hpp"
#include "actors/telemetry/log.hpp"
#include "http/fanout/sse_format.hpp"
#include "http/protocol/http_reply.hpp"
#include "http/sockets/tcp_progress.hpp"
#include "http/streams/stream_response.hpp"

namespace herald {

namespace {

namespace asio = boost::asio;
using refusal = stream_metrics::refusal;

constexpr std::string_view component = "stream-endpoint";
/// Between two looks at everything else: sends, and items of batches.
constexpr std::size_t slice_sends = 256;
constexpr std::size_t slice_items = 1024;
constexpr std::size_t slice_closes = 1024;
/// Descriptors of a loop that are neither streams nor clients: epoll sets, timers, the listener.
constexpr std::size_t fixed_descriptors = 64;
/// Descriptors that streams leave to clients that are not streams yet.
constexpr std::size_t head_descriptors = 448;
constexpr std::size_t openings_worth_a_trim = 1000;
/// In a storm of connects each round sees few of them. Each announcement wakes the owner of the
/// streams, and its answers wake the loop.
constexpr std::chrono::milliseconds announcement_pause{1};
constexpr std::chrono::seconds tick{1};
/// How often all streams are looked at within the time in which one that stands still is given up.
constexpr int patrols = 8;
constexpr std::chrono::milliseconds shortest_patrol{250};
constexpr std::chrono::milliseconds longest_patrol{5000};
/// Streams that are looked at in one go: some 0.6 ms.
constexpr std::size_t slice_patrol = 512;
/// Formatting memory above this is given back.
constexpr std::size_t keep_scratch = std::size_t{64} * 1024;

/// The kernel has heard nothing from the client for too long, or that there is no way to it.
bool is_out_of_reach(int error) {
  return error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
}

int error_of(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

} // namespace

stream_loop::stream_loop(
  const surroundings& around, unsigned index, owned_fd listener, loop_inbox& inbox)
  : options_(around.options),
    owner_(around.owner),
    limits_(around.limits),
    descriptors_(around.descriptors),
    index_(index),
    metrics_(around.numbers, index),
    failures_(around.numbers.counter(
      "herald_actor_failures_total", "Handlers that threw an exception.",
      {{"actor", name_of(index)}})),
    handling_(around.numbers.short_latency(
      "herald_actor_handling_seconds", "Time that a message takes to be handled.",
      {{"actor", "stream-loop"}})),
    supervisor_(around.supervisor),
    admission_(options_, limits_, metrics_, streams_in(descriptors_), secrets_()),
    acceptor_(
      io_, sockets_, tag(kind::listener), std::move(listener),
      {metrics_.accepted, metrics_.gathered, metrics_.accept_errors}, index, *this),
    pending_(
      {options_.max_head_bytes, options_.head_timeout}, sockets_,
      static_cast<std::uint32_t>(kind::pending), *this),
    ring_(options_.io_uring ? send_bursts::most : 0),
    table_(
      {index, options_.log_bytes, options_.private_queue_bytes,
       std::min(options_.log_bytes / 4, std::size_t{256} * 1024), options_.linger},
      *this),
    inbox_(inbox),
    stalls_(options_.give_up_after) {
  if (options_.io_uring && !ring_.available())
    log::info(
      component, "no_io_uring",
      {{"loop", index_}, {"why", std::generic_category().message(ring_.error())}});
}

stream_loop::~stream_loop() {
  // The set closes it.
  socket_events_.release();
  for (stream_slot slot = 0; slot < table_.slots(); ++slot)
    owned_fd{table_.descriptor(slot)}.close();
}

void stream_loop::run() {
  if (!sockets_.add(inbox_.wake_descriptor(), tag(kind::inbox)))
    throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
  for (;;) {
    try {
      work_on();
      return;
    } catch (const state_damaged& e) {
      if (!may_go_on(e.what(), true))
        return;
    } catch (const std::exception& e) {
      if (!may_go_on(e.what()))
        return;
    }
  }
}

std::string stream_loop::name_of(unsigned index) {
  return "stream-loop-" + std::to_string(index);
}

/// Takes up what a step that threw may have left out.
void stream_loop::work_on() {
  if (const auto damage = table_.check())
    throw state_damaged(*damage);
  acceptor_.listen();
  arm_heartbeat();
  arm_tick();
  arm_patrol();
  announce_openings();
  schedule();
  if (!watching_)
    on_sockets();
  io_.run();
}

/// Waits for the supervisor's word; false if it is to stop.
bool stream_loop::may_go_on(const char* what, bool damaged) {
  failures_.Increment();
  log::error(component, "loop_failed", {{"loop", index_}, {"what", what}});
  if (!supervisor_)
    return !damaged;
  caf::anon_send(supervisor_, child_failed{name_of(index_), generation_, what, damaged});
  for (;;) {
    std::optional<inside_order> verdict;
    for (auto& order : inbox_.wait()) {
      if (std::holds_alternative<stop_loop>(order))
        return false;
      const auto* said = std::get_if<inside_order>(&order);
      if (said != nullptr && said->generation == generation_)
        verdict = *said;
      orders_.push_back(std::move(order));
    }
    if (!verdict)
      continue;
    ++generation_;
    if (verdict->what == inside_order::kind::stop) {
      idle();
      return false;
    }
    caf::anon_send(supervisor_, child_restarted{name_of(index_)});
    return true;
  }
}

/// What is left of a loop that must not go on.
void stream_loop::idle() {
  acceptor_.stop();
  // Streams of a table that is damaged end with the process.
  const auto slots = table_.check() ? 0 : table_.slots();
  for (stream_slot slot = 0; slot < slots; ++slot)
    if (table_.descriptor(slot) >= 0)
      table_.drop(slot, end_reason::error);
  for (;;) {
    for (auto& order : orders_) {
      if (std::holds_alternative<stop_loop>(order))
        return;
      if (auto* drain = std::get_if<drain_loop>(&order))
        drain->drained();
      if (const auto* batch = std::get_if<deliver>(&order); batch != nullptr && batch->ticket != 0)
        caf::anon_send(owner_, delivery_settled{batch->ticket, 0});
    }
    inbox_.handled(orders_.size());
    orders_.clear();
    auto taken = inbox_.wait();
    std::move(taken.begin(), taken.end(), std::back_inserter(orders_));
  }
}

std::size_t stream_loop::streams_in(std::size_t descriptors) {
  return descriptors - std::min(fixed_descriptors + head_descriptors, descriptors / 2);
}

void stream_loop::on_client(int fd, clock::time_point now) {
  const auto taken = table_.size() + fixed_descriptors;
  const auto left = descriptors_ > taken ? descriptors_ - taken : 0;
  pending_.add(fd, std::max(std::min(options_.max_heads, left), std::size_t{1}), now);
}

void stream_loop::on_gathered() {
  announce_now();
  after_sockets();
}

std::optional<api_reply>
stream_loop::on_request(const client_socket& from, const request_head& request) {
  auto verdict = admission_.decide(request, from.fd, {table_.size(), openings_.size(), draining_});
  if (auto* reply = std::get_if<api_reply>(&verdict))
    return std::move(*reply);
  auto& admitted = std::get<stream_admission::admitted>(verdict);
  open(from, admitted.lease, admitted.opening);
  return std::nullopt;
}

header_list stream_loop::on_refusal(ec why) {
  return admission_.refuse_unread(why);
}

void stream_loop::open(
  const client_socket& from, stream_limits::lease lease, stream_opening& request) {
  const auto slot = table_.add(from.fd, secrets_(), lease);
  last_opening_ = clock::now();
  ++openings_since_trim_;
  openings_[slot] = {std::move(request.cors), request.http_1_0};
  if (from.watched) {
    sockets_.watch(from.fd, tag(kind::stream, slot), false);
  } else if (!sockets_.add(from.fd, tag(kind::stream, slot))) {
    return refuse_waiting(slot, admission_.busy(refusal::too_many), false);
  }
  const auto stream = table_.token_of(slot);
  open_deadlines_.push_back({last_opening_ + options_.open_timeout, stream});
  unannounced_.push_back(
    {std::move(request.id), stream, std::move(request.url), transport_kind::embedded,
     inbox_.address(), std::move(request.headers), std::move(request.last_event_id)});
}

/// At once, or a little later where others were announced just now.
void stream_loop::announce_openings() {
  if (unannounced_.empty())
    return;
  const auto now = clock::now();
  if (now >= next_announcement_) {
    announce_now();
    return;
  }
  if (acceptor_.gathering() || std::exchange(announcing_, true))
    return;
  announcement_.expires_at(next_announcement_);
  announcement_.async_wait([this](error_code error) {
    announcing_ = false;
    if (!error)
      announce_openings();
  });
}

void stream_loop::announce_now() {
  if (unannounced_.empty())
    return;
  next_announcement_ = clock::now() + announcement_pause;
  if (unannounced_.size() == 1)
    caf::anon_send(owner_, std::move(unannounced_.front()));
  else
    caf::anon_send(owner_, open_connections{std::move(unannounced_)});
  unannounced_.clear();
}

void stream_loop::on_inbox() {
  auto taken = inbox_.take();
  std::move(taken.begin(), taken.end(), std::back_inserter(orders_));
  work();
}

bool stream_loop::apply(loop_order& what) {
  if (fault_hook != nullptr)
    fault_hook(name_of(index_), "stream-loop", handler_moment::before);
  return std::visit(
    [this](auto& order) {
      if constexpr (std::is_same_v<std::decay_t<decltype(order)>, deliver>) {
        return apply_some(order);
      } else {
        apply_one(order);
        return true;
      }
    },
    what);
}

void stream_loop::apply_one(const attach_stream& order) {
  const auto slot = table_.find(order.stream);
  if (!slot || !table_.waiting(*slot))
    return;
  const auto waited = openings_.extract(*slot);
  auto head = render_stream_head(waited.mapped().http_1_0, waited.mapped().cors);
  append_retry(head, jitter_(options_.retry, options_.retry_spread));
  append_comment(head, "ok");
  table_.attach(*slot, std::move(head), order.missed);
}

void stream_loop::apply_one(const refuse_stream& order) {
  const auto slot = table_.find(order.stream);
  if (!slot || !table_.waiting(*slot))
    return;
  refuse_waiting(*slot, admission_.refused_by_owner(order.why, order.upstream_status), false);
}

void stream_loop::refuse_waiting(stream_slot slot, const api_reply& reply, bool report) {
  const auto waited = openings_.extract(slot);
  auto answer = reply;
  if (!waited.empty())
    answer.headers.insert(
      answer.headers.end(), waited.mapped().cors.begin(), waited.mapped().cors.end());
  table_.refuse(slot, render_reply(answer), report, clock::now());
}

void stream_loop::apply_one(const close_stream& order) {
  const auto slot = table_.find(order.stream);
  if (!slot)
    return;
  std::string farewell;
  if (order.reason == close_reason::replaced)
    append_retry(farewell, options_.replaced_retry);
  if (order.reason == close_reason::shutting_down)
    append_retry(farewell, jitter_(options_.drain_retry, options_.drain_retry_spread));
  if (order.farewell)
    append_event(farewell, {}, order.farewell->name, order.farewell->data);
  table_.close(*slot, std::move(farewell), clock::now());
}

void stream_loop::apply_one(drain_loop& order) {
  acceptor_.stop();
  draining_ = true;
  drain_next_ = 0;
  drained_ = std::move(order.drained);
}

void stream_loop::apply_one(const stop_loop&) {
  io_.stop();
}

/// Takes in as much of a batch as there is room for; true once it is all in.
bool stream_loop::apply_some(const deliver& order) {
  const auto& batch = *order.batch;
  if (order.ticket != 0 && batch_ticket_ == 0)
    batch_ticket_ = table_.tickets().open(order.ticket);
  for (std::size_t items = 0; batch_progress_ < batch.size(); ++items, ++batch_progress_) {
    const auto& item = batch[batch_progress_];
    if (items == slice_items)
      return false;
    if (item.only)
      send_to_one(item);
    else if (!broadcast(*item.what))
      return false;
  }
  if (batch_ticket_ != 0)
    table_.tickets().seal(batch_ticket_);
  batch_ticket_ = 0;
  batch_progress_ = 0;
  return true;
}

bool stream_loop::broadcast(const event& what) {
  if (table_.open_streams() == 0)
    return true;
  scratch_.clear();
  append_event(scratch_, options_.stand_in ? event_id{} : what.id, what.name, what.data);
  if (!table_.room_for(scratch_.size()))
    return false;
  table_.broadcast(scratch_, what.service, batch_ticket_);
  timed_.push_back({table_.log().end(), what.accepted, what.service});
  last_frame_ = clock::now();
  return true;
}

void stream_loop::send_to_one(const delivery& item) {
  const auto& what = *item.what;
  const auto slot = table_.find(*item.only);
  if (slot && !table_.waiting(*slot)) {
    std::string frame;
    append_event(frame, options_.stand_in ? event_id{} : what.id, what.name, what.data);
    if (table_.push(*slot, std::move(frame), what.service, batch_ticket_)) {
      timed_.push_back({table_.log().end(), what.accepted, what.service});
      return;
    }
  } else {
    caf::anon_send(owner_, delivery_failed{*item.only, "no such stream"});
  }
  metrics_.failed(what.service).Increment();
}

/// What it takes is how long whatever comes next has to wait.
void stream_loop::work() {
  const auto begin = clock::now();
  const bool more = work_a_round();
  handling_.Observe(std::chrono::duration<double>(clock::now() - begin).count());
  if (more)
    schedule();
}

/// True if there is more to do.
bool stream_loop::work_a_round() {
  for (std::size_t i = 0; i < slice_items && !orders_.empty(); ++i) {
    if (!apply(orders_.front()))
      break;
    orders_.pop_front();
    inbox_.handled(1);
    if (fault_hook != nullptr)
      fault_hook(name_of(index_), "stream-loop", handler_moment::after);
  }
  if (draining_)
    drain_some();
  if (scratch_.capacity() > keep_scratch && orders_.empty())
    std::string{}.swap(scratch_);
  const bool more = table_.run_slice(slice_sends);
  if (!more)
    bursts_.restart();
  count();
  settle();
  return more || !orders_.empty();
}

void stream_loop::schedule() {
  if (std::exchange(scheduled_, true))
    return;
  asio::post(io_, [this] {
    scheduled_ = false;
    work();
  });
}

/// Tells who waits for it what has come to its end.
void stream_loop::settle() {
  for (const auto& settled : table_.tickets().take_settled())
    caf::anon_send(owner_, settled);
  if (draining_ && drained_ && table_.size() == 0 && orders_.empty())
    std::exchange(drained_, nullptr)();
}

void stream_loop::count() {
  const auto& now = table_.tally();
  metrics_.count(counted_, now);
  counted_ = now;
  if (timed_.empty() || timed_.front().upto > table_.served_upto())
    return;
  const auto moment = clock::now();
  for (; !timed_.empty() && timed_.front().upto <= table_.served_upto(); timed_.pop_front()) {
    const std::chrono::duration<double> took = moment - timed_.front().accepted;
    metrics_.duration(timed_.front().service).Observe(took.count());
  }
}

void stream_loop::on_sockets() {
  watching_ = false;
  bool clients = false;
  bool orders = false;
  const auto events = sockets_.take();
  const auto now = clock::now();
  for (const auto& event : events) {
    switch (static_cast<kind>(event.tag.kind)) {
    case kind::listener:
      clients = true;
      break;
    case kind::inbox:
      orders = true;
      break;
    case kind::pending:
      pending_.on_event(event, now);
      break;
    case kind::stream:
      on_stream(event);
    }
  }
  // Last: they give places away for which there may have been an event in this round.
  if (clients)
    acceptor_.on_event(now);
  if (orders)
    on_inbox();
  if (!events.empty()) {
    announce_openings();
    after_sockets();
  }
  watching_ = true;
  socket_events_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
    if (!error)
      on_sockets();
  });
}

void stream_loop::after_sockets() {
  count();
  settle();
  if (table_.has_work())
    schedule();
}

void stream_loop::on_stream(const socket_event& event) {
  const auto slot = event.tag.index;
  const auto fd = table_.descriptor(slot);
  if (fd < 0)
    return;
  if ((event.what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    if ((event.what & EPOLLERR) != 0 && is_out_of_reach(error_of(fd)))
      metrics_.unreachable.Increment();
    table_.drop(slot, end_reason::client_closed);
    return;
  }
  if ((event.what & EPOLLIN) != 0) {
    std::array<char, 4096> unwanted; // NOLINT: written by recv
    const auto bytes = ::recv(fd, unwanted.data(), unwanted.size(), MSG_DONTWAIT);
    if (bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR))
      table_.drop(slot, end_reason::client_closed);
    else if (bytes > 0)
      table_.received(slot, static_cast<std::size_t>(bytes));
  }
  if ((event.what & EPOLLOUT) != 0)
    table_.writable(slot);
}

ssize_t stream_loop::write(int fd, const iovec* parts, int parts_count) {
  if (parts_count == 1)
    return judge(send_now(fd, parts->iov_base, parts->iov_len));
  return judge(send_now(fd, {parts, static_cast<std::size_t>(parts_count)}));
}

void stream_loop::write_each(std::span<socket_send> sends) {
  // A thread that waits for this core goes first, if the kernel counts it to the same group.
  bursts_.each(
    sends, [this](std::span<socket_send> some) { ring_.send(some); },
    [] { std::this_thread::yield(); });
  for (auto& send : sends)
    if (send.result < 0)
      send.result = judge(send.result);
}

/// What a send or its negative error number means to the table.
ssize_t stream_loop::judge(ssize_t result) {
  if (result >= 0)
    return result;
  const auto error = static_cast<int>(-result);
  // No memory now is no reason to give the stream up.
  if (error == EAGAIN || error == ENOBUFS || error == ENOMEM)
    return 0;
  if (is_out_of_reach(error))
    metrics_.unreachable.Increment();
  return -1;
}

void stream_loop::watch_writable(int fd, stream_slot slot, bool on) {
  sockets_.watch(fd, tag(kind::stream, slot), on);
}

void stream_loop::ended(const ended_stream& stream) {
  openings_.erase(stream.slot);
  stalls_.reset(stream.slot);
  // The table knows no sockets: its descriptors are numbers.
  const owned_fd closing{stream.fd};
  ::shutdown(stream.fd, SHUT_WR);
  limits_.release(stream.lease);
  if (!stream.report)
    return;
  // An end that came before its beginning would be forgotten, and the stream never.
  announce_now();
  caf::anon_send(owner_, stream_closed{stream.stream, stream.reason});
}

void stream_loop::arm_heartbeat() {
  if (options_.heartbeat.count() == 0)
    return;
  heartbeat_.expires_at(last_frame_ + options_.heartbeat);
  heartbeat_.async_wait([this](error_code error) {
    if (error)
      return;
    on_heartbeat();
    arm_heartbeat();
  });
}

void stream_loop::on_heartbeat() {
  const auto now = clock::now();
  if (now - last_frame_ < options_.heartbeat)
    return;
  last_frame_ = now;
  scratch_.clear();
  append_comment(scratch_, "heartbeat");
  if (!table_.room_for(scratch_.size()))
    return;
  table_.broadcast(scratch_, std::nullopt);
  schedule();
}

void stream_loop::arm_tick() {
  tick_.expires_after(tick);
  tick_.async_wait([this](error_code error) {
    if (error)
      return;
    on_tick();
    arm_tick();
  });
}

void stream_loop::on_tick() {
  const auto now = clock::now();
  // Mostly streams that have long opened.
  for (; !open_deadlines_.empty(); open_deadlines_.pop_front()) {
    const auto& first = open_deadlines_.front();
    const auto slot = table_.find(first.stream);
    if (!slot || !table_.waiting(*slot))
      continue;
    if (first.when > now)
      break;
    refuse_waiting(*slot, admission_.busy(refusal::unanswered), true);
    schedule();
  }
  table_.expire(now);
  pending_.expire(now);
  if (now - last_frame_ > tick && now - last_opening_ > tick)
    release_memory();
  metrics_.open.Set(static_cast<double>(table_.size()));
  metrics_.blocked.Set(static_cast<double>(table_.blocked_streams()));
  metrics_.log_bytes.Set(static_cast<double>(table_.log().end() - table_.log().begin()));
  metrics_.backlog.Set(static_cast<double>(orders_.size()));
  count();
  settle();
}

void stream_loop::arm_patrol() {
  if (options_.give_up_after.count() == 0)
    return;
  const auto round = std::clamp(options_.give_up_after / patrols, shortest_patrol, longest_patrol);
  const auto slices = (table_.slots() + slice_patrol - 1) / slice_patrol;
  patrol_.expires_after(round / std::max<std::size_t>(slices, 1));
  patrol_.async_wait([this](error_code error) {
    if (error)
      return;
    patrol();
    arm_patrol();
  });
}

/// Gives streams up that stand still. The kernel keeps trying to tell their clients for a while
/// (`listen_on`): a page that comes within reach again gets the rest and the end, and comes back.
void stream_loop::patrol() {
  const auto now = clock::now();
  if (patrol_next_ >= table_.slots())
    patrol_next_ = 0;
  const auto stop = std::min<std::size_t>(patrol_next_ + slice_patrol, table_.slots());
  for (; patrol_next_ < stop; ++patrol_next_) {
    const auto fd = table_.descriptor(patrol_next_);
    if (fd < 0)
      continue;
    const auto progress = tcp_progress_of(fd);
    if (!progress || !stalls_.look(patrol_next_, *progress, now))
      continue;
    metrics_.unreachable.Increment();
    table_.drop(patrol_next_, end_reason::client_closed);
  }
  settle();
}

/// In a quiet moment. Opening a stream takes several times the memory that it keeps, and malloc
/// would not give back what lies between.
void stream_loop::release_memory() {
  table_.release_memory();
  if (openings_since_trim_ < openings_worth_a_trim || !openings_.empty())
    return;
  openings_since_trim_ = 0;
  std::unordered_map<stream_slot, opening>{}.swap(openings_);
  std::vector<open_connection>{}.swap(unannounced_);
  ::malloc_trim(0);
}

void stream_loop::drain_some() {
  const auto now = clock::now();
  const auto stop = std::min<std::size_t>(drain_next_ + slice_closes, table_.slots());
  for (; drain_next_ < stop; ++drain_next_) {
    if (table_.descriptor(drain_next_) < 0)
      continue;
    if (table_.waiting(drain_next_)) {
      refuse_waiting(drain_next_, admission_.busy(refusal::shutting_down), true);
      continue;
    }
    std::string farewell;
    append_retry(farewell, jitter_(options_.drain_retry, options_.drain_retry_spread));
    table_.close(drain_next_, std::move(farewell), now);
  }
  if (drain_next_ < table_.slots())
    schedule();
}

} // namespace herald
