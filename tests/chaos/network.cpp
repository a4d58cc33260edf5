#include "tests/chaos/network.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <exception>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/child_program.hpp"

namespace herald::testing {

namespace {

using clock = std::chrono::steady_clock;

void run(std::vector<std::string> arguments) {
  std::string line;
  for (const auto& argument : arguments)
    line += argument + " ";
  const auto done = run_program(std::move(arguments));
  if (done.status.code != 0)
    throw std::runtime_error{line + ": " + done.standard_error};
}

/// A device in the network that this thread is in.
int open_tun(const std::string& name) {
  const auto fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ifreq wanted{};
  wanted.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(wanted.ifr_name, name.c_str(), IFNAMSIZ - 1);
  if (fd < 0 || ::ioctl(fd, TUNSETIFF, &wanted) != 0)
    throw std::runtime_error{"no TUN device: " + std::string{std::strerror(errno)}};
  return fd;
}

/// What may wait for the cable at each end. A device has room for 500 packets unless told
/// otherwise, which some hundred streams fill when all of them begin to send again.
constexpr const char* queue_packets = "100000";

/// How long the cable waits for a packet while none is under way.
constexpr int idle_ms = 20;

/// Packets that this device, in the network that this thread is in, could not take.
std::size_t dropped_by(const std::string& device) {
  std::ifstream devices{"/proc/thread-self/net/dev"};
  for (std::string word; devices >> word;) {
    if (word != device + ":")
      continue;
    // Bytes, packets, errors and drops of both directions; received ones have 8 numbers.
    std::array<std::size_t, 12> numbers{};
    for (auto& number : numbers)
      devices >> number;
    return numbers[3] + numbers[11];
  }
  return 0;
}

struct packet {
  std::size_t to = 0;
  std::vector<char> bytes;
};

} // namespace

cabled_network::cabled_network(std::uint32_t seed) {
  // Interface names have at most 15 characters; addresses of TEST-NET-2, two for each process.
  const auto id = static_cast<unsigned>(::getpid());
  name_ = "hc" + std::to_string(id);
  server_ = "198.51.100." + std::to_string(id % 127 * 2);
  client_ = "198.51.100." + std::to_string(id % 127 * 2 + 1);
  run({"ip", "netns", "add", name_});
  try {
    home_ = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    there_ = ::open(("/run/netns/" + name_).c_str(), O_RDONLY | O_CLOEXEC);
    ends_[0] = open_tun(name_ + "a");
    inside([this] { ends_[1] = open_tun(name_ + "b"); });
    run({"ip", "addr", "add", server_, "peer", client_, "dev", name_ + "a"});
    run({"ip", "link", "set", name_ + "a", "txqueuelen", queue_packets, "up"});
    run({"ip", "-n", name_, "addr", "add", client_, "peer", server_, "dev", name_ + "b"});
    run({"ip", "-n", name_, "link", "set", name_ + "b", "txqueuelen", queue_packets, "up"});
  } catch (...) {
    close_all();
    throw;
  }
  carrier_ = std::thread{[this, seed] {
    carry(seed);
  }};
}

cabled_network::~cabled_network() {
  stopping_ = true;
  carrier_.join();
  close_all();
}

void cabled_network::close_all() {
  for (const auto fd : {ends_[0], ends_[1], home_, there_})
    if (fd >= 0)
      ::close(fd);
  (void)run_program({"ip", "netns", "del", name_});
}

void cabled_network::inside(const std::function<void()>& make) const {
  // Of this thread alone.
  if (::setns(there_, CLONE_NEWNET) != 0)
    throw std::runtime_error{"cannot enter the network namespace"};
  std::exception_ptr failed;
  try {
    make();
  } catch (...) {
    failed = std::current_exception();
  }
  if (::setns(home_, CLONE_NEWNET) != 0)
    throw std::runtime_error{"cannot leave the network namespace"};
  if (failed)
    std::rethrow_exception(failed);
}

std::size_t cabled_network::dropped() const {
  auto sum = not_written_ + dropped_by(name_ + "a");
  inside([&] { sum += dropped_by(name_ + "b"); });
  return sum;
}

void cabled_network::carry(std::uint32_t seed) {
  // Copper does not wait for a processor. Of this thread alone, on Linux.
  ::setpriority(PRIO_PROCESS, 0, -20);
  std::minstd_rand random{seed};
  std::multimap<clock::time_point, packet> under_way;
  std::array<char, 65536> bytes; // NOLINT: written by read
  auto last = clock::now();
  while (!stopping_) {
    auto now = clock::now();
    longest_round_ = std::max(
      longest_round_.load(),
      std::chrono::duration_cast<std::chrono::milliseconds>(now - std::exchange(last, now)));
    for (; !under_way.empty() && under_way.begin()->first <= now;
         under_way.erase(under_way.begin())) {
      const auto& [to, content] = under_way.begin()->second;
      if (::write(ends_.at(to), content.data(), content.size()) < 0)
        ++not_written_;
    }
    std::array<pollfd, 2> readable = {pollfd{ends_[0], POLLIN, 0}, pollfd{ends_[1], POLLIN, 0}};
    ::poll(readable.data(), readable.size(), under_way.empty() ? idle_ms : 1);
    now = clock::now();
    const auto how = current();
    for (std::size_t from = 0; from < ends_.size(); ++from) {
      for (int i = 0; i < 256; ++i) {
        const auto got = ::read(ends_.at(from), bytes.data(), bytes.size());
        if (got <= 0)
          break;
        ++packets_;
        if (random() % 1000 < how.lost) {
          ++lost_;
          continue;
        }
        const auto spread = static_cast<unsigned>(how.jitter.count()) + 1;
        const auto due = now + how.delay + std::chrono::milliseconds{random() % spread};
        under_way.emplace(due, packet{1 - from, {bytes.begin(), bytes.begin() + got}});
      }
    }
  }
}

std::unique_ptr<cabled_network> lay_cable(std::uint32_t seed, std::string& why_not) {
  try {
    return std::make_unique<cabled_network>(seed);
  } catch (const std::runtime_error& e) {
    why_not = std::string{"no network namespace here: "} + e.what();
    return nullptr;
  }
}

} // namespace herald::testing
