#include "tests/chaos/process_use.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace herald::testing {

namespace {

namespace fs = std::filesystem;

bool share_descriptors(pid_t one, pid_t other) {
  return ::syscall(SYS_kcmp, one, other, KCMP_FILES, 0, 0) == 0;
}

std::size_t descriptors_of(const fs::path& thread) {
  std::error_code gone;
  const fs::directory_iterator entries{thread / "fd", gone};
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

std::size_t number_after(std::ifstream&& file, const std::string& name) {
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name))
      return std::stoul(line.substr(name.size()));
  return 0;
}

} // namespace

process_use use_of(pid_t process) {
  const auto folder = fs::path{"/proc"} / std::to_string(process);
  process_use use;
  use.rss_kib = number_after(std::ifstream{folder / "status"}, "VmRSS:");
  use.threads = number_after(std::ifstream{folder / "status"}, "Threads:");
  // A thread for each table.
  std::vector<pid_t> tables;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator{folder / "task", gone}) {
    const auto thread = static_cast<pid_t>(std::stol(entry.path().filename().string()));
    const auto shares = [thread](pid_t other) {
      return share_descriptors(thread, other);
    };
    if (std::none_of(tables.begin(), tables.end(), shares)) {
      tables.push_back(thread);
      use.descriptors += descriptors_of(entry.path());
    }
  }
  return use;
}

} // namespace herald::testing
