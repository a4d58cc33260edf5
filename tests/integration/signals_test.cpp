#include <csignal>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"

namespace herald {
namespace {

using namespace testing;

TEST(Signals, HupReadsTheConfigurationAgain) {
  const temporary_folder folder;
  const auto file = folder.write("herald.json", R"({"log":{"level":"info"}})");
  herald_process herald{{"--config", file}};
  folder.write("herald.json", R"({"log":{"level":"debug"},"tasks":{"workers":7}})");
  herald.signal(SIGHUP);
  EXPECT_TRUE(herald.logs(" info herald reloaded changed=log.level"));
  EXPECT_TRUE(herald.logs(" warning herald needs_restart settings=tasks.workers"));
  http_client{herald.api_port()}.get("/healthz");
  EXPECT_EQ(herald.terminate(), exited(0));
}

TEST(Signals, HupWithABadFileChangesNothing) {
  const temporary_folder folder;
  const auto file = folder.write("herald.json", R"({"log":{"level":"info"}})");
  herald_process herald{{"--config", file}};
  folder.write("herald.json", R"({"log":{"level":"loud"}})");
  herald.signal(SIGHUP);
  EXPECT_TRUE(herald.logs(" error herald not_reloaded reason="));
  EXPECT_EQ(http_client{herald.api_port()}.get("/readyz").status, 200);
  EXPECT_EQ(herald.terminate(), exited(0));
}

TEST(Signals, OthersAreIgnoredWithAWord) {
  herald_process herald;
  for (const int number : {SIGUSR1, SIGUSR2, SIGALRM}) {
    herald.signal(number);
    EXPECT_TRUE(herald.logs(" info herald signal_ignored signal=" + std::to_string(number)));
  }
  EXPECT_EQ(http_client{herald.api_port()}.get("/readyz").status, 200);
  EXPECT_EQ(herald.terminate(), exited(0));
}

TEST(Signals, QuitEndsAsTermDoes) {
  herald_process herald;
  herald.signal(SIGQUIT);
  EXPECT_EQ(herald.wait(), exited(0));
}

} // namespace
} // namespace herald
