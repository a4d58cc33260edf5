#include "tests/chaos/process_use.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace herald::testing {

namespace {

namespace fs = std::filesystem;

/// The descriptors of a thread as "number -> what", by which two threads with one table are known.
std::set<std::string> table_of(const fs::path& thread) {
  std::set<std::string> table;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator{thread / "fd", gone}) {
    std::error_code ignored;
    table.insert(
      entry.path().filename().string() + " " + fs::read_symlink(entry.path(), ignored).string());
  }
  return table;
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
  std::set<std::set<std::string>> tables;
  std::error_code gone;
  for (const auto& thread : fs::directory_iterator{folder / "task", gone})
    tables.insert(table_of(thread.path()));
  for (const auto& table : tables)
    use.descriptors += table.size();
  return use;
}

} // namespace herald::testing
