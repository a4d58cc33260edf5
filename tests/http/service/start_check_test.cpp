#include "http/service/start_check.hpp"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "http/sockets/listeners.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald {
namespace {

/// With ports that are free.
config good() {
  config c;
  c.api.port = 0;
  c.stream.port = 0;
  return c;
}

/// Empty if there is none.
std::string obstacle(const config& c) {
  return obstacle_to_start(c).value_or("");
}

TEST(StartCheck, FindsNothingWhereHeraldWouldStart) {
  EXPECT_EQ(obstacle(good()), "");
  const testing::temporary_folder folder;
  auto with_journal = good();
  with_journal.journal.path = (folder / "journal.db").string();
  EXPECT_EQ(obstacle(with_journal), "");
  EXPECT_FALSE(std::filesystem::exists(with_journal.journal.path)) << "nothing is left behind";
}

TEST(StartCheck, NamesAPortThatIsTaken) {
  const auto taken = listen_on("127.0.0.1", 0, 1);
  const auto number = std::to_string(taken.port);
  auto c = good();
  c.stream.port = taken.port;
  EXPECT_EQ(
    obstacle(c), "stream.host, stream.port: cannot listen on 127.0.0.1 port " + number
                   + ": Address already in use");
  c = good();
  c.api.port = taken.port;
  EXPECT_EQ(
    obstacle(c),
    "api.host, api.port: cannot listen on 127.0.0.1 port " + number + ": Address already in use");
}

TEST(StartCheck, LeavesThePortOfStreamsAloneWhereAGatewayHasThem) {
  const auto taken = listen_on("127.0.0.1", 0, 1);
  auto c = good();
  c.gateway.url = "http://127.0.0.1:1";
  c.stream.port = taken.port;
  EXPECT_EQ(obstacle(c), "");
}

TEST(StartCheck, NamesAFileThatHasNoKey) {
  const testing::temporary_folder folder;
  auto c = good();
  c.auth.secret_file = folder.write("secret", std::string(32, 's') + '\n');
  EXPECT_EQ(obstacle(c), "");
  c.auth.jwks_file = folder.write("keys", "{}");
  EXPECT_EQ(obstacle(c), "auth.jwks_file: keys must be an array of keys");
  c.auth.secret_file = folder.write("secret", "short");
  EXPECT_EQ(obstacle(c), "auth.secret_file: must have at least 32 bytes");
}

TEST(StartCheck, LeavesNoListenerBehind) {
  const auto port = listen_on("127.0.0.1", 0, 1).port;
  auto c = good();
  c.stream.port = port;
  EXPECT_EQ(obstacle(c), "");
  EXPECT_EQ(listen_on("127.0.0.1", port, 1).port, port);
}

TEST(StartCheck, NamesAHostThatIsNotKnown) {
  auto c = good();
  c.api.host = "no.such.host.invalid";
  EXPECT_EQ(obstacle(c).find("api.host: no.such.host.invalid cannot be resolved: "), 0u)
    << obstacle(c);
}

TEST(StartCheck, NamesAJournalThatCannotBe) {
  const testing::temporary_folder folder;
  auto c = good();
  c.journal.path = (folder / "missing" / "journal.db").string();
  EXPECT_EQ(obstacle(c), "journal.path: there is no folder " + (folder / "missing").string());
  c.journal.path = folder.path().string();
  EXPECT_EQ(obstacle(c), "journal.path: " + folder.path().string() + " is a folder");
}

} // namespace
} // namespace herald
