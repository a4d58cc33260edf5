#include "tests/chaos/publisher.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "tests/support/http_client.hpp"

namespace herald::testing {

using namespace std::chrono_literals;

publisher::publisher(std::string name, std::uint16_t api_port, options how)
  : name_(std::move(name)),
    options_(how),
    port_(api_port),
    allowed_(how.allowed),
    thread_([this] { run(); }) {}

void publisher::stop() {
  stopping_ = true;
  if (thread_.joinable())
    thread_.join();
}

void publisher::run() {
  using clock = std::chrono::steady_clock;
  const auto* const target = options_.waits ? "/api/events?wait=true&wait_ms=2000" : "/api/events";
  std::uint32_t next = 1;
  auto port = port_.load();
  auto api = std::make_unique<http_client>(port);
  while (!stopping_) {
    if (port != port_) {
      port = port_;
      api = std::make_unique<http_client>(port);
    }
    if (next > allowed_) {
      std::this_thread::sleep_for(1ms);
      continue;
    }
    const auto first = next;
    next += static_cast<std::uint32_t>(options_.batch);
    const auto asked = clock::now();
    const auto reply = api->post(target, body(first));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - asked);
    slowest_ = std::max(slowest_.load(), took);
    const bool is_taken = reply.status == (options_.waits ? 200 : 202);
    if (is_taken) {
      for (auto number = first; number < next; ++number)
        taken_.push_back(number);
      taken_count_ = taken_.size();
    } else {
      ++refused_;
    }
    if (options_.pace.count() > 0 || !is_taken)
      std::this_thread::sleep_for(std::max(options_.pace, std::chrono::milliseconds{1}));
  }
}

std::string publisher::body(std::uint32_t first) const {
  const auto event = [this](std::uint32_t number) {
    return R"({"event":"chaos","text":")" + name_ + " " + std::to_string(number)
           + (options_.filler > 0 ? " " + std::string(options_.filler, 'x') : "") + "\"}";
  };
  if (options_.batch == 1)
    return event(first);
  std::string list = "[";
  for (std::size_t i = 0; i < options_.batch; ++i)
    list += (i > 0 ? "," : "") + event(first + static_cast<std::uint32_t>(i));
  return list + "]";
}

void publisher::add_to(ledger& book) const {
  book[name_] = taken_;
}

ledger stop_all(std::vector<std::unique_ptr<publisher>>& publishers) {
  ledger book;
  for (const auto& p : publishers) {
    p->stop();
    p->add_to(book);
  }
  return book;
}

std::vector<std::unique_ptr<publisher>>
start_publishers(std::uint16_t api_port, std::size_t count, publisher::options how) {
  std::vector<std::unique_ptr<publisher>> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back(std::make_unique<publisher>("p" + std::to_string(i), api_port, how));
  return all;
}

} // namespace herald::testing
