#include <string>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;

void publish_number(http_client& api, int number) {
  const auto event = R"({"event":"n","data":)" + std::to_string(number) + "}";
  ASSERT_EQ(api.post("/api/events", event).status, 202);
}

std::string url_of(const herald_process& herald) {
  return "http://127.0.0.1:" + std::to_string(herald.stream_port()) + stream_target("page");
}

bool shows(const child_program& program, const std::string& text) {
  return eventually([&] { return program.standard_output().find(text) != std::string::npos; });
}

TEST(StreamFraming, SaysThatAStreamHasEndedAndNotOnlyItsConnection) {
  herald_process herald;
  http_client api{herald.api_port()};
  auto streams = open_streams(herald.stream_port(), 4);
  for (auto& stream : streams) {
    EXPECT_EQ(stream.header("transfer-encoding"), "chunked");
    EXPECT_EQ(stream.header("connection"), "close") << "it is closed behind the last chunk";
    ASSERT_TRUE(stream.wait_for_cursor());
  }
  EXPECT_EQ(api.del("/api/connections/page-0").status, 204);
  EXPECT_EQ(api.del("/api/connections/page-1?stay_away_s=1").status, 204);
  sse_client newer{herald.stream_port(), stream_target("page-2")};
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(streams[i].wait_for_end() && streams[i].complete()) << i;
  EXPECT_EQ(herald.terminate(), exited(0));
  EXPECT_TRUE(streams[3].wait_for_end() && streams[3].complete());
}

TEST(StreamFraming, LeavesAStreamThatIsCutOffWithoutAnEnd) {
  herald_process herald;
  sse_client stream{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.wait_for_cursor());
  herald.kill();
  EXPECT_TRUE(stream.wait_for_end());
  EXPECT_FALSE(stream.complete());
}

TEST(StreamFraming, IsTheEndOfTheConnectionForHttp10) {
  herald_process herald;
  raw_client client{herald.stream_port()};
  ASSERT_TRUE(client.send("GET " + stream_target("page") + " HTTP/1.0\r\n\r\n"));
  const auto answer = client.read_reply();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(answer.header("transfer-encoding"), "");
}

TEST(StreamFraming, NamesTheLengthOfAnAnswerThatEndsAtOnce) {
  herald_process herald{{"--stream-max-streams", "1"}};
  sse_client first{herald.stream_port(), stream_target("first")};
  ASSERT_TRUE(first.open());
  raw_client client{herald.stream_port()};
  ASSERT_TRUE(client.send(
    "GET " + stream_target("second")
    + " HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n"));
  const auto answer = client.read_reply();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body.starts_with("retry: ")) << answer.body;
  EXPECT_EQ(answer.header("content-length"), std::to_string(answer.body.size()));
  EXPECT_EQ(answer.header("transfer-encoding"), "");
  EXPECT_TRUE(client.is_closed()) << "with nothing behind it";
}

TEST(StreamFraming, SendsNoChunkToHead) {
  herald_process herald;
  raw_client client{herald.stream_port()};
  ASSERT_TRUE(client.send("HEAD " + stream_target("page") + " HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_EQ(client.read_reply(true).status, 200);
  EXPECT_TRUE(client.is_closed());
}

/// Node's parser takes nothing that RFC 9112 does not allow, and says whether an answer has come to
/// its end.
constexpr const char* node_reader = R"(
  require("http").get(process.argv[1], (answer) => {
    answer.setEncoding("utf8");
    answer.on("data", (text) => process.stdout.write(text));
    answer.on("end", () => console.log("complete: " + answer.complete));
    answer.on("error", (error) => console.log("error: " + error.code));
  });)";

TEST(StreamFraming, IsTakenByNodesStrictParser) {
  if (!has_program("node"))
    GTEST_SKIP() << "node is not installed";
  herald_process herald;
  http_client api{herald.api_port()};
  for (const bool orderly : {true, false}) {
    const child_program reader{{"node", "-e", node_reader, url_of(herald)}};
    ASSERT_TRUE(shows(reader, "id: ")) << reader.standard_error();
    for (int i = 0; i < 5; ++i) {
      publish_number(api, i);
      ASSERT_TRUE(shows(reader, "data: " + std::to_string(i) + "\n\n"));
    }
    if (orderly)
      EXPECT_EQ(api.del("/api/connections/page").status, 204);
    else
      herald.kill();
    EXPECT_TRUE(shows(reader, orderly ? "complete: true\n" : "error: ECONNRESET\n"))
      << reader.standard_output() << reader.standard_error();
  }
}

/// Their readers of lines ask for 512 bytes or so, which only chunks cut short.
constexpr const char* requests_reader = R"(
import sys, requests
for line in requests.get(sys.argv[1], stream=True).iter_lines():
    print(line.decode(), flush=True)
print("the end", flush=True))";

constexpr const char* urllib3_reader = R"(
import sys, urllib3
for part in urllib3.PoolManager().request("GET", sys.argv[1], preload_content=False).stream(512):
    print(part.decode(), end="", flush=True)
print("the end", flush=True))";

TEST(StreamFraming, HandsEachEventToPythonsClientsAtOnce) {
  const std::string python = "/usr/bin/python3";
  if (run_program({python, "-c", "import requests, urllib3"}).status != exited(0))
    GTEST_SKIP() << "python3-requests is not installed";
  herald_process herald;
  http_client api{herald.api_port()};
  for (const auto* script : {requests_reader, urllib3_reader}) {
    const child_program reader{{python, "-c", script, url_of(herald)}};
    ASSERT_TRUE(shows(reader, "id: ")) << reader.standard_error();
    // Each is awaited before the next is sent.
    for (int i = 0; i < 5; ++i) {
      publish_number(api, i);
      ASSERT_TRUE(shows(reader, "data: " + std::to_string(i) + "\n")) << script;
    }
    EXPECT_EQ(api.del("/api/connections/page").status, 204);
    EXPECT_TRUE(shows(reader, "the end")) << reader.standard_error();
  }
}

} // namespace
} // namespace herald
