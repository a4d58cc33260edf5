#include "tests/chaos/network.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "tests/support/child_program.hpp"

namespace herald::testing {

namespace {

void run(std::vector<std::string> arguments) {
  std::string line;
  for (const auto& argument : arguments)
    line += argument + " ";
  const auto done = run_program(std::move(arguments));
  if (done.status.code != 0)
    throw std::runtime_error{line + ": " + done.standard_error};
}

} // namespace

cabled_network::cabled_network() {
  // Interface names have at most 15 characters; addresses of TEST-NET-2, a /30 for each process.
  const auto id = static_cast<unsigned>(::getpid());
  name_ = "hc" + std::to_string(id);
  const auto subnet = id % 64 * 4;
  server_ = "198.51.100." + std::to_string(subnet + 1);
  client_ = "198.51.100." + std::to_string(subnet + 2);
  run({"ip", "netns", "add", name_});
  try {
    run(
      {"ip", "link", "add", name_ + "a", "type", "veth", "peer", "name", name_ + "b", "netns",
       name_});
    run({"ip", "addr", "add", server_ + "/30", "dev", name_ + "a"});
    run({"ip", "link", "set", name_ + "a", "up"});
    run({"ip", "-n", name_, "addr", "add", client_ + "/30", "dev", name_ + "b"});
    run({"ip", "-n", name_, "link", "set", name_ + "b", "up"});
    // The module may be missing: better found now.
    disturb("delay 0ms");
    mend();
    home_ = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    there_ = ::open(("/run/netns/" + name_).c_str(), O_RDONLY | O_CLOEXEC);
    if (home_ < 0 || there_ < 0)
      throw std::runtime_error{"cannot open a network namespace"};
  } catch (...) {
    // The interfaces go with the namespace.
    (void)run_program({"ip", "netns", "del", name_});
    throw;
  }
}

cabled_network::~cabled_network() {
  ::close(home_);
  ::close(there_);
  (void)run_program({"ip", "netns", "del", name_});
}

void cabled_network::inside(const std::function<void()>& make) const {
  // Of this thread alone.
  if (::setns(there_, CLONE_NEWNET) != 0)
    throw std::runtime_error{"cannot enter the network namespace"};
  make();
  if (::setns(home_, CLONE_NEWNET) != 0)
    throw std::runtime_error{"cannot leave the network namespace"};
}

void cabled_network::disturb(const std::string& how) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < how.size();) {
    const auto end = std::min(how.find(' ', at), how.size());
    words.push_back(how.substr(at, end - at));
    at = end + 1;
  }
  const std::vector<std::vector<std::string>> ends = {
    {"tc", "qdisc", "replace", "dev", name_ + "a"},
    {"ip", "netns", "exec", name_, "tc", "qdisc", "replace", "dev", name_ + "b"}};
  for (auto line : ends) {
    line.insert(line.end(), {"root", words.empty() ? "pfifo" : "netem"});
    line.insert(line.end(), words.begin(), words.end());
    run(std::move(line));
  }
}

} // namespace herald::testing
