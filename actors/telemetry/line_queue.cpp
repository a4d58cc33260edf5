#include "actors/telemetry/line_queue.hpp"

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include <spdlog/async.h>
#include <spdlog/sinks/sink.h>

#include "actors/system/signals_blocked.hpp"

namespace herald::log {

namespace {

/// False if it cannot be written to its end. A descriptor that does not block is waited for.
bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd full{descriptor, POLLOUT, 0};
      ::poll(&full, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

std::shared_ptr<spdlog::details::thread_pool> thread_without_signals(std::size_t most_lines) {
  const signals_blocked meanwhile;
  return std::make_shared<spdlog::details::thread_pool>(most_lines, 1);
}

} // namespace

/// What the thread does with a line.
class line_queue::writer : public spdlog::sinks::sink {
public:
  writer(line_queue& queue, int descriptor, tell_lost tell)
    : queue_(queue),
      descriptor_(descriptor),
      tell_(std::move(tell)) {}

  void log(const spdlog::details::log_msg& message) override {
    write({message.payload.data(), message.payload.size()});
    queue_.bytes_ -= message.payload.size();
    const auto left = --queue_.lines_;
    const std::uint64_t lost = queue_.lost_;
    if (
      lost == told_ || left > queue_.limits_.lines / 2 || queue_.bytes_ > queue_.limits_.bytes / 2)
      return;
    write(tell_(lost - told_));
    told_ = lost;
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

private:
  void write(std::string_view line) {
    text_.assign(line).append("\n");
    if (!write_all(descriptor_, text_))
      ++queue_.lost_;
  }

  line_queue& queue_;
  int descriptor_;
  tell_lost tell_;
  std::uint64_t told_ = 0;
  std::string text_;
};

line_queue::line_queue(int descriptor, const queue_limits& limits, tell_lost tell)
  : limits_(limits),
    thread_(thread_without_signals(limits.lines)),
    // The limits above are what is kept to; spdlog's own are never reached.
    logger_(std::make_shared<spdlog::async_logger>(
      "herald", std::make_shared<writer>(*this, descriptor, std::move(tell)), thread_,
      spdlog::async_overflow_policy::overrun_oldest)) {}

line_queue::~line_queue() {
  // Ends once all is written, and with it the logger's last user.
  thread_.reset();
  logger_.reset();
}

void line_queue::push(std::string_view line) {
  if (++lines_ > limits_.lines) {
    --lines_;
    ++lost_;
    return;
  }
  if ((bytes_ += line.size()) > limits_.bytes) {
    bytes_ -= line.size();
    --lines_;
    ++lost_;
    return;
  }
  logger_->log(spdlog::level::info, spdlog::string_view_t{line.data(), line.size()});
}

bool line_queue::drain(std::chrono::milliseconds longest) const {
  const auto deadline = std::chrono::steady_clock::now() + longest;
  while (lines_ != 0) {
    if (std::chrono::steady_clock::now() >= deadline)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

} // namespace herald::log
