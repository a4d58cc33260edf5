#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "actors/system/child_output.hpp"
#include "actors/system/child_process.hpp"
#include "actors/workers/command_host.hpp"
#include "actors/workers/line_budget.hpp"

namespace herald {

/// A child process at work for a task, from its start until it is reaped. Runs on one loop; its
/// pending operations keep it alive.
///
/// Where the child ends by itself, whoever is left of its group is killed at once. A child that is
/// stopped may be a shell around the program that matters: then the others have the time until
/// SIGKILL, too, as long as one of them holds the pipes.
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

  /// An output stream of the child.
  struct source {
    explicit source(boost::asio::io_context& io);
    descriptor from;
    line_budget budget;
    /// Runs while the budget is spent.
    boost::asio::steady_timer pause;
    /// Since the budget was last asked.
    std::size_t lines = 0;
    bool open = true;
  };

  void write_input(std::size_t written);
  void await_output(source& stream);
  /// The same, once the budget allows it: who writes more meanwhile waits, its pipe is full.
  void go_on_reading(source& stream);
  /// Reads what is in the pipe, up to `max_bytes`; never waits for more.
  void read(source& stream, std::size_t max_bytes);
  void on_bytes(source& stream, std::string_view bytes);
  void on_line(std::string_view line);
  void report_progress();
  void await_exit();
  /// Called when the child has ended, and when anything else that the report waits for has.
  void report_end_if_due();
  void report_end(const child_exit& how);
  void await_reaping();
  /// The end of what it has written to stderr, behind a colon; empty if there is nothing.
  [[nodiscard]] std::string complaints();

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
  bool killed_ = false;
  bool child_ended_ = false;
  bool over_ = false; ///< reported; all that is left to do is reaping
};

} // namespace herald
