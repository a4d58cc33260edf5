#include <csignal>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sse_client.hpp"

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

} // namespace
} // namespace herald
