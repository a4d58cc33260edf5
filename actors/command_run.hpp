#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "actors/child_output.hpp"
#include "actors/child_process.hpp"
#include "actors/command_host.hpp"

namespace herald {

/// One child process at work for a task, from its start until it is reaped. Lives on one loop; its
/// pending operations keep it alive.
class command_run : public std::enable_shared_from_this<command_run> {
public:
  using done_handler = std::function<void()>;

  command_run(
    boost::asio::io_context& io, command_job job, const command_host_options& options,
    child_process child, prometheus::Counter& dropped_lines, done_handler done);

  void start();

  /// SIGTERM now, SIGKILL if that does not help. No report follows but `worker_idle`.
  void stop();

  [[nodiscard]] const command_job& job() const noexcept { return job_; }

private:
  using descriptor = boost::asio::posix::stream_descriptor;
  using error_code = boost::system::error_code;

  /// An output stream of the child and the buffer it is read into.
  struct source {
    explicit source(boost::asio::io_context& io) : from(io) {}
    descriptor from;
    std::array<char, 16384> buffer{};
  };

  void write_input(std::size_t written);
  void read(source& stream);
  void take(source& stream, std::string_view bytes);
  /// What is left in the pipe after the child has ended; never waits for more.
  void drain(source& stream);
  void take_line(std::string_view line);
  void report_progress();
  void await_exit();
  void exited(const child_exit& how);
  void await_reaping();
  [[nodiscard]] std::string describe_end(const child_exit& how) const;

  command_job job_;
  command_host_options options_;
  child_process child_;
  prometheus::Counter& dropped_lines_;
  done_handler done_;

  descriptor input_;
  source output_;
  source errors_;
  descriptor exited_;
  boost::asio::steady_timer kill_timer_;
  boost::asio::steady_timer progress_timer_;
  boost::asio::steady_timer reap_timer_;

  line_splitter lines_;
  stream_tail errors_tail_;
  std::string result_json_;
  double value_ = 0.0;
  std::optional<std::string> text_;
  bool untold_ = false;
  bool resting_ = false; ///< between two progress reports
  bool stopped_ = false;
  bool ended_ = false;
};

} // namespace herald
