#include "actors/workers/command_host.hpp"

#include <csignal>
#include <exception>
#include <map>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <caf/send.hpp>

#include "actors/telemetry/log.hpp"
#include "actors/workers/command_run.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// The thread and what is on it. All members but `io` belong to the thread.
class command_host::loop {
public:
  loop(command_host_options options, metrics& numbers)
    : options_(options),
      dropped_lines_(numbers.counter(
        "herald_task_lines_dropped_total", "Lines of commands' output that were too long.")),
      thread_([this] { run(); }) {
    // SIGCHLD may be ignored by whoever started herald: the kernel then reaps children, and how
    // they ended is lost.
    ::signal(SIGCHLD, SIG_DFL);
  }

  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  ~loop() {
    io.stop();
    thread_.join();
  }

  void start(const command_job& job) {
    try {
      auto child = child_process::start(job.program);
      if (!child)
        return give_back(job, describe(child.error()).detail);
      const auto run = std::make_shared<command_run>(
        io, job, options_, std::move(*child), dropped_lines_,
        [this, id = job.id] { runs_.erase(id); });
      runs_.emplace(job.id, run);
      run->start();
    } catch (const std::exception& e) {
      give_back(job, e.what());
    }
  }

  static void give_back(const command_job& job, std::string why) {
    caf::anon_send(job.runner, task_finished{job.id, {}, std::move(why)});
    caf::anon_send(job.runner, worker_idle{job.worker});
  }

  void abort(const task_id& id) {
    if (const auto found = runs_.find(id); found != runs_.end())
      found->second->stop();
  }

  void release(std::size_t worker, const task_runner_actor& runner) {
    for (const auto& [id, run] : runs_) {
      if (run->job().worker == worker) {
        run->stop();
        return;
      }
    }
    caf::anon_send(runner, worker_idle{worker});
  }

  boost::asio::io_context io{1};

private:
  void run() {
    // Signals are for the main thread; and writing to a child that does not read must not be one.
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    for (;;) {
      try {
        io.run();
        break;
      } catch (const std::bad_alloc&) {
        // A line of the log would need what there is none of.
      } catch (const std::exception& e) {
        log::error("task-worker", "host_failed", {{"what", e.what()}});
      }
    }
  }

  command_host_options options_;
  prometheus::Counter& dropped_lines_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy_{io.get_executor()};
  std::map<task_id, std::shared_ptr<command_run>> runs_;
  std::thread thread_;
};

command_host::command_host(command_host_options options, metrics& numbers)
  : loop_(std::make_unique<loop>(options, numbers)) {}

command_host::~command_host() = default;

void command_host::start(command_job job) {
  boost::asio::post(loop_->io, [loop = loop_.get(), job = std::move(job)] { loop->start(job); });
}

void command_host::abort(const task_id& id) {
  boost::asio::post(loop_->io, [loop = loop_.get(), id] { loop->abort(id); });
}

void command_host::release(std::size_t worker, const task_runner_actor& runner) {
  boost::asio::post(
    loop_->io, [loop = loop_.get(), worker, runner] { loop->release(worker, runner); });
}

} // namespace herald
