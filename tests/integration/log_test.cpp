#include <array>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/system/owned_fd.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace testing;

/// A pipe with a name, which nobody reads until the test does.
class named_pipe {
public:
  explicit named_pipe(const temporary_folder& folder) : path_((folder / "pipe").string()) {
    EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    fd_ = owned_fd{::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    EXPECT_EQ(::fcntl(fd_.get(), F_SETPIPE_SZ, 4096), 4096);
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Reads until this has come.
  bool comes(const std::string& piece) {
    return eventually([&] {
      std::array<char, 4096> part{};
      const auto got = ::read(fd_.get(), part.data(), part.size());
      text_.append(part.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
      return text_.find(piece) != std::string::npos;
    });
  }

private:
  std::string path_;
  owned_fd fd_;
  std::string text_;
};

class Log : public ::testing::Test {
protected:
  /// A herald whose log goes to the pipe.
  herald_options into_the_pipe(std::vector<std::string> arguments) {
    const auto script = folder.write(
      "herald",
      "#!/bin/sh\nexec " + std::string{HERALD_BINARY} + " \"$@\" 2>" + pipe.path() + "\n");
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    arguments.insert(arguments.end(), {"--log-level", "debug"});
    return {std::move(arguments), {}, {}, script};
  }

  /// Has more logged than the pipe takes; each is answered.
  static void say_much(const herald_process& herald) {
    http_client api{herald.api_port()};
    for (int i = 0; i < 200; ++i)
      ASSERT_EQ(api.post("/api/tasks", R"({"type":"failing","params":{"delay":0}})").status, 202);
    ASSERT_EQ(api.post("/api/events", R"({"event":"n","data":1})").status, 202);
  }

  temporary_folder folder;
  named_pipe pipe{folder};
};

TEST_F(Log, HoldsUpNeitherWorkNorTheEndWhereNobodyReadsIt) {
  herald_process herald{into_the_pipe({})};
  say_much(herald);
  EXPECT_EQ(herald.terminate(), exited(0));
}

TEST_F(Log, CountsLinesThatWereLostAndTellsOnceThereIsRoom) {
  herald_process herald{into_the_pipe({"--log-max-queue-lines", "16"})};
  say_much(herald);
  http_client api{herald.api_port()};
  EXPECT_GT(metric(api, "herald_log_lines_lost_total"), 0);
  EXPECT_TRUE(pipe.comes(" warning log lines_lost count="));
}

TEST_F(Log, DoesNotKeepASecondSignalWaiting) {
  herald_process herald{into_the_pipe({"--shutdown-grace-s", "3600"})};
  say_much(herald);
  http_client api{herald.api_port()};
  ASSERT_EQ(api.post("/api/tasks", R"({"type":"external"})").status, 202);
  herald.signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return api.get("/readyz").status == 503; }));
  herald.signal(SIGINT);
  EXPECT_EQ(herald.wait(), exited(128 + SIGINT));
}

} // namespace
} // namespace herald
