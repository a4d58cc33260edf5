#include "http/sockets/socket_loop.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/post.hpp>

namespace herald {

namespace {

/// Sends in one call.
constexpr unsigned max_batch = 64;

/// Lets what is done for many sockets go on after one of them has thrown.
class each_in_turn {
public:
  template <class Step>
  void operator()(Step step) noexcept {
    try {
      step();
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }
  /// Throws what the last one has thrown, if any has.
  void rethrow() const {
    if (thrown_)
      std::rethrow_exception(thrown_);
  }

private:
  std::exception_ptr thrown_;
};

} // namespace

socket_loop::socket_loop(bool io_uring) : io_uring_(io_uring) {
  await_events();
}

socket_loop::~socket_loop() {
  // The set closes it.
  events_.release();
}

std::optional<socket_loop::place> socket_loop::add(int fd, loop_socket& owner) {
  if (free_.empty()) {
    free_.push_back(static_cast<place>(entries_.size()));
    entries_.emplace_back();
  }
  const auto where = free_.back();
  if (!sockets_.add(fd, {0, where}))
    return std::nullopt;
  free_.pop_back();
  entries_[where] = {fd, &owner};
  return where;
}

void socket_loop::watch_writable(place where, bool on) {
  sockets_.watch(entries_[where].fd, {0, where}, on);
}

void socket_loop::remove(place where) {
  sockets_.remove(entries_[where].fd);
  entries_[where] = {};
  free_.push_back(where);
  if (const auto queued = std::find(senders_.begin(), senders_.end(), where);
      queued != senders_.end()) {
    sends_.erase(sends_.begin() + (queued - senders_.begin()));
    senders_.erase(queued);
  }
  // Its result is for nobody.
  std::replace(senders_now_.begin(), senders_now_.end(), where, static_cast<place>(-1));
}

void socket_loop::send(place where, const void* bytes, std::size_t count) {
  sends_.push_back({entries_[where].fd, bytes, count, 0});
  senders_.push_back(where);
  if (sends_.size() == 1)
    boost::asio::post(io_, [this] { flush(); });
}

void socket_loop::await_events() {
  events_.async_wait(
    boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
      if (error)
        return;
      // Afterwards, or it would be told at once of what it is about to take; also if that throws.
      const std::unique_ptr<socket_loop, decltype([](socket_loop* l) { l->await_events(); })> again{
        this};
      take_events();
    });
}

void socket_loop::take_events() {
  each_in_turn told;
  for (const auto& event : sockets_.take())
    if (auto* const owner = entries_[event.tag.index].owner; owner != nullptr)
      told([&] { owner->ready(event.what); });
  told.rethrow();
}

void socket_loop::flush() {
  // Sends that owners make in answer to this are for the next flush.
  std::swap(sends_, sends_now_);
  std::swap(senders_, senders_now_);
  if (!ring_)
    ring_.emplace(io_uring_ ? max_batch : 0);
  ring_->send(sends_now_);
  each_in_turn told;
  for (std::size_t i = 0; i < sends_now_.size(); ++i)
    if (const auto where = senders_now_[i]; where != static_cast<place>(-1))
      told([&] { entries_[where].owner->sent(sends_now_[i].result); });
  sends_now_.clear();
  senders_now_.clear();
  told.rethrow();
}

} // namespace herald
