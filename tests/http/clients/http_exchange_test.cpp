#include "http/clients/http_exchange.hpp"

#include <string>

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

namespace herald {
namespace {

using kind = post_outcome::kind;

std::string answer(const char* status, const std::string& body, const char* more = "") {
  return std::string{"HTTP/1.1 "} + status + "\r\nContent-Length: " + std::to_string(body.size())
         + "\r\n" + more + "\r\n" + body;
}

class HttpExchange : public ::testing::Test {
protected:
  /// Begins a POST, all of which is sent.
  void begin(bool kept = false) {
    exchange.begin("{}", kept);
    exchange.sent(exchange.unsent().size());
  }

  /// The status of an answer that comes in one piece, or 0 where it is none.
  unsigned status_of(const std::string& bytes) {
    begin();
    const auto outcome = exchange.received(bytes);
    EXPECT_TRUE(outcome) << bytes;
    return outcome ? outcome->status : 0;
  }

  http_exchange exchange{*parse_http_url("http://host:81/a?b")};
};

TEST_F(HttpExchange, MakesOneRequestOfHeadAndBody) {
  exchange.begin("{\"a\":1}", false);
  EXPECT_EQ(
    exchange.unsent(), "POST /a?b HTTP/1.1\r\nHost: host:81\r\nUser-Agent: herald/" HERALD_VERSION
                       "\r\nConnection: keep-alive\r\nContent-Type: application/json\r\n"
                       "Content-Length: 7\r\n\r\n{\"a\":1}");
  exchange.sent(exchange.unsent().size() - 3);
  EXPECT_EQ(exchange.unsent(), ":1}");
  exchange.sent(3);
  EXPECT_EQ(exchange.unsent(), "");
  exchange.begin("", true);
  EXPECT_TRUE(exchange.unsent().ends_with("Content-Length: 0\r\n\r\n")) << exchange.unsent();
}

TEST_F(HttpExchange, GivesStatusAndBody) {
  begin();
  const auto outcome = exchange.received(answer("404 Not Found", R"({"code":"GONE"})"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->what, kind::answered);
  EXPECT_EQ(outcome->status, 404u);
  EXPECT_EQ(outcome->body, R"({"code":"GONE"})");
  EXPECT_TRUE(exchange.keeps_connection());
  EXPECT_EQ(status_of(answer("200 OK", "")), 200u) << "and is ready for the next";
}

TEST_F(HttpExchange, ReadsAnAnswerCutAnywhere) {
  const auto bytes = answer("404 Not Found", "gone");
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    begin();
    ASSERT_FALSE(exchange.received(bytes.substr(0, cut))) << cut;
    const auto outcome = exchange.received(bytes.substr(cut));
    ASSERT_TRUE(outcome) << cut;
    EXPECT_EQ(outcome->status, 404u);
    EXPECT_TRUE(exchange.keeps_connection());
  }
}

TEST_F(HttpExchange, HasTheStatusBeforeTheBody) {
  begin();
  EXPECT_FALSE(exchange.status());
  EXPECT_FALSE(exchange.received("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 404 Not Found\r\n"));
  EXPECT_FALSE(exchange.status());
  EXPECT_FALSE(exchange.received("Content-Length: 2\r\n\r\n"));
  EXPECT_EQ(exchange.status(), 404u);
  EXPECT_FALSE(exchange.received("{"));
  EXPECT_TRUE(exchange.received("}"));
  EXPECT_EQ(exchange.status(), 404u);
  begin(true);
  EXPECT_FALSE(exchange.status()) << "of the next one there is none";
}

TEST_F(HttpExchange, SaysWhereAnAnswerLeads) {
  begin();
  EXPECT_EQ(exchange.location(), "");
  EXPECT_FALSE(
    exchange.received("HTTP/1.1 307 Elsewhere\r\nlocation:  /b \r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(exchange.location(), "/b");
  EXPECT_EQ(status_of(answer("200 OK", "")), 200u);
  EXPECT_EQ(exchange.location(), "");
}

TEST_F(HttpExchange, PassesOverInterimAnswers) {
  const auto interim = std::string{"HTTP/1.1 102 Processing\r\n\r\n"};
  EXPECT_EQ(status_of(interim + interim + answer("200 OK", "")), 200u);
  EXPECT_TRUE(exchange.keeps_connection());
  begin();
  EXPECT_FALSE(exchange.received(interim));
  EXPECT_EQ(exchange.ended().what, kind::unreachable);
}

TEST_F(HttpExchange, GoesByTheStatusWhereTheBodyCannotBeRead) {
  EXPECT_EQ(status_of(answer("404 Not Found", std::string(100'000, 'x'))), 404u);
  EXPECT_FALSE(exchange.keeps_connection());
  using boost::system::error_code;
  for (const auto error : {error_code{}, error_code{boost::asio::error::connection_reset}}) {
    begin();
    EXPECT_FALSE(exchange.received("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nhalf"));
    EXPECT_EQ(exchange.ended(error).status, 404u);
    EXPECT_FALSE(exchange.keeps_connection());
  }
}

TEST_F(HttpExchange, TakesABodyThatEndsWithTheConnection) {
  begin();
  EXPECT_FALSE(exchange.received("HTTP/1.1 500 No\r\n\r\nWRITE_"));
  EXPECT_FALSE(exchange.received("FAILED"));
  const auto outcome = exchange.ended();
  EXPECT_EQ(outcome.status, 500u);
  EXPECT_EQ(outcome.body, "WRITE_FAILED");
  EXPECT_FALSE(exchange.keeps_connection());
}

TEST_F(HttpExchange, KeepsNoConnectionThatSaysMoreOrWantsToClose) {
  EXPECT_EQ(status_of(answer("200 OK", "") + "HTTP"), 200u);
  EXPECT_FALSE(exchange.keeps_connection());
  EXPECT_EQ(status_of(answer("200 OK", "", "Connection: close\r\n")), 200u);
  EXPECT_FALSE(exchange.keeps_connection());
  EXPECT_EQ(status_of("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), 200u);
  EXPECT_FALSE(exchange.keeps_connection());
}

TEST_F(HttpExchange, KeepsNoConnectionOnWhichTheAnswerOvertookItsRequest) {
  exchange.begin("{}", false);
  exchange.sent(10);
  EXPECT_EQ(exchange.received(answer("413 Too Large", ""))->status, 413u);
  EXPECT_FALSE(exchange.keeps_connection());
}

TEST_F(HttpExchange, RefusesWhatIsNotHttpAndHeadsWithoutEnd) {
  begin();
  const auto outcome = exchange.received("SSH-2.0-OpenSSH_9\r\n\r\n");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->what, kind::unreachable);
  EXPECT_EQ(outcome->why, "answer is not HTTP");
  for (const auto* const piece : {"X-A: bbb\r\n", "no end of a line "}) {
    begin();
    auto now = exchange.received("HTTP/1.1 200 OK\r\n");
    std::size_t fed = 0;
    for (; !now && fed < 100'000; fed += std::string_view{piece}.size())
      now = exchange.received(piece);
    ASSERT_TRUE(now);
    EXPECT_EQ(now->what, kind::unreachable);
    EXPECT_LT(fed, 17'000u);
  }
}

TEST_F(HttpExchange, IsStaleWhereAKeptConnectionEndsBeforeAnyByteOfAnAnswer) {
  using boost::asio::error::broken_pipe;
  using boost::asio::error::connection_reset;
  using boost::asio::error::timed_out;
  const auto end = [&](bool kept, std::string_view bytes, boost::system::error_code error) {
    begin(kept);
    EXPECT_TRUE(bytes.empty() || !exchange.received(bytes));
    return exchange.ended(error).what;
  };
  EXPECT_EQ(end(true, "", {}), kind::stale);
  EXPECT_EQ(end(true, "", connection_reset), kind::stale);
  EXPECT_EQ(end(true, "", broken_pipe), kind::stale);
  EXPECT_EQ(end(true, "", timed_out), kind::unreachable) << "it may have been answered";
  EXPECT_EQ(end(true, "H", {}), kind::unreachable);
  EXPECT_EQ(end(true, "HTTP/1.1 102 Processing\r\n\r\n", {}), kind::unreachable);
  EXPECT_EQ(end(false, "", {}), kind::unreachable);
  EXPECT_EQ(end(false, "", connection_reset), kind::unreachable);
}

TEST_F(HttpExchange, SaysWhatWentWrong) {
  begin();
  EXPECT_EQ(exchange.ended().why, "connection closed instead of an answer");
  const boost::system::error_code reset = boost::asio::error::connection_reset;
  EXPECT_EQ(exchange.ended(reset).why, "connection lost while waiting for the answer");
  EXPECT_EQ(exchange.ended(reset).error, reset);
  exchange.begin("{}", false);
  EXPECT_EQ(exchange.ended(reset).why, "connection lost while sending");
}

} // namespace
} // namespace herald
