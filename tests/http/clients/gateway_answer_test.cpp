#include "http/clients/gateway_answer.hpp"

#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

using state = gateway_answer::state;

std::string answer(const char* status, const std::string& body, const char* more = "") {
  return std::string{"HTTP/1.1 "} + status + "\r\nContent-Length: " + std::to_string(body.size())
         + "\r\n" + more + "\r\n" + body;
}

send_result result_of(const std::string& bytes) {
  gateway_answer reader;
  EXPECT_EQ(reader.feed(bytes), state::complete) << bytes;
  return reader.outcome().result;
}

TEST(GatewayAnswer, TellsAnswersApart) {
  EXPECT_EQ(result_of(answer("200 OK", R"({"status":"ok"})")), send_result::delivered);
  EXPECT_EQ(result_of(answer("404 Not Found", "")), send_result::gone);
  EXPECT_EQ(result_of(answer("413 Too Large", "")), send_result::refused);
  EXPECT_EQ(result_of(answer("503 No", "")), send_result::failing);
  EXPECT_EQ(result_of(answer("500 No", "")), send_result::failing);
  EXPECT_EQ(result_of(answer("500 No", R"({"error":{"code":"WRITE_FAILED"}})")), send_result::gone);
}

TEST(GatewayAnswer, ReadsAnAnswerCutAnywhere) {
  const auto bytes = answer("404 Not Found", "gone");
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    gateway_answer reader;
    ASSERT_EQ(reader.feed(bytes.substr(0, cut)), state::more) << cut;
    ASSERT_EQ(reader.feed(bytes.substr(cut)), state::complete) << cut;
    EXPECT_EQ(reader.outcome().result, send_result::gone);
    EXPECT_TRUE(reader.reusable());
  }
}

TEST(GatewayAnswer, PassesOverInterimAnswers) {
  const auto interim = std::string{"HTTP/1.1 102 Processing\r\n\r\n"};
  EXPECT_EQ(result_of(interim + interim + answer("200 OK", "")), send_result::delivered);
  gateway_answer reader;
  EXPECT_EQ(reader.feed(interim), state::more);
  EXPECT_EQ(reader.end(), state::malformed);
}

TEST(GatewayAnswer, GoesByTheStatusWhereTheBodyCannotBeRead) {
  gateway_answer reader;
  EXPECT_EQ(reader.feed(answer("404 Not Found", std::string(100'000, 'x'))), state::complete);
  EXPECT_EQ(reader.outcome().result, send_result::gone);
  EXPECT_FALSE(reader.reusable());

  reader.begin();
  EXPECT_EQ(reader.feed("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nhalf"), state::more);
  EXPECT_EQ(reader.end(), state::complete);
  EXPECT_EQ(reader.outcome().result, send_result::gone);
  EXPECT_FALSE(reader.reusable());
}

TEST(GatewayAnswer, TakesABodyThatEndsWithTheConnection) {
  gateway_answer reader;
  EXPECT_EQ(reader.feed("HTTP/1.1 500 No\r\n\r\nWRITE_"), state::more);
  EXPECT_EQ(reader.feed("FAILED"), state::more);
  EXPECT_EQ(reader.end(), state::complete);
  EXPECT_EQ(reader.outcome().result, send_result::gone);
  EXPECT_FALSE(reader.reusable());
}

TEST(GatewayAnswer, KeepsNoConnectionThatSaysMoreOrWantsToClose) {
  gateway_answer reader;
  EXPECT_EQ(reader.feed(answer("200 OK", "") + "HTTP"), state::complete);
  EXPECT_FALSE(reader.reusable());
  reader.begin();
  EXPECT_EQ(reader.feed(answer("200 OK", "", "Connection: close\r\n")), state::complete);
  EXPECT_FALSE(reader.reusable());
}

TEST(GatewayAnswer, RefusesWhatIsNotHttpAndHeadsWithoutEnd) {
  gateway_answer reader;
  EXPECT_EQ(reader.feed("SSH-2.0-OpenSSH_9\r\n\r\n"), state::malformed);
  reader.begin();
  EXPECT_EQ(reader.feed("HTTP/1.1 200 OK\r\n"), state::more);
  auto now = state::more;
  std::size_t fed = 0;
  for (; now == state::more && fed < 100'000; fed += 10)
    now = reader.feed("X-A: bbb\r\n");
  EXPECT_EQ(now, state::malformed);
  EXPECT_LT(fed, 10'000u);
}

} // namespace
} // namespace herald
