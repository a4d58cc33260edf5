// Sends one request again and again, each over a connection of its own, so many a second, and
// counts the answers: what somebody does who tries tokens.
//
//   herald_flood PORT RATE SECONDS < HEAD
//
// HEAD is the request; prints {"sent":N,"failed":N,"late":N,"answers":{"401":N}} as JSON.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/bench/swarm/clock.hpp"
#include "tests/bench/swarm/descriptor.hpp"
#include "tests/bench/swarm/sockets.hpp"

namespace herald::bench {
namespace {

/// Each has ports of its own, of which one rests for a minute after its connection.
constexpr std::uint32_t sources = 100;
constexpr std::size_t most_at_once = 512;
constexpr nanos patience = 5 * second;

struct attempt {
  descriptor socket;
  std::string answer{};
};

struct tally {
  std::uint64_t sent = 0;
  std::uint64_t failed = 0;
  /// Were due while too many others were under way.
  std::uint64_t late = 0;
  std::map<std::string, std::uint64_t> answers{};
};

class flood {
public:
  flood(std::uint16_t port, double rate, std::string request)
    : port_(port),
      interval_(static_cast<nanos>(1e9 / rate)),
      request_(std::move(request)),
      attempts_(most_at_once) {
    for (auto& one : attempts_)
      free_.push_back(&one);
  }

  tally run(nanos time) {
    const auto end = now() + time;
    for (auto due = now(); now() < end;) {
      for (; due <= now(); due += interval_)
        begin();
      wait();
    }
    for (const auto last = now() + patience; free_.size() < attempts_.size() && now() < last;)
      wait();
    return std::move(tally_);
  }

private:
  void begin() {
    if (free_.empty()) {
      ++tally_.late;
      return;
    }
    auto& one = *free_.back();
    free_.pop_back();
    one.socket = begin_connect(port_, next_source_++ % sources, 0);
    sockets_.add(one.socket.get(), EPOLLOUT, &one);
  }

  void wait() {
    std::array<epoll_event, 256> events{};
    const auto count = ::epoll_wait(sockets_.get(), events.data(), events.size(), 1);
    for (int i = 0; i < count; ++i) {
      auto& event = events.at(static_cast<std::size_t>(i));
      auto& one = *static_cast<attempt*>(event.data.ptr);
      if ((event.events & EPOLLOUT) != 0)
        send(one);
      else
        receive(one);
    }
  }

  void send(attempt& one) {
    const auto sent = ::send(one.socket.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request_.size()))
      return end(one);
    ++tally_.sent;
    sockets_.change(one.socket.get(), EPOLLIN, &one);
  }

  /// To the end of the connection, as the server ends it.
  void receive(attempt& one) {
    std::array<char, 4096> bytes{};
    const auto size = ::recv(one.socket.get(), bytes.data(), bytes.size(), 0);
    if (size <= 0)
      return end(one);
    one.answer.append(bytes.data(), static_cast<std::size_t>(size));
  }

  void end(attempt& one) {
    constexpr std::size_t status_at = 9;
    if (one.answer.size() > status_at + 3)
      ++tally_.answers[one.answer.substr(status_at, 3)];
    else
      ++tally_.failed;
    one.socket.close();
    one.answer.clear();
    free_.push_back(&one);
  }

  std::uint16_t port_;
  nanos interval_;
  std::string request_;
  epoll_set sockets_;
  std::vector<attempt> attempts_;
  std::vector<attempt*> free_;
  std::uint32_t next_source_ = 0;
  tally tally_;
};

} // namespace
} // namespace herald::bench

int main(int argc, char** argv) {
  using namespace herald::bench;
  const std::vector<std::string> arguments{argv + 1, argv + argc};
  if (arguments.size() != 3) {
    std::cerr << "usage: herald_flood PORT RATE SECONDS < HEAD\n";
    return EXIT_FAILURE;
  }
  try {
    const std::string head{std::istreambuf_iterator<char>{std::cin}, {}};
    flood all{static_cast<std::uint16_t>(std::stoul(arguments[0])), std::stod(arguments[1]), head};
    const auto [sent, failed, late, answers] = all.run(from_seconds(std::stod(arguments[2])));
    std::cout << R"({"sent":)" << sent << R"(,"failed":)" << failed << R"(,"late":)" << late
              << R"(,"answers":{)";
    const char* comma = "";
    for (const auto& [status, count] : answers)
      std::cout << std::exchange(comma, ",") << '"' << status << "\":" << count;
    std::cout << "}}" << std::endl;
    return EXIT_SUCCESS;
  } catch (const std::exception& e) {
    std::cerr << "flood: " << e.what() << "\n";
    return EXIT_FAILURE;
  }
}
