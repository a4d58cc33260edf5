#include "http/service/process.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>

#include "actors/system/owned_fd.hpp"
#include "actors/system/program_keeper.hpp"
#include "actors/telemetry/log.hpp"
#include "actors/telemetry/metrics.hpp"
#include "http/config/command_line.hpp"
#include "http/service/first_process.hpp"
#include "http/service/reload.hpp"
#include "http/service/start_check.hpp"
#include "http/service/start_words.hpp"
#include "http/service/termination.hpp"
#include "http/service/thread_in_reserve.hpp"
#include "http/service/work_sharing.hpp"
#include "messages/json/json_writer.hpp"

namespace herald {

namespace {

constexpr const char* component = "herald";

/// Gives the settings of the process, read anew.
using settings_reader = std::function<parse_result()>;

/// Exit codes; 2 is for wrong settings (see command_line.hpp), 128 + n for a second signal n.
constexpr int exit_cannot_start = 1;
constexpr int exit_gave_up = 3;

/// How long the last lines of the log may take to be written.
constexpr std::chrono::seconds last_lines{1};

/// Ends the process without destructors and without flushing, which what is left would hold up.
[[noreturn]] void leave(int exit_code) {
  static_cast<void>(log::drain(last_lines));
  _exit(exit_code);
}

/// Opens /dev/null on those of the standard descriptors that are closed: what herald opens next
/// would take their numbers, and log lines would go into it.
void keep_standard_descriptors() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(standard, F_GETFD) < 0) {
      // Takes the lowest number that is free: this one. Programs of tasks have their own.
      owned_fd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
      static_cast<void>(nothing.release());
    }
}

/// malloc's own threshold for blocks that it maps on their own rises to the largest that was ever
/// freed. A large table that is made anew, as happens with many comings and goings, would then
/// leave a hole in the heap, which small blocks fill before the next table can: herald would
/// grow with each. 256 KiB is above what most events and requests need; what is kept for reuse at
/// the end of the heap is twice that, as is malloc's own rule.
void keep_large_blocks_apart() {
  constexpr int large = 256 * 1024;
  ::mallopt(M_MMAP_THRESHOLD, large);
  ::mallopt(M_TRIM_THRESHOLD, 2 * large);
}

std::string draft_of(const std::string& ports_file) {
  return ports_file + ".new";
}

/// Makes the draft anew, so that neither a link that somebody has planted in its place nor what a
/// former life has left there is written through. False where it cannot be written.
bool write_draft(const std::string& draft, std::string_view text) {
  ::unlink(draft.c_str());
  constexpr auto anew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const owned_fd file{::open(draft.c_str(), anew, 0666)};
  return file.get() >= 0
         && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// Throws where the file cannot be written: a program that waits for it would wait for ever.
void check_ports_file(const std::string& file) {
  const auto draft = draft_of(file);
  if (!write_draft(draft, {}))
    throw std::runtime_error("--print-ports: " + file + " cannot be written");
  ::unlink(draft.c_str());
}

void write_ports(const std::string& file, const open_ports& ports) {
  object_writer json;
  json.number("api", ports.api);
  if (ports.stream)
    json.number("stream", *ports.stream);
  // Whole or not at all: whoever waits for the file may read it at once.
  const auto draft = draft_of(file);
  if (!write_draft(draft, json.finish() + '\n') || std::rename(draft.c_str(), file.c_str()) != 0)
    log::error(component, "ports_not_written", {{"file", file}});
}

/// Names the ports that are open.
void log_start(const open_ports& ports) {
  const log::field version{"version", HERALD_VERSION};
  const log::field api{"api_port", ports.api};
  if (ports.stream)
    log::info(component, "started", {version, api, {"stream_port", *ports.stream}});
  else
    log::info(component, "started", {version, api});
}

/// The sum of what all steps of a shutdown may take, and then some: whatever hangs, herald ends.
std::chrono::milliseconds longest_shutdown(const config& c, shutdown_reason why) {
  using namespace std::chrono_literals;
  if (why == shutdown_reason::gave_up)
    return 10s;
  std::chrono::milliseconds time = 30s;
  for (const auto& [_, child] : c.supervision.children)
    time += child.shutdown_ms;
  return time + c.shutdown.grace_s + c.tasks.kill_after_ms + c.gateway.retry_ms
         + 2 * c.callback.timeout_ms;
}

/// Shuts down, come what may; at the latest when it has taken too long. Only returns where nothing
/// is left behind.
void shut_down(
  std::unique_ptr<service> running, const config& settings, termination& end,
  const std::atomic<bool>& gave_up, thread_in_reserve& reserve) {
  const auto why = gave_up ? shutdown_reason::gave_up : shutdown_reason::asked;
  const auto deadline = std::chrono::steady_clock::now() + longest_shutdown(settings, why);
  std::vector<std::string> left_behind;
  std::atomic<bool> closed = false;
  reserve.run([&] {
    left_behind = running->shut_down(why);
    if (left_behind.empty())
      running.reset();
    closed = true;
    end.request();
  });
  const auto exit_code = [&] {
    return gave_up ? exit_gave_up : EXIT_SUCCESS;
  };
  while (!closed)
    if (!end.wait_until(deadline)) {
      log::error(component, "shutdown_overdue");
      leave(exit_code());
    }
  reserve.join();
  if (left_behind.empty())
    return;
  log::error(component, "stopped", {{"left_behind", left_behind.size()}});
  leave(exit_code());
}

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names)
    list.append(list.empty() ? "" : ",").append(name);
  return list;
}

/// Reads the settings again. A file that is not good changes nothing.
void read_again(const settings_reader& read, config& running, service& served) {
  const auto parsed = read();
  if (const auto* bad = std::get_if<early_exit>(&parsed)) {
    const std::string_view text = bad->text;
    log::error(component, "not_reloaded", {{"reason", text.substr(0, text.find('\n'))}});
    return;
  }
  const auto outcome = reload(running, std::get<run_options>(parsed).settings);
  if (outcome.broken) {
    log::error(component, "not_reloaded", {{"reason", outcome.broken->rule}});
    return;
  }
  log::configure(running.log);
  served.reconfigure(running);
  log::info(component, "reloaded", {{"changed", joined(outcome.changed)}});
  if (!outcome.needs_restart.empty())
    log::warning(component, "needs_restart", {{"settings", joined(outcome.needs_restart)}});
}

/// Runs until it is told to end. Gives the exit code.
int run(
  const run_options& options, const settings_reader& read, termination& end,
  const route_adder& more) {
  if (!options.print_ports_file.empty())
    check_ports_file(options.print_ports_file);
  caf::actor_system_config actors;
  actors.set("logger.file-verbosity", caf::atom("quiet"));
  // CAF's default, work stealing, has idle workers poll: half of the CPU time of a calm herald.
  // Its own sharing spends more on waking them than they work.
  actors.load<work_sharing::scheduler>();
  // As many as can run; CAF's own least of four would only wake each other.
  actors.set(
    "scheduler.max-threads", std::max<std::size_t>(2, std::thread::hardware_concurrency()));
  // Where no thread can be made any more, herald ends in order all the same.
  thread_in_reserve reserve;
  metrics numbers;
  numbers.counted_elsewhere(
    "herald_log_lines_lost_total", "Lines of the log that were lost: too many waited, or no write.",
    [] { return static_cast<double>(log::lines_lost()); });
  std::atomic<bool> gave_up = false;
  caf::actor_system system{actors};
  const auto give_up = [&] {
    gave_up = true;
    end.request();
  };
  auto service = make_service(options.settings, system, numbers, give_up, more);
  service->start();
  const auto ports = service->ports();
  if (!options.print_ports_file.empty())
    write_ports(options.print_ports_file, ports);
  log_start(ports);

  auto running = options.settings;
  auto signal = end.wait();
  for (; signal == SIGHUP; signal = end.wait())
    read_again(read, running, *service);
  log::info(component, "shutdown_started", {{"signal", signal}, {"gave_up", gave_up.load()}});
  shut_down(std::move(service), options.settings, end, gave_up, reserve);
  log::info(component, "stopped");
  return gave_up ? exit_gave_up : EXIT_SUCCESS;
}

/// Tells whether herald would start. Gives the exit code that it would have.
int check_start(const run_options& options) {
  for (const auto& warning : options.warnings)
    std::printf("warning: %s\n", warning.c_str());
  if (const auto obstacle = obstacle_to_start(options.settings)) {
    std::fprintf(stderr, "herald: %s\n", obstacle->c_str());
    return exit_cannot_start;
  }
  std::puts("the configuration is good");
  return EXIT_SUCCESS;
}

} // namespace

int run_process(int argc, char** argv, const route_adder& more) {
  if (is_keeper(argc, argv))
    keep_program(argc, argv);
  keep_standard_descriptors();
  if (const auto exit_code = watch_over_herald(argc, argv, environ))
    return *exit_code;
  keep_large_blocks_apart();
  const settings_reader read = [start = start_words{argc, argv, environ}] {
    return start.load();
  };
  const auto parsed = read();
  start_words::hide_secrets(argc, argv, environ);
  if (const auto* early = std::get_if<early_exit>(&parsed)) {
    std::fputs(early->text.c_str(), early->to_stderr ? stderr : stdout);
    return early->exit_code;
  }
  const auto& options = std::get<run_options>(parsed);
  if (options.only_check)
    return check_start(options);
  log::configure(options.settings.log);
  log::write_behind(options.settings.log);
  // Programs of tasks run as the same user, who could read all of a process that is dumpable.
  if (!options.settings.tasks.commands.empty())
    ::prctl(PR_SET_DUMPABLE, 0);
  for (const auto& warning : options.warnings)
    log::warning(component, "setting_ignored", {{"detail", warning}});
  try {
    termination end;
    const auto exit_code = run(options, read, end, more);
    static_cast<void>(log::drain(last_lines));
    return exit_code;
  } catch (const std::exception& e) {
    static_cast<void>(log::drain(last_lines));
    std::fprintf(stderr, "herald: %s\n", e.what());
    return exit_cannot_start;
  }
}

} // namespace herald
