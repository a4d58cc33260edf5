#include <csignal>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "http/sockets/tcp_progress.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald {
namespace {

using namespace testing;

TEST(Binary, SendsAFirstEvent) {
  herald_process herald;
  sse_client stream{herald.stream_port(), stream_target("page-1")};
  ASSERT_TRUE(stream.open());
  http_client api{herald.api_port()};
  const auto answer = api.post("/api/events", R"({"event":"greeting","data":{"text":"hello"}})");
  EXPECT_EQ(answer.status, 202);
  const auto id = json_of(answer)["id"].get<std::string>();
  EXPECT_EQ(stream.next(), (sse_event{id, "greeting", R"({"text":"hello"})"}));
}

TEST(Binary, EndsWithZeroWhenAsked) {
  herald_process herald;
  EXPECT_EQ(herald.terminate(), exited(0));
}

TEST(Binary, WarnsOfMoreStreamsThanTheKernelLooksUpWell) {
  // Kernels before 6.1 do not say.
  const auto chains = established_chains();
  herald_process usual;
  EXPECT_EQ(usual.full_log().find("kernel_chains_long"), std::string::npos);
  herald_process many{{"--stream-max-streams", "10000000"}};
  const auto line = "warning stream-endpoint kernel_chains_long max_streams=10000000 chains="
                    + std::to_string(chains.value_or(0));
  EXPECT_EQ(many.full_log().find(line) != std::string::npos, chains.has_value()) << many.log();
}

TEST(Binary, OpensNothingOfItsOwnOnAStandardDescriptorThatIsClosed) {
  const temporary_folder folder;
  const auto script = folder.write(
    "herald", "#!/bin/sh\nexec " + std::string{HERALD_BINARY} + " \"$@\" <&- >&- 2>&-\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  herald_process herald{{{"--journal-path", (folder / "journal").string()}, {}, {}, script}};
  const auto open = "/proc/" + std::to_string(herald.pid()) + "/fd/";
  for (const auto* number : {"0", "1", "2"})
    EXPECT_EQ(std::filesystem::read_symlink(open + number), "/dev/null") << number;
  EXPECT_EQ(herald.terminate(), exited(0));
}

} // namespace
} // namespace herald
