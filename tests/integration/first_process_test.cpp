#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/herald_process.hpp"

namespace herald {
namespace {

using namespace testing;

/// herald as process 1, as a container starts it. Wants to be root.
class FirstProcess : public ::testing::Test {
protected:
  FirstProcess()
    : script(folder.write(
      "herald", "#!/bin/sh\nexec unshare --pid --fork --mount-proc --kill-child "
                  + std::string{HERALD_BINARY} + " \"$@\"\n")) {
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  }

  /// The number outside of process 1 inside.
  static pid_t first_of(const herald_process& herald) {
    const auto outside = std::to_string(herald.pid());
    return std::atoi(text_of("/proc/" + outside + "/task/" + outside + "/children").c_str());
  }

  temporary_folder folder;
  std::string script;
};

/// Whether a shell is among the children of a process, be it one that has ended and was not reaped.
bool has_a_shell(pid_t parent) {
  const auto number = std::to_string(parent);
  std::istringstream children{text_of("/proc/" + number + "/task/" + number + "/children")};
  for (std::string child; children >> child;)
    if (text_of("/proc/" + child + "/comm") == "sh\n")
      return true;
  return false;
}

TEST_F(FirstProcess, ReapsWhatFallsToIt) {
  herald_process herald{herald_options{{}, {}, {}, script}};
  const auto first = first_of(herald);
  // As `docker exec` does it; the shell inside outlives its parent, and ends as process 1's child.
  const auto left = run_program(
    {"nsenter", "--target", std::to_string(first), "--pid", "sh", "-c",
     "sh -c 'sleep 0.1; true' & exit 0"});
  EXPECT_EQ(left.status, exited(0)) << left.standard_error;
  EXPECT_TRUE(eventually([&] { return !has_a_shell(first); }));
}

TEST_F(FirstProcess, EndsWithZeroWhenAsked) {
  herald_process herald{herald_options{{}, {}, {}, script}};
  ::kill(first_of(herald), SIGTERM);
  EXPECT_EQ(herald.wait(), exited(0));
}

} // namespace
} // namespace herald
