#include <atomic>
#include <csignal>
#include <future>
#include <string>
#include <vector>

#include <sys/socket.h>

#include <gtest/gtest.h>

#include "actors/system/owned_fd.hpp"
#include "tests/support/bare_listener.hpp"
#include "tests/support/callback_backend.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/gateway_facts.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/tls_backend.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

std::string token_of(const callback_backend& backend) {
  return backend.callbacks().at(0)["token"];
}

/// The reason of a disconnect, as gateways name it.
json reason(const char* why) {
  return gateway_facts().at("callback").at("reasons").at(why);
}

/// What herald answers to an order of the backend's.
http_client::reply send(std::uint16_t port, const json& order) {
  http_client api{port};
  return api.post("/internal/send", order.dump());
}

json event_for(const std::string& token, const std::string& data) {
  return {{"token", token}, {"event", {{"name", "n"}, {"data", data}}}};
}

TEST(StandIn, CallsBackWithWhatTheBrowserAsked) {
  callback_backend backend;
  herald_process herald{{"--callback-url", backend.url()}};
  sse_client stream{
    herald.stream_port(), "/any/path?request_id=a%3Ab&x=+", "X-Twice: 1\r\nX-Twice: 2\r\n"};
  ASSERT_TRUE(stream.open());
  stream.close();
  ASSERT_TRUE(eventually([&] { return backend.callbacks().size() == 2; }));
  const auto connect = backend.callbacks()[0];
  EXPECT_EQ(connect["action"], "connect");
  EXPECT_EQ(connect["request"]["url"], "/any/path?request_id=a%3Ab&x=+") << "as it was sent";
  EXPECT_EQ(connect["request"]["headers"]["host"], "127.0.0.1");
  EXPECT_EQ(connect["request"]["headers"]["x-twice"], shown_header("x-twice", {"1", "2"}));
  const auto disconnect = backend.callbacks()[1];
  EXPECT_EQ(disconnect["action"], "disconnect");
  EXPECT_EQ(disconnect["reason"], reason("browser_left"));
  EXPECT_EQ(disconnect["token"], connect["token"]);
}

TEST(StandIn, SendsToAStreamByItsToken) {
  callback_backend backend;
  herald_process herald{{"--callback-url", backend.url()}};
  sse_client stream{herald.stream_port(), "/"};
  ASSERT_TRUE(stream.open());
  const auto token = token_of(backend);
  const auto answer = send(herald.api_port(), event_for(token, "one\ntwo"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json_of(answer), send_answer_of("sent").body);
  EXPECT_EQ(stream.next(), (sse_event{"", "n", "one\ntwo"}));
  EXPECT_EQ(send(herald.api_port(), {{"token", token}, {"close", true}}).status, 200);
  EXPECT_TRUE(stream.wait_for_end());
  ASSERT_TRUE(eventually([&] { return backend.callbacks().size() == 2; }));
  EXPECT_EQ(backend.callbacks()[1]["reason"], reason("backend_closed"));
  EXPECT_EQ(send(herald.api_port(), {{"token", token}}).status, 404);
}

TEST(StandIn, KeepsWhatIsSentWhileTheBackendDecides) {
  std::atomic<std::uint16_t> port = 0;
  std::vector<json> answers;
  callback_backend backend{[&](const json& callback) {
    for (const auto* data : {"1", "2", "3"})
      answers.push_back(json_of(send(port, event_for(callback["token"], data))));
    return 200;
  }};
  herald_process herald{{"--callback-url", backend.url()}};
  port = herald.api_port();
  sse_client stream{herald.stream_port(), "/"};
  ASSERT_TRUE(stream.open());
  send(port, event_for(token_of(backend), "4"));
  for (const auto* data : {"1", "2", "3", "4"})
    EXPECT_EQ(stream.next().value_or(sse_event{}).data, data);
  EXPECT_EQ(answers, std::vector<json>(3, send_answer_of("not_open_yet").body));
}

TEST(StandIn, PassesRefusalsOn) {
  std::atomic<int> verdict = 0;
  callback_backend backend{[&](const json&) {
    return verdict.load();
  }};
  herald_process herald{{"--callback-url", backend.url()}};
  for (const int status : {400, 401, 403, 404, 409, 500, 503}) {
    verdict = status;
    sse_client stream{herald.stream_port(), "/"};
    EXPECT_FALSE(stream.open());
    EXPECT_EQ(stream.status(), status);
    EXPECT_EQ(stream.header("content-type"), "application/json");
    EXPECT_TRUE(stream.wait_for_end());
  }
  for (const auto& callback : backend.callbacks())
    EXPECT_EQ(callback["action"], "connect") << "what was never open does not end";
}

TEST(StandIn, SaysWhenTheBackendIsNotThere) {
  const auto nobody = "http://127.0.0.1:" + std::to_string(free_port()) + "/callback";
  herald_process herald{{"--callback-url", nobody}};
  sse_client stream{herald.stream_port(), "/"};
  EXPECT_FALSE(stream.open());
  EXPECT_EQ(stream.status(), 503);
}

TEST(StandIn, SaysWhenTheBackendDoesNotAnswer) {
  std::promise<void> release;
  auto released = release.get_future().share();
  callback_backend backend{[released](const json&) {
    released.wait();
    return 200;
  }};
  herald_process herald{{"--callback-url", backend.url(), "--callback-timeout-ms", "300"}};
  sse_client stream{herald.stream_port(), "/"};
  EXPECT_FALSE(stream.open());
  EXPECT_EQ(stream.status(), 504);
  release.set_value();
}

TEST(StandIn, OpensAStreamOnTheStatusWithoutWaitingForTheBody) {
  bare_listener backend;
  herald_process herald{{"--callback-url", backend.url() + "/callback"}};
  sse_client stream{herald.stream_port(), "/"};
  const owned_fd asked{backend.take()};
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  ASSERT_GT(::send(asked.get(), head.data(), head.size(), MSG_NOSIGNAL), 0);
  EXPECT_TRUE(stream.open());
}

TEST(StandIn, CallsABackendOverTlsAndWhereItIsSentWithinTheHost) {
  const tls_backend backend;
  for (const auto* path : {"/callback?secret=s", "/redirect/307//callback?secret=s"}) {
    const auto before = backend.requests().size();
    herald_process herald{
      {"--callback-url", backend.url(path), "--callback-ca-file", backend.ca_file()}};
    sse_client stream{herald.stream_port(), "/any"};
    EXPECT_TRUE(stream.open()) << path << herald.log();
    EXPECT_EQ(herald.terminate(), exited(0));
    const auto all = backend.requests();
    ASSERT_GE(all.size(), before + 2);
    EXPECT_EQ(all.back()["path"], "/callback?secret=s");
    const auto told = json::parse(all.back()["body"].get<std::string>(), nullptr, false);
    EXPECT_EQ(told["action"], "disconnect");
    EXPECT_EQ(told["request"]["url"], "/any");
    EXPECT_EQ(herald.log().find("secret=s"), std::string::npos);
  }
}

TEST(StandIn, SaysWhyABackendOverTlsIsNotTrusted) {
  const tls_backend backend;
  herald_process herald{{"--callback-url", backend.url("/callback")}};
  sse_client stream{herald.stream_port(), "/any"};
  EXPECT_FALSE(stream.open());
  EXPECT_EQ(stream.status(), 503);
  EXPECT_TRUE(herald.logs("certificate"));
}

TEST(StandIn, HasTheProbesOfAGateway) {
  callback_backend backend;
  herald_process herald{{"--callback-url", backend.url()}};
  http_client streams{herald.stream_port()};
  EXPECT_EQ(streams.get("/healthz").status, 200);
  EXPECT_EQ(streams.get("/readyz").status, 200);
  EXPECT_TRUE(backend.callbacks().empty()) << "no streams";
  http_client api{herald.api_port()};
  EXPECT_EQ(api.get("/healthz").status, 200);
  EXPECT_EQ(api.get("/readyz").status, 200);
  EXPECT_EQ(api.post("/api/events", R"({"event":"n","data":1})").status, 404)
    << "a gateway knows no events";
}

TEST(StandIn, SaysThatItIsNoBackend) {
  callback_backend backend;
  herald_process herald{{"--callback-url", backend.url()}};
  http_client api{herald.api_port()};
  const auto answer = api.post("/api/sse/callback", "{}");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  const std::string why = json_of(answer)["detail"];
  EXPECT_NE(why.find("callback.url"), std::string::npos) << why;
}

TEST(StandIn, TellsTheBackendOfAllStreamsWhenItEnds) {
  callback_backend backend;
  herald_process herald{{"--callback-url", backend.url()}};
  auto streams = open_streams(herald.stream_port(), 50);
  EXPECT_EQ(herald.terminate(), exited(0));
  std::size_t disconnects = 0;
  for (const auto& callback : backend.callbacks())
    disconnects += callback["action"] == "disconnect" ? 1 : 0;
  EXPECT_EQ(disconnects, streams.size());
  for (auto& stream : streams)
    EXPECT_TRUE(stream.wait_for_end());
}

TEST(StandIn, ListsItsStreamsWithWhatTheBackendSaysOfThem) {
  callback_backend backend;
  backend.answer_with(
    R"({"subject":"ann","role":"editor","bindings":["subject.616e6e","role.x"]})");
  herald_process herald{{"--callback-url", backend.url()}};
  http_client api{herald.api_port()};
  sse_client ann{herald.stream_port(), "/s?secret=1", "User-Agent: browser\r\n"};
  ASSERT_TRUE(ann.open());
  json row;
  ASSERT_TRUE(eventually([&] {
    row = json_of(api.get("/api/connections"))["connections"].at(0);
    return row["subject"] == "ann";
  }))
    << row;
  EXPECT_EQ(row["roles"], json{"editor"});
  EXPECT_EQ(row["bindings"], (json{"subject.616e6e", "role.x"}));
  EXPECT_EQ(row["broadcast"], false);
  EXPECT_EQ(row["topics"], json::array());
  EXPECT_EQ(row["url"], "/s");
  EXPECT_EQ(row["address"], "127.0.0.1");
  EXPECT_EQ(row["agent"], "browser");
  EXPECT_EQ(row["request_id"], nullptr);
  EXPECT_EQ(row["token"], token_of(backend));
  EXPECT_EQ(row["behind"]["events"], 0);
  backend.answer_with("OK");
  sse_client nobody{herald.stream_port(), "/s"};
  ASSERT_TRUE(nobody.open());
  const auto list = [&](const char* query) {
    return json_of(api.get(std::string{"/api/connections"} + query));
  };
  ASSERT_TRUE(eventually([&] { return list("")["total"] == 2; }));
  EXPECT_EQ(list("?subject=ann")["total"], 1);
  EXPECT_EQ(list("?role=editor")["connections"][0]["token"], row["token"]);
  EXPECT_EQ(list("?subject=bob")["total"], 0);
  EXPECT_EQ(list("")["connections"][1].contains("bindings"), false);
  ann.close();
  EXPECT_TRUE(eventually([&] { return list("")["total"] == 1; }));
}

TEST(StandIn, KeepsOfWhatTheBackendSaysNoMoreThanItMay) {
  callback_backend backend;
  backend.answer_with(R"({"subject":"ann"})");
  herald_process herald{{"--callback-url", backend.url(), "--callback-max-identity-bytes", "0"}};
  http_client api{herald.api_port()};
  sse_client page{herald.stream_port(), "/"};
  ASSERT_TRUE(page.open());
  EXPECT_TRUE(
    eventually([&] { return metric(api, "herald_callback_identities_refused_total") == 1; }));
  EXPECT_EQ(metric(api, "herald_callback_identity_bytes"), 0);
  EXPECT_EQ(json_of(api.get("/api/connections"))["connections"][0]["subject"], nullptr);
}

} // namespace
} // namespace herald
