#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/temporary_folder.hpp"

// By what right a page has its stream: over the real ports, with tickets, which need no key.

namespace herald {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using nlohmann::json;

class StreamsWithCredentials : public ::testing::Test {
protected:
  void begin(std::vector<std::string> more = {}, const char* mode = "required") {
    std::vector<std::string> arguments = {"--auth-mode", mode};
    arguments.insert(arguments.end(), more.begin(), more.end());
    api.reset();
    herald.reset();
    herald = std::make_unique<herald_process>(std::move(arguments));
    api = std::make_unique<http_client>(herald->api_port());
  }

  std::string ticket(const json& order) {
    const auto reply = api->post("/api/tickets", order.dump());
    EXPECT_EQ(reply.status, 201) << reply.body;
    return json_of(reply).value("ticket", "");
  }
  static std::string target(const std::string& page, const std::string& more) {
    return stream_target(page) + more;
  }
  sse_client client(const std::string& page, const std::string& more, std::string headers = {}) {
    return {herald->stream_port(), target(page, more), std::move(headers)};
  }
  /// The status for a page that comes with this.
  int status(const std::string& page, const std::string& more, const std::string& headers = {}) {
    auto stream = client(page, more, headers);
    stream.open();
    return stream.status();
  }
  int publish(const json& event) { return api->post("/api/events", event.dump()).status; }
  int revoke(const json& what) { return api->post("/api/revocations", what.dump()).status; }

  std::unique_ptr<herald_process> herald;
  std::unique_ptr<http_client> api;
};

/// A kept answer would be a ticket in the journal.
TEST_F(StreamsWithCredentials, GetAnotherTicketForTheSameIdempotencyKey) {
  begin();
  const auto ask = [this] {
    return api->post("/api/tickets", R"({"subject":"ann"})", "Idempotency-Key: k\r\n");
  };
  const auto first = ask();
  const auto second = ask();
  EXPECT_EQ(first.status, 201) << first.body;
  EXPECT_EQ(second.status, 201) << second.body;
  EXPECT_NE(json_of(first).value("ticket", ""), json_of(second).value("ticket", ""));
}

TEST_F(StreamsWithCredentials, RefuseWhoHasNone) {
  begin();
  auto stream = client("p", "");
  EXPECT_FALSE(stream.open());
  EXPECT_EQ(stream.status(), 401);
  EXPECT_EQ(stream.header("www-authenticate"), R"(Bearer realm="herald")");
  EXPECT_EQ(status("p", "&ticket=none"), 401);
  EXPECT_EQ(status("p", "", "Authorization: Bearer a.b.c\r\n"), 401);
  EXPECT_EQ(status("p", "", "Authorization: Bearer a\r\nAuthorization: Bearer a\r\n"), 400);
  EXPECT_EQ(status("p", "", "Cookie: __Secure-herald=a\r\nSec-Fetch-Site: cross-site\r\n"), 403);
  http_client streams{herald->stream_port()};
  EXPECT_EQ(streams.send("HEAD", stream_target("p")).status, 401);
  EXPECT_EQ(streams.send("OPTIONS", stream_target("p")).status, 204);
  EXPECT_EQ(streams.send("GET", "http://herald" + stream_target("p")).status, 401);
  EXPECT_EQ(streams.get("/healthz").status, 200);
  EXPECT_EQ(metric(*api, R"(herald_auth_total{port="stream",result="two_ways"})"), 1);
}

TEST_F(StreamsWithCredentials, OpenByATicketOnceAndComeBackWithItsCursor) {
  begin();
  const auto good = "&ticket=" + ticket({{"subject", "ann"}, {"request_id", "p"}});
  EXPECT_EQ(status("q", good), 401) << "it names another page";
  auto stream = client("p", good);
  ASSERT_TRUE(stream.open());
  ASSERT_TRUE(stream.wait_for_cursor());
  EXPECT_EQ(status("p", good), 401) << "it was used";
  EXPECT_EQ(publish({{"event", "note"}, {"subject", "ann"}, {"data", 1}}), 202);
  ASSERT_EQ(stream.next("note")->data, "1");
  stream.close();
  EXPECT_EQ(publish({{"event", "note"}, {"subject", "ann"}, {"data", 2}}), 202);
  stream.reconnect();
  ASSERT_TRUE(stream.open());
  ASSERT_EQ(stream.next("note")->data, "2");
  const auto listed = api->get("/api/connections").body;
  EXPECT_NE(listed.find("\"/api/sse/stream\""), std::string::npos) << listed;
  EXPECT_EQ(listed.find("ticket"), std::string::npos) << listed;
  EXPECT_EQ(herald->full_log().find("herald-ticket-"), std::string::npos);
}

TEST_F(StreamsWithCredentials, LeaveAPageToItsSubject) {
  begin();
  auto hers = client("p", "&ticket=" + ticket({{"subject", "ann"}}));
  ASSERT_TRUE(hers.open());
  const auto his = "&ticket=" + ticket({{"subject", "bob"}});
  EXPECT_EQ(status("p", his), 403);
  EXPECT_EQ(publish({{"event", "note"}, {"request_id", "p"}, {"data", 1}}), 202);
  EXPECT_EQ(hers.next("note")->data, "1") << "and hers stays";
  EXPECT_EQ(metric(*api, R"(herald_auth_total{port="stream",result="other_subject"})"), 1);
}

TEST_F(StreamsWithCredentials, HearWhatIsGrantedAndPublic) {
  begin({"--auth-public-topics", "news/*"});
  const auto grant = json{{"subject", "ann"}, {"topics", {"orders/*"}}};
  auto refused = client("p", "&topic=orders/1&topic=rooms/7&ticket=" + ticket(grant));
  refused.open();
  EXPECT_EQ(refused.status(), 403);
  EXPECT_NE(refused.body().find("rooms/7"), std::string::npos) << refused.body();
  EXPECT_EQ(json_of(api->get("/api/connections"))["total"], 0) << "nothing has opened";
  auto stream = client("p", "&topic=orders/1&topic=news/*&ticket=" + ticket(grant));
  ASSERT_TRUE(stream.open());
  const auto change = [&](const char* topic) {
    return api->post("/api/connections/p/topics", json{{"add", {topic}}}.dump()).status;
  };
  EXPECT_EQ(change("rooms/7"), 403) << "nor by another way";
  EXPECT_EQ(change("orders/2"), 200);
  for (const auto* topic : {"rooms/7", "news/1", "orders/2"})
    EXPECT_EQ(publish({{"event", "note"}, {"topic", topic}, {"data", topic}}), 202);
  EXPECT_EQ(stream.next("note")->data, "\"news/1\"");
  EXPECT_EQ(stream.next("note")->data, "\"orders/2\"");
}

TEST_F(StreamsWithCredentials, AreToldBeforeTheyEnd) {
  begin({"--auth-renew-s", "60", "--auth-leeway-s", "0"});
  auto stream = client("p", "&ticket=" + ticket({{"subject", "ann"}, {"ttl_s", 2}}));
  ASSERT_TRUE(stream.open());
  const auto told = stream.next("expired");
  ASSERT_TRUE(told);
  EXPECT_EQ(told->id, "");
  const auto left = json::parse(told->data)["expires_in_ms"].get<int>();
  EXPECT_GE(left, 0);
  EXPECT_LE(left, 2000);
  ASSERT_TRUE(stream.wait_for_end());
  EXPECT_TRUE(stream.complete());
  stream.reconnect();
  stream.open();
  EXPECT_EQ(stream.status(), 401);
  // Renewed in time it misses nothing.
  EXPECT_EQ(publish({{"event", "note"}, {"data", 1}}), 202);
  auto renewed = client(
    "p", "&ticket=" + ticket({{"subject", "ann"}}),
    "Last-Event-ID: " + stream.last_event_id() + "\r\n");
  ASSERT_TRUE(renewed.open());
  EXPECT_EQ(renewed.next("note")->data, "1");
}

TEST_F(StreamsWithCredentials, EndWhenTheyAreRevokedAndStayOutOverARestart) {
  temporary_folder folder;
  const std::vector<std::string> journal = {"--journal-path", (folder.path() / "journal").string()};
  begin(journal);
  auto stream = client("p", "&ticket=" + ticket({{"subject", "ann"}}));
  auto other = client("q", "&ticket=" + ticket({{"subject", "bob"}}));
  ASSERT_TRUE(stream.open());
  ASSERT_TRUE(other.open());
  using std::chrono::system_clock;
  const auto soon =
    std::chrono::duration_cast<std::chrono::seconds>((system_clock::now() + 1h).time_since_epoch());
  EXPECT_EQ(revoke({{"sub", "ann"}, {"issued_before", soon.count()}}), 204);
  EXPECT_TRUE(stream.wait_for_end());
  EXPECT_EQ(status("p", "&ticket=" + ticket({{"subject", "ann"}})), 401);
  begin(journal);
  EXPECT_EQ(status("p", "&ticket=" + ticket({{"subject", "ann"}})), 401) << "in the next life";
  EXPECT_EQ(status("q", "&ticket=" + ticket({{"subject", "eve"}})), 403) << "still bob's page";
  EXPECT_EQ(status("q", "&ticket=" + ticket({{"subject", "bob"}})), 200);
  EXPECT_EQ(metric(*api, "herald_auth_revocations"), 1);
}

TEST_F(StreamsWithCredentials, WithoutOneHearWhatIsForEveryoneWhereItIsOptional) {
  begin({"--auth-public-topics", "news/*"}, "optional");
  const auto version = json{{"request_id", "p"}, {"version", "1.2.3"}};
  EXPECT_EQ(api->post("/api/versions", version.dump()).status, 202);
  EXPECT_EQ(status("p", "&topic=orders/1"), 403);
  EXPECT_EQ(status("p", "&ticket=none"), 401) << "one that is there must be good";
  auto stream = client("p", "&topic=news/1");
  ASSERT_TRUE(stream.open());
  ASSERT_TRUE(stream.next("version")) << "its page's";
  EXPECT_EQ(publish({{"event", "note"}, {"request_id", "p"}, {"data", "targeted"}}), 202);
  EXPECT_EQ(publish({{"event", "note"}, {"topic", "news/1"}, {"data", "public"}}), 202);
  EXPECT_EQ(publish({{"event", "note"}, {"data", "all"}}), 202);
  EXPECT_EQ(stream.next("note")->data, "\"public\"");
  EXPECT_EQ(stream.next("note")->data, "\"all\"");
  EXPECT_EQ(status("p", "&ticket=" + ticket({{"subject", "ann"}})), 403) << "it is nobody's page";
}

TEST_F(StreamsWithCredentials, SayThemselvesWhoTheirPageIsInNoTest) {
  begin({"--testing-enabled", "true", "--auth-public-topics", "news"}, "optional");
  auto stream = client("p", "&topic=news&subject=ann&role=ops");
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(publish({{"event", "note"}, {"subject", "ann"}, {"data", 1}}), 202);
  EXPECT_EQ(publish({{"event", "note"}, {"role", "ops"}, {"data", 2}}), 202);
  EXPECT_EQ(publish({{"event", "note"}, {"topic", "news"}, {"data", 3}}), 202);
  EXPECT_EQ(stream.next("note")->data, "3");
}

TEST(StreamAccessAtTheStart, IsWrittenDownWhereOthersReachTheStreams) {
  const auto refused = run_herald({"--stream-host", "0.0.0.0", "--stream-port", "0"});
  EXPECT_EQ(refused.status.code, 2);
  EXPECT_NE(
    refused.standard_error.find("auth.mode must be none, optional or required"), std::string::npos)
    << refused.standard_error;
  for (const auto* mode : {"none", "optional", "required"}) {
    herald_process herald{{"--stream-host", "0.0.0.0", "--auth-mode", mode}};
    http_client api{herald.api_port()};
    const bool open = std::string_view{mode} == "none";
    EXPECT_EQ(metric(api, "herald_stream_exposed"), open ? 1 : 0) << mode;
    EXPECT_EQ(herald.full_log().find("open_to_all") != std::string::npos, open) << mode;
  }
}

TEST(StreamAccessAtTheStart, IsTheBackendsOfAGateway) {
  const auto refused =
    run_herald({"--callback-url", "http://127.0.0.1:1", "--auth-mode", "required"});
  EXPECT_EQ(refused.status.code, 2);
  EXPECT_NE(refused.standard_error.find("auth.mode"), std::string::npos);
}

} // namespace
} // namespace herald
