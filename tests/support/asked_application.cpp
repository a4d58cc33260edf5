#include "tests/support/asked_application.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "tests/support/eventually.hpp"
#include "tests/support/loopback_server.hpp"

namespace herald::testing {

namespace {

constexpr std::size_t threads = 16;

} // namespace

struct asked_application::inside {
  void take(const httplib::Request& asked, httplib::Response& reply) {
    std::unique_lock lock{mutex};
    questions.push_back(asked);
    changed.wait(lock, [this] { return !held; });
    const auto answer = how;
    lock.unlock();
    if (asked.path == "/authorize")
      answer(asked, reply);
    else
      reply.status = 404;
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<httplib::Request> questions;
  rule how;
  bool held = false;
  loopback_server server;
};

asked_application::asked_application(int port) : inside_(std::make_unique<inside>()) {
  answer_with(R"({"subject":"ann"})");
  auto& in = *inside_;
  in.server.new_task_queue = [] {
    return new httplib::ThreadPool{threads}; // NOLINT: the server deletes it
  };
  const auto take = [&in](const httplib::Request& asked, httplib::Response& reply) {
    in.take(asked, reply);
  };
  in.server.Get(".*", take);
  in.server.Post(".*", take);
  in.server.start(port);
}

asked_application::~asked_application() {
  let_go();
}

std::string asked_application::url() const {
  return inside_->server.url("/authorize");
}

void asked_application::answer_by(rule how) {
  const std::lock_guard lock{inside_->mutex};
  inside_->how = std::move(how);
}

void asked_application::answer_with(std::string body) {
  answer_by([body = std::move(body)](const httplib::Request&, httplib::Response& reply) {
    reply.set_content(body, "application/json");
  });
}

void asked_application::hold() {
  const std::lock_guard lock{inside_->mutex};
  inside_->held = true;
}

void asked_application::let_go() {
  const std::lock_guard lock{inside_->mutex};
  inside_->held = false;
  inside_->changed.notify_all();
}

std::vector<httplib::Request> asked_application::questions() const {
  const std::lock_guard lock{inside_->mutex};
  return inside_->questions;
}

bool asked_application::wait_for_questions(std::size_t count) const {
  return eventually([&] { return this->count() >= count; });
}

} // namespace herald::testing
