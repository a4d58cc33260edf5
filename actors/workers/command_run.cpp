#include "actors/workers/command_run.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <caf/send.hpp>

#include "actors/telemetry/log.hpp"
#include "messages/text/utf8.hpp"
#include "messages/type_ids.hpp"
#include "messages/wire/task_input.hpp"

namespace herald {

namespace {

constexpr const char* component = "task-worker";

constexpr std::size_t max_line_bytes = max_task_json_bytes;
constexpr std::size_t max_stderr_bytes = 4096;
/// Of a command that has not failed.
constexpr std::size_t max_logged_stderr_bytes = 1024;
/// Read from a pipe before others have their turn.
constexpr std::size_t max_read_bytes = std::size_t{64} * 1024;
/// Read at most from the pipe of a child that has ended: a process outside of its group may hold
/// the other end, and go on writing.
constexpr std::size_t max_drain_bytes = std::size_t{1024} * 1024;
constexpr std::chrono::milliseconds reap_interval{5};
/// Of one output stream, in a time: 20,000 lines a second take a few percent of a core.
constexpr std::size_t most_lines = 2000;
constexpr std::chrono::milliseconds line_period{100};
/// Reading costs, too, where no line ends.
constexpr std::size_t bytes_of_a_line = 512;

std::string_view trim_end(std::string_view text) {
  const auto last = text.find_last_not_of(" \t\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string describe_end(const child_exit& how) {
  if (!how.error.empty())
    return how.error;
  if (!how.by_signal)
    return "exit code " + std::to_string(how.code);
  auto text = "ended by signal " + std::to_string(how.code);
  if (const auto* name = ::sigabbrev_np(how.code); name != nullptr)
    text.append(" (SIG").append(name).append(")");
  return text;
}

} // namespace

command_run::source::source(boost::asio::io_context& io)
  : from(io),
    budget(most_lines, line_period),
    pause(io) {}

command_run::command_run(
  boost::asio::io_context& io, command_job job, const command_host_options& options,
  child_process child, prometheus::Counter& dropped_lines, done_handler done)
  : job_(std::move(job)),
    options_(options),
    child_(std::move(child)),
    dropped_lines_(dropped_lines),
    done_(std::move(done)),
    input_(io, child_.input.release()),
    output_(io),
    errors_(io),
    exited_(io, child_.exited.release()),
    kill_timer_(io),
    progress_timer_(io),
    reap_timer_(io),
    lines_(max_line_bytes),
    errors_tail_(max_stderr_bytes) {
  output_.from.assign(child_.output.release());
  errors_.from.assign(child_.errors.release());
  for (auto* stream : {&output_, &errors_})
    stream->from.non_blocking(true);
}

void command_run::start() {
  log::debug(component, "command_started", {{"task_id", job_.id.str()}, {"pid", child_.pid()}});
  await_exit();
  await_output(output_);
  await_output(errors_);
  write_input(0);
}

void command_run::stop() {
  if (stopped_ || over_)
    return;
  stopped_ = true;
  child_.signal(SIGTERM);
  kill_timer_.expires_after(options_.kill_after);
  kill_timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error || self->over_)
      return;
    log::warning(component, "command_killed", {{"task_id", self->job_.id.str()}});
    self->killed_ = true;
    self->child_.signal(SIGKILL);
    self->report_end_if_due();
  });
}

void command_run::write_input(std::size_t written) {
  if (written >= job_.input.size()) {
    error_code ignored;
    input_.close(ignored);
    job_.input = {};
    return;
  }
  input_.async_write_some(
    boost::asio::buffer(job_.input.data() + written, job_.input.size() - written),
    [self = shared_from_this(), written](error_code error, std::size_t size) {
      // A child that does not want its input closes it: no concern of ours.
      if (!self->over_)
        self->write_input(error ? self->job_.input.size() : written + size);
    });
}

// Waiting and reading are apart, so that no operation of the loop ever holds bytes that the end of
// the child, handled before it, would miss.
void command_run::await_output(source& stream) {
  stream.from.async_wait(
    descriptor::wait_read, [self = shared_from_this(), &stream](error_code error) {
      if (error || self->over_)
        return;
      self->read(stream, max_read_bytes);
      if (stream.open)
        self->go_on_reading(stream);
      else
        self->report_end_if_due();
    });
}

void command_run::go_on_reading(source& stream) {
  const auto now = std::chrono::steady_clock::now();
  const auto due = stream.budget.spend(std::exchange(stream.lines, 0), now);
  if (due <= now)
    return await_output(stream);
  stream.pause.expires_at(due);
  stream.pause.async_wait([self = shared_from_this(), &stream](error_code error) {
    if (!error && !self->over_)
      self->await_output(stream);
  });
}

void command_run::read(source& stream, std::size_t max_bytes) {
  std::array<char, 16384> buffer;
  error_code error;
  for (std::size_t taken = 0; !error && taken < max_bytes;) {
    const auto size = stream.from.read_some(boost::asio::buffer(buffer), error);
    on_bytes(stream, {buffer.data(), size});
    taken += size;
  }
  stream.open = !error || error == boost::asio::error::would_block;
}

void command_run::on_bytes(source& stream, std::string_view bytes) {
  stream.lines += static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'))
                  + bytes.size() / bytes_of_a_line;
  if (&stream == &errors_)
    errors_tail_.feed(bytes);
  else
    lines_.feed(bytes, [this](std::string_view line) { on_line(line); });
}

void command_run::on_line(std::string_view line) {
  auto report = parse_child_line(line);
  if (!report || stopped_)
    return;
  if (report->result_json)
    result_json_ = std::move(*report->result_json);
  if (!report->value && !report->text)
    return;
  value_ = report->value.value_or(value_);
  if (report->text)
    text_ = std::move(report->text);
  untold_ = true;
  if (!resting_)
    report_progress();
}

void command_run::report_progress() {
  untold_ = false;
  caf::anon_send(job_.runner, task_progressed{job_.id, value_, std::exchange(text_, std::nullopt)});
  resting_ = true;
  progress_timer_.expires_after(options_.progress_interval);
  progress_timer_.async_wait([self = shared_from_this()](error_code error) {
    self->resting_ = false;
    if (!error && !self->over_ && !self->stopped_ && self->untold_)
      self->report_progress();
  });
}

void command_run::await_exit() {
  exited_.async_wait(descriptor::wait_read, [self = shared_from_this()](error_code error) {
    if (error)
      return;
    self->child_ended_ = true;
    self->report_end_if_due();
  });
}

void command_run::report_end_if_due() {
  const bool tidying_up = stopped_ && !killed_ && (output_.open || errors_.open);
  if (child_ended_ && !over_ && !tidying_up)
    report_end(child_.finish());
}

void command_run::report_end(const child_exit& how) {
  read(output_, max_drain_bytes);
  read(errors_, max_drain_bytes);
  lines_.flush([this](std::string_view line) { on_line(line); });
  over_ = true;
  if (lines_.dropped() > 0) {
    dropped_lines_.Increment(static_cast<double>(lines_.dropped()));
    log::warning(
      component, "lines_dropped",
      {{"task_id", job_.id.str()}, {"lines", lines_.dropped()}, {"longer_than", max_line_bytes}});
  }
  log::debug(
    component, "command_ended",
    {{"task_id", job_.id.str()}, {"code", how.code}, {"by_signal", how.by_signal}});
  const bool failed = !how.error.empty() || how.by_signal || how.code != 0;
  if (!stopped_) {
    if (untold_)
      report_progress();
    task_finished report{job_.id, result_json_.empty() ? "null" : std::move(result_json_), {}};
    if (failed) {
      report.public_error = describe_end(how);
      report.error = *report.public_error + (how.error.empty() ? complaints() : std::string{});
    }
    caf::anon_send(job_.runner, std::move(report));
  }
  // The error of a failure has it already.
  if (const auto said = trim_end(errors_tail_.text()); !said.empty() && (stopped_ || !failed))
    log::info(
      component, "command_stderr",
      {{"task_id", job_.id.str()},
       {"stopped", stopped_},
       {"end", utf8_end(said, max_logged_stderr_bytes)}});
  error_code ignored;
  for (auto* open : {&input_, &output_.from, &errors_.from, &exited_})
    open->close(ignored);
  for (auto* timer : {&kill_timer_, &progress_timer_, &output_.pause, &errors_.pause})
    timer->cancel();
  await_reaping();
}

void command_run::await_reaping() {
  if (child_.reap()) {
    caf::anon_send(job_.runner, worker_idle{job_.worker});
    done_();
    return;
  }
  reap_timer_.expires_after(reap_interval);
  reap_timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error)
      self->await_reaping();
  });
}

std::string command_run::complaints() {
  const auto said = trim_end(errors_tail_.text());
  return said.empty() ? std::string{} : ": " + utf8_end(said, max_stderr_bytes);
}

} // namespace herald
