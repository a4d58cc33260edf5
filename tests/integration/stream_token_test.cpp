#include <chrono>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/token_maker.hpp"

// Streams by tokens that somebody else has signed, over the real ports.

namespace herald {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using nlohmann::json;

class StreamsWithTokens : public ::testing::Test {
protected:
  static std::int64_t at(std::chrono::seconds from_now) {
    return std::chrono::duration_cast<std::chrono::seconds>(
             (std::chrono::system_clock::now() + from_now).time_since_epoch())
      .count();
  }
  static json claims(const json& more = json::object()) {
    json all{
      {"iss", "https://app.example"},
      {"aud", "herald"},
      {"sub", "ann"},
      {"iat", at(0s)},
      {"exp", at(1h)}};
    all.update(more);
    return all;
  }

  sse_client client(const std::string& page, const std::string& headers, std::string more = {}) {
    return {herald.stream_port(), stream_target(page) + std::move(more), headers};
  }
  static std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
  }
  int status(const std::string& page, const std::string& headers, std::string more = {}) {
    auto stream = client(page, headers, std::move(more));
    stream.open();
    return stream.status();
  }
  int publish(const json& event) { return api.post("/api/events", event.dump()).status; }

  temporary_folder folder;
  signing_key hmac = signing_key::secret(std::string(32, 's'));
  signing_key ec = signing_key::p256("ec-1");
  herald_process herald{
    {"--auth-mode", "required", "--auth-secret-file",
     folder.write("secret", std::string(32, 's') + "\n"), "--auth-jwks-file",
     folder.write("jwks", jwks_of({ec})), "--auth-issuer", "https://app.example", "--auth-audience",
     "herald", "--auth-topics-claim", "herald.topics", "--auth-leeway-s", "0",
     "--stream-cors-origins", "https://app.example"}};
  http_client api{herald.api_port()};
};

TEST_F(StreamsWithTokens, OpenByATokenOfEachKey) {
  for (const auto* key : {&hmac, &ec}) {
    const auto page = key->algorithm();
    auto stream = client(page, bearer(key->token(claims({{"roles", {"ops"}}}))));
    ASSERT_TRUE(stream.open()) << page;
    EXPECT_EQ(publish({{"event", "note"}, {"subject", "ann"}, {"data", 1}}), 202);
    EXPECT_EQ(publish({{"event", "note"}, {"role", "ops"}, {"data", 2}}), 202);
    EXPECT_EQ(publish({{"event", "note"}, {"subject", "bob"}, {"data", 3}}), 202);
    EXPECT_EQ(publish({{"event", "note"}, {"request_id", page}, {"data", 4}}), 202);
    for (const auto* data : {"1", "2", "4"})
      EXPECT_EQ(stream.next("note")->data, data) << page;
  }
  EXPECT_EQ(metric(api, R"(herald_auth_total{port="stream",result="ok"})"), 2);
}

TEST_F(StreamsWithTokens, AreRefusedWithWhatIsNoGoodToken) {
  for (const auto& token :
       {hmac.token(claims({{"exp", at(-1s)}})),
        hmac.token(claims({{"iss", "https://evil.example"}})),
        signing_key::secret(std::string(32, 'x')).token(claims()),
        signing_key::p256("ec-1").token(claims()), signing_key::p256("ec-2").token(claims()),
        std::string{"a.b.c"}})
    EXPECT_EQ(status("p", bearer(token)), 401);
}

TEST_F(StreamsWithTokens, OpenByACookieOfAPageThatIsListed) {
  const auto cookie = "Cookie: __Secure-herald=" + ec.token(claims()) + "\r\n";
  EXPECT_EQ(status("p", cookie + "Origin: https://app.example\r\n"), 200);
  EXPECT_EQ(status("p", cookie + "Sec-Fetch-Site: same-origin\r\n"), 200);
  EXPECT_EQ(status("p", cookie + "Sec-Fetch-Site: same-site\r\n"), 403);
  EXPECT_EQ(status("p", cookie + "Origin: https://evil.example\r\n"), 403);
}

TEST_F(StreamsWithTokens, HearTheTopicsOfTheirClaim) {
  const auto token = hmac.token(claims({{"herald", {{"topics", {"orders/*"}}}}}));
  EXPECT_EQ(status("p", bearer(token), "&topic=rooms/7"), 403);
  auto stream = client("p", bearer(token), "&topic=orders/1");
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(publish({{"event", "note"}, {"topic", "orders/1"}, {"data", 1}}), 202);
  EXPECT_EQ(stream.next("note")->data, "1");
}

TEST_F(StreamsWithTokens, EndWithTheirTokenAndWhenItIsRevoked) {
  auto revoked = client("p", bearer(hmac.token(claims({{"jti", "7"}}))));
  auto ending = client("q", bearer(hmac.token(claims({{"exp", at(2s)}}))));
  ASSERT_TRUE(revoked.open());
  ASSERT_TRUE(ending.open());
  EXPECT_TRUE(ending.next("expired"));
  EXPECT_TRUE(ending.wait_for_end());
  EXPECT_EQ(api.post("/api/revocations", R"({"jti":"7"})").status, 204);
  EXPECT_TRUE(revoked.wait_for_end());
  EXPECT_EQ(status("p", bearer(hmac.token(claims({{"jti", "7"}})))), 401);
  EXPECT_EQ(status("p", bearer(hmac.token(claims({{"jti", "8"}, {"sub", "bob"}})))), 403);
  EXPECT_EQ(status("p", bearer(hmac.token(claims({{"jti", "8"}})))), 200);
  EXPECT_EQ(herald.full_log().find("eyJ"), std::string::npos) << "no token is logged";
}

} // namespace
} // namespace herald
