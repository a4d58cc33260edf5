#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/raw_client.hpp"

namespace herald {
namespace {

using namespace testing;

/// What a port answers to a head that it refuses: status, title and detail.
std::string refusal_of(std::uint16_t port, const std::string& bytes) {
  raw_client client{port};
  // The answer may come before all is sent: then the rest has nobody to go to.
  (void)client.send(bytes);
  const auto answer = client.read_reply();
  EXPECT_EQ(answer.header("content-type"), "application/problem+json") << bytes.substr(0, 200);
  EXPECT_TRUE(answer.has("connection: close")) << bytes.substr(0, 200);
  EXPECT_TRUE(client.is_closed()) << bytes.substr(0, 200);
  const auto problem = nlohmann::json::parse(answer.body, nullptr, false);
  if (!problem.is_object())
    return "no problem: " + answer.body;
  EXPECT_EQ(problem["status"], answer.status);
  EXPECT_FALSE(problem.contains("field")) << problem;
  return std::to_string(answer.status) + " " + problem["title"].get<std::string>() + ": "
         + problem["detail"].get<std::string>();
}

TEST(BrokenRequests, AreRefusedInTheSameWordsOnBothPorts) {
  herald_process herald{{"--stream-max-head-bytes", "16384"}};
  const std::string get = "GET /healthz HTTP/1.1\r\n";
  const std::string good = get + "Host: h\r\n";
  const std::string post = "POST /api/events HTTP/1.1\r\nHost: h\r\n";
  const std::string second = "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += "X-" + std::to_string(i) + ": 1\r\n";
  std::string large;
  for (int i = 0; i < 90; ++i)
    large += "X: " + std::string(200, 'x') + "\r\n";
  const std::string malformed = "400 Malformed request: ";
  const std::string no_name = malformed + "a header field has no proper name";
  const std::string control = malformed + "a control character in the head";
  const std::string bare = malformed + "a bare LF in the head";
  const std::string two_lengths = malformed + "more than one Content-Length";
  const std::string no_length = malformed + "Content-Length is not a sensible number";
  const std::string both = malformed + "both Content-Length and Transfer-Encoding";
  const std::string not_chunked = malformed + "Transfer-Encoding is not just chunked";
  const std::string other = "505 Unsupported HTTP version: ";
  const std::vector<std::pair<std::string, std::string>> rows = {
    {"nonsense\r\n\r\n", malformed + "the request line is not METHOD TARGET VERSION"},
    {"GET /healthz\r\n\r\n", malformed + "the request line is not METHOD TARGET VERSION"},
    {"FOO BAR\r\n", malformed + "the request line is not METHOD TARGET VERSION"},
    {"G(T / HTTP/1.1\r\nHost: h\r\n\r\n", malformed + "the method is not a token"},
    {"GET  /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
     malformed + "the request target is empty or holds a space"},
    {"GET healthz HTTP/1.1\r\nHost: h\r\n\r\n",
     malformed + "the request target is neither a path nor a URL"},
    {"GET /healthz HTTP/1.1.1\r\nHost: h\r\n\r\n",
     malformed + "the request line does not end with a version of HTTP"},
    {"\x16\x03\x01\x02", control},
    {"GET /healthz\tHTTP/1.1\r\nHost: h\r\n\r\n", control},
    {"GET /healthz HTTP/1.1\nHost: h\n\n" + second, bare},
    {"GET / HTTP/2.0\r\n\r\n", other + "the version is neither HTTP/1.1 nor HTTP/1.0"},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", other + "the version is neither HTTP/1.1 nor HTTP/1.0"},
    {get + "\r\n", malformed + "no Host"},
    {get + "Host: a\r\nHost: b\r\n\r\n" + second, malformed + "more than one Host"},
    {get + "Host : h\r\n\r\n", no_name},
    {good + "no colon\r\n\r\n", no_name},
    {good + "X: y\r\n folded\r\n\r\n", no_name},
    {good + "Connection: a b\r\n\r\n", malformed + "Connection is not a list of tokens"},
    {post + "X: y\nContent-Length: 5\r\n\r\n" + second, bare},
    {post + "X: y\rTransfer-Encoding: chunked\r\n\r\n" + second, control},
    {post + "Transfer-Encoding:\x0b chunked\r\n\r\n" + second, control},
    {post + "Content-Length : 5\r\n\r\n" + second, no_name},
    {post + "Content-Length:\r\n 5\r\n\r\n" + second, no_name},
    {post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n" + second, two_lengths},
    {post + "Content-Length: 0\r\nContent-Length: 48\r\n\r\n" + second, two_lengths},
    {post + "Content-Length: 5, 5\r\n\r\n" + second, no_length},
    {post + "Content-Length: +5\r\n\r\n" + second, no_length},
    {post + "Content-Length: 0x5\r\n\r\n" + second, no_length},
    {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + second, both},
    {post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + second, both},
    {post + "Transfer-Encoding: xchunked\r\n\r\n" + second, not_chunked},
    {post + "Transfer-Encoding: chunked, identity\r\n\r\n" + second, not_chunked},
    {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + second,
     not_chunked},
    {post + "Transfer-Encoding: gzip, chunked\r\n\r\n" + second,
     "501 Unsupported transfer coding: the only coding of a body may be chunked"},
    {"POST /api/events HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + second,
     malformed + "Transfer-Encoding in HTTP/1.0"},
    {post + "Expect: more\r\n\r\n", "417 Unsupported expectation: Expect is not 100-continue"},
    {good + many + "\r\n", "431 Request head too large: more than 100 header fields"},
    {good + large + "\r\n",
     "431 Request head too large: the head of a request may have at most 16384 bytes"},
    {"GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n",
     "414 Request target too long: the request line is too long"},
  };
  for (const auto& [bytes, refusal] : rows) {
    EXPECT_EQ(refusal_of(herald.api_port(), bytes), refusal) << bytes.substr(0, 200);
    EXPECT_EQ(refusal_of(herald.stream_port(), bytes), refusal) << bytes.substr(0, 200);
  }
  http_client api{herald.api_port()};
  EXPECT_EQ(api.get("/healthz").status, 200);
}

/// The status of the answer to a request whose head has so many bytes, all sent at once. The rest
/// is in headers of at most 1,000 bytes, or in the request line.
int status_of_head(std::uint16_t port, std::size_t bytes) {
  std::string head = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
  const std::string end = "\r\n";
  while (bytes - head.size() - end.size() > 2000)
    head += "X: " + std::string(995, 'x') + "\r\n";
  head += "Y: " + std::string(bytes - head.size() - end.size() - 5, 'y') + "\r\n" + end;
  EXPECT_EQ(head.size(), bytes);
  raw_client client{port};
  EXPECT_TRUE(client.send(head));
  return client.read_reply().status;
}

TEST(LongRequests, AreTakenUpToTheLimitAndRefusedBeyondAlsoInOnePiece) {
  herald_process herald{{"--stream-max-head-bytes", "3000"}};
  struct row {
    std::uint16_t port;
    std::size_t limit;
  };
  for (const auto& [port, limit] :
       {row{herald.api_port(), 16'384}, row{herald.stream_port(), 3000}}) {
    EXPECT_EQ(status_of_head(port, limit - 1), 200) << limit;
    EXPECT_EQ(status_of_head(port, limit), 200) << limit;
    EXPECT_EQ(status_of_head(port, limit + 1), 431) << limit;
    EXPECT_EQ(status_of_head(port, 2 * limit), 431) << limit;
  }
}

TEST(LongRequests, AreHeldToTheLimitOfTheirLineAlsoInOnePiece) {
  herald_process herald;
  const auto status = [&](std::size_t line) {
    const std::string begin = "GET /healthz?";
    const std::string end = " HTTP/1.1";
    raw_client client{herald.api_port()};
    client.send(
      begin + std::string(line - begin.size() - end.size(), 'x') + end
      + "\r\nHost: h\r\nConnection: close\r\n\r\n");
    return client.read_reply().status;
  };
  EXPECT_NE(status(8000), 414);
  EXPECT_EQ(status(8001), 414);
}

} // namespace
} // namespace herald
