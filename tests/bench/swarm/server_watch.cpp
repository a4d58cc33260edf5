#include "tests/bench/swarm/server_watch.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include <unistd.h>

namespace herald::bench {

namespace {

std::string proc(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

/// What /proc/PID/stat says of a process; nothing if it is gone.
struct process_stat {
  pid_t parent = 0;
  double user = 0;
  double system = 0;
};

std::optional<process_stat> stat_of(pid_t pid) {
  std::ifstream file{proc(pid, "stat")};
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');
  if (name_end == text.npos)
    return std::nullopt;
  std::istringstream fields{text.substr(name_end + 1)};
  process_stat found;
  std::string skipped;
  fields >> skipped >> found.parent;
  for (int i = 0; i < 9; ++i)
    fields >> skipped;
  fields >> found.user >> found.system;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  found.user /= ticks;
  found.system /= ticks;
  return found;
}

double cpu_clock(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0)
    return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

/// The number behind `key` in a file of "key number" lines.
std::uint64_t field(const std::string& path, const std::string& key) {
  std::ifstream file{path};
  for (std::string word; file >> word;)
    if (word == key) {
      std::uint64_t value = 0;
      file >> value;
      return value;
    }
  return 0;
}

std::vector<std::pair<pid_t, pid_t>> children_and_parents() {
  std::vector<std::pair<pid_t, pid_t>> found;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc", gone}) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid > 0)
      if (const auto stat = stat_of(pid))
        found.emplace_back(pid, stat->parent);
  }
  return found;
}

} // namespace

server_watch::server_watch(std::vector<pid_t> roots, std::vector<pid_t> beside)
  : roots_(std::move(roots)),
    all_(roots_),
    beside_(std::move(beside)) {}

void server_watch::find_descendants() {
  const auto processes = children_and_parents();
  all_ = roots_;
  for (std::size_t i = 0; i < all_.size(); ++i)
    for (const auto& [child, parent] : processes)
      if (parent == all_[i] && std::find(all_.begin(), all_.end(), child) == all_.end())
        all_.push_back(child);
}

cpu_reading server_watch::cpu() const {
  cpu_reading read;
  for (const auto pid : all_) {
    read.server += cpu_clock(pid);
    if (const auto stat = stat_of(pid)) {
      read.server_user += stat->user;
      read.server_system += stat->system;
    }
  }
  for (const auto pid : beside_)
    read.beside += cpu_clock(pid);
  read.client = cpu_clock(::getpid());
  std::ifstream file{"/proc/stat"};
  std::string label;
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0;
  file >> label >> user >> nice >> system >> idle >> wait >> irq >> softirq >> steal;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  read.machine = (user + nice + system + irq + softirq) / ticks;
  read.stolen = steal / ticks;
  read.at = now();
  return read;
}

memory_reading server_watch::memory() const {
  memory_reading read;
  for (const auto pid : all_) {
    read.rss += field(proc(pid, "smaps_rollup"), "Rss:");
    read.pss += field(proc(pid, "smaps_rollup"), "Pss:");
  }
  std::ifstream sockets{"/proc/net/sockstat"};
  for (std::string line; std::getline(sockets, line);)
    if (const auto at = line.find(" mem "); line.starts_with("TCP:") && at != line.npos)
      read.tcp_buffers = std::stoull(line.substr(at + 5))
                         * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
  read.slab = field("/proc/meminfo", "Slab:");
  return read;
}

std::uint64_t server_watch::rss() const {
  std::uint64_t pages = 0;
  for (const auto pid : all_) {
    std::ifstream file{proc(pid, "statm")};
    std::uint64_t size = 0, resident = 0;
    file >> size >> resident;
    pages += resident;
  }
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

} // namespace herald::bench
