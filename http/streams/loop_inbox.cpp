#include "http/streams/loop_inbox.hpp"

#include <cerrno>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/actor_companion.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <poll.h>

namespace herald {

namespace {

/// Whoever sent it is answered from the loop's thread. The answer names no sender: it may come when
/// the inbox is no more.
backlog_query query_of(caf::mailbox_element& letter) {
  auto answer = [to = letter.sender, id = letter.mid.response_id()](stream_backlogs found) {
    if (to)
      to->enqueue(nullptr, id, caf::make_message(std::move(found)), nullptr);
  };
  return {letter.content().get_as<get_backlogs>(0).streams, std::move(answer)};
}

} // namespace

loop_inbox::loop_inbox(caf::actor_system& system, prometheus::Gauge* depth_shown)
  : depth_shown_(depth_shown) {
  // Hidden: the actor system must not wait for it, since it never ends by itself.
  companion_ = system.spawn<caf::actor_companion, caf::hidden>();
  caf::actor_cast<caf::actor_companion*>(companion_)
    ->on_enqueue([this](const caf::mailbox_element_ptr& letter) {
      const auto& content = letter->content();
      if (content.match_elements<deliver>())
        put(content.get_as<deliver>(0));
      else if (content.match_elements<attach_stream>())
        put(content.get_as<attach_stream>(0));
      else if (content.match_elements<close_stream>())
        put(content.get_as<close_stream>(0));
      else if (content.match_elements<change_reach>())
        put(content.get_as<change_reach>(0));
      else if (content.match_elements<refuse_stream>())
        put(content.get_as<refuse_stream>(0));
      else if (content.match_elements<get_backlogs>())
        put(query_of(*letter));
      else if (content.match_elements<inside_order>())
        put(content.get_as<inside_order>(0));
      else if (content.match_elements<caf::exit_msg>())
        put(stop_loop{});
    });
  address_ = caf::actor_cast<delivery_actor>(caf::actor_cast<caf::strong_actor_ptr>(companion_));
}

loop_inbox::~loop_inbox() {
  loop_ended();
}

child_started loop_inbox::as_child(std::string name, std::string kind) const {
  return {
    std::move(name),
    caf::actor_cast<restartable_actor>(caf::actor_cast<caf::strong_actor_ptr>(companion_)),
    std::move(kind), depth_};
}

void loop_inbox::loop_ended() {
  auto* const companion = caf::actor_cast<caf::actor_companion*>(companion_);
  // Waits for senders that are inside the handler; later ones find none.
  companion->on_enqueue(nullptr);
  companion->cleanup(caf::exit_reason::normal, nullptr);
}

void loop_inbox::put(loop_order order) {
  bool first = false;
  // Before the loop can be done with it.
  count(1);
  {
    const std::lock_guard lock{mutex_};
    first = waiting_.empty();
    waiting_.push_back(std::move(order));
  }
  if (first)
    wake_.raise();
}

void loop_inbox::count(std::int64_t more) {
  const auto depth = depth_->fetch_add(more) + more;
  if (depth_shown_ != nullptr)
    depth_shown_->Set(static_cast<double>(depth));
}

std::vector<loop_order> loop_inbox::take_orders() {
  // Lowered first: what comes in after the swap raises it again.
  wake_.lower();
  std::vector<loop_order> taken;
  const std::lock_guard lock{mutex_};
  taken.swap(waiting_);
  return taken;
}

std::vector<loop_order> loop_inbox::await_orders() {
  pollfd wake{wake_.get(), POLLIN, 0};
  while (::poll(&wake, 1, -1) < 0 && errno == EINTR) {
  }
  return take_orders();
}

} // namespace herald
