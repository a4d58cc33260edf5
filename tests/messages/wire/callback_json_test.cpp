#include "messages/wire/callback_json.hpp"

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "messages/errors.hpp"
#include "tests/support/gateway_facts.hpp"

namespace herald {
namespace {

using namespace testing;
using nlohmann::json;

TEST(CallbackJson, ReadsAConnect) {
  const auto read = parse_callback(
    R"({"action":"connect","token":"t1","request":{"url":"/s?request_id=a","headers":)"
    R"({"host":"h","x":["1","2"]}},"later":{"unknown":[1]}})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->action, gateway_callback::kind::connect);
  EXPECT_EQ(read->stream.str(), "t1");
  EXPECT_EQ(read->url, "/s?request_id=a");
}

TEST(CallbackJson, ReadsADisconnectByItsTokenAlone) {
  const auto read = parse_callback(R"({"action":"disconnect","token":"t1"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->action, gateway_callback::kind::disconnect);
  EXPECT_EQ(read->reason, end_reason::error);
}

TEST(CallbackJson, MapsTheReason) {
  const auto& known = gateway_facts().at("callback").at("reasons");
  const std::vector<std::pair<std::string, end_reason>> reasons = {
    {known.at("browser_left").dump(), end_reason::client_closed},
    {known.at("backend_closed").dump(), end_reason::server_closed},
    {known.at("write_failed").dump(), end_reason::error},
    {R"("something new")", end_reason::error},
    {"17", end_reason::error},
  };
  for (const auto& [text, expected] : reasons) {
    const auto read =
      parse_callback(R"({"action":"disconnect","token":"t1","reason":)" + text + "}");
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->reason, expected) << text;
  }
}

TEST(CallbackJson, NamesWhatIsWrong) {
  const auto long_token = R"({"action":"disconnect","token":")" + std::string(257, 'x') + "\"}";
  const std::vector<std::tuple<std::string, ec, const char*>> bodies = {
    {"", ec::invalid_json, ""},
    {"{", ec::invalid_json, ""},
    {"[]", ec::invalid_field, ""},
    {std::string{"{}\0{}", 5}, ec::invalid_json, ""},
    {"\xff\xfe", ec::invalid_json, ""},
    {"{}", ec::invalid_field, "action"},
    {R"({"action":"jump","token":"t"})", ec::invalid_field, "action"},
    {R"({"action":1,"token":"t"})", ec::invalid_field, "action"},
    {R"({"action":"connect","request":{"url":"/"}})", ec::invalid_field, "token"},
    {R"({"action":"connect","token":"","request":{"url":"/"}})", ec::invalid_field, "token"},
    {R"({"action":"connect","token":5,"request":{"url":"/"}})", ec::invalid_field, "token"},
    {R"({"action":"disconnect","token":"a","token":"b"})", ec::invalid_field, "token"},
    {R"({"action":"disconnect","token":null})", ec::invalid_field, "token"},
    {long_token, ec::invalid_field, "token"},
    {R"({"action":"connect","token":"t"})", ec::invalid_field, "request.url"},
    {R"({"action":"connect","token":"t","request":"x"})", ec::invalid_field, "request.url"},
    {R"({"action":"connect","token":"t","request":{}})", ec::invalid_field, "request.url"},
    {R"({"action":"connect","token":"t","request":{"url":1}})", ec::invalid_field, "request.url"},
  };
  for (const auto& [body, code, field] : bodies) {
    const auto read = parse_callback(body);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(describe(read.error()).code, code) << body;
    EXPECT_EQ(describe(read.error()).field, field) << body;
  }
}

TEST(CallbackJson, TakesTheLongestToken) {
  const std::string longest(max_token_bytes, 'x');
  const auto read = parse_callback(json{{"action", "disconnect"}, {"token", longest}}.dump());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->stream.str(), longest);
}

TEST(CallbackJson, BuildsNothingOfWhatIsNestedWithoutEnd) {
  // A tree of it would take a hundred times the memory of the text.
  const auto deep = R"({"action":"disconnect","token":"t","x":)" + std::string(1'000'000, '[');
  const auto read = parse_callback(deep);
  ASSERT_FALSE(read);
  EXPECT_EQ(describe(read.error()).code, ec::invalid_json);
}

const auto stream = token::from_text("0b0e8a2c-5d0a-4a6e-9f3e-6a1d2c3b4a59");

std::shared_ptr<const std::string> request(std::string url, header_list headers) {
  return std::make_shared<const std::string>(render_callback_request(url, headers));
}

TEST(RenderCallback, RenderAConnectWithTheRawTargetAndTheHeaders) {
  const call_backend call{
    callback_action::connect,
    stream,
    {},
    request("/api/sse/stream?request_id=a%20b", {{"Host", "x"}, {"User-Agent", "curl"}}),
    {}};
  EXPECT_EQ(
    render_callback(call), R"({"action":"connect","token":"0b0e8a2c-5d0a-4a6e-9f3e-6a1d2c3b4a59",)"
                           R"("request":{"url":"/api/sse/stream?request_id=a%20b",)"
                           R"("headers":{"host":"x","user-agent":"curl"}}})");
}

TEST(RenderCallback, RenderADisconnectWithItsReason) {
  const call_backend call{
    callback_action::disconnect, stream, end_reason::server_closed, request("/s", {}), {}};
  EXPECT_EQ(
    render_callback(call),
    R"({"action":"disconnect","reason":"server_closed",)"
    R"("token":"0b0e8a2c-5d0a-4a6e-9f3e-6a1d2c3b4a59","request":{"url":"/s","headers":{}}})");
}

/// What a backend is shown of these headers.
json shown_headers(const header_list& headers) {
  return json::parse(render_callback_request("/", headers)).at("headers");
}

std::string ascii_upper(std::string text) {
  for (auto& c : text)
    c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return text;
}

TEST(RenderCallback, ShowARepeatedHeaderAsGatewaysDo) {
  const auto& rules = gateway_facts().at("headers");
  std::vector<std::string> names = {"x-a", "accept"};
  for (const auto& name : rules.at("first_counts"))
    names.push_back(name);
  for (const auto& name : rules.at("arrays"))
    names.push_back(name);
  for (const auto& [name, separator] : rules.at("separators").items())
    names.push_back(name);
  for (const auto& name : names) {
    const auto again = ascii_upper(name);
    const auto one = shown_headers({{name, "1"}});
    EXPECT_EQ(one, (json{{name, shown_header(name, {"1"})}}));
    const auto more = shown_headers({{name, "1"}, {"b", "x"}, {again, ""}, {name, "2, 3"}});
    EXPECT_EQ(more, (json{{name, shown_header(name, {"1", "", "2, 3"})}, {"b", "x"}}));
  }
}

TEST(RenderCallback, KeepTheOrderOfHeaders) {
  EXPECT_EQ(
    render_callback_request("/", {{"X-A", "1"}, {"b", "2"}, {"x-a", "3"}}),
    R"({"url":"/","headers":{"x-a":"1, 3","b":"2"}})");
}

TEST(RenderCallback, EscapeWhatJsonCannotHold) {
  EXPECT_EQ(
    render_callback_request("/\"\\", {{"a", "tab\there"}, {"b", "\xff"}}),
    "{\"url\":\"/\\\"\\\\\",\"headers\":{\"a\":\"tab\\there\",\"b\":\"\xef\xbf\xbd\"}}");
}

stream_identity who_of(const char* body) {
  const auto who = parse_connect_answer(body);
  EXPECT_TRUE(who) << body;
  if (!who || !*who)
    return {};
  return **who;
}

TEST(ConnectAnswer, TellsAGatewayTheFirstOfSeveralRolesAndBindsAll) {
  open_connection taken;
  taken.id = request_id{"p"};
  reach asks;
  asks.roles = {"a", "b"};
  taken.asks = std::make_shared<const reach>(asks);
  const auto answer = json::parse(connect_answer_json(taken));
  EXPECT_EQ(answer["role"], "a");
  EXPECT_EQ(answer["bindings"], (json{"broadcast", "connection.70", "role.61", "role.62"}));
}

TEST(ConnectAnswer, SaysWhoAStreamIsFor) {
  const auto who = who_of(R"({"request_id":"x~t","subject":"ann","role":"b","roles":["a","b"],)"
                          R"("bindings":["role.61","broadcast"],"more":{"subject":1}})");
  EXPECT_EQ(who.subject, "ann");
  EXPECT_EQ(who.roles, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(who.bindings, (std::vector<std::string>{"role.61", "broadcast"}));
  EXPECT_TRUE(who.hears_broadcast());
  EXPECT_FALSE(who_of(R"({"bindings":["connection.61"]})").hears_broadcast());
  EXPECT_FALSE(who_of(R"({"bindings":[]})").hears_broadcast());
  EXPECT_TRUE(who_of(R"({"subject":"ann"})").hears_broadcast()) << "no bindings are named";
  EXPECT_EQ(who_of(R"({"subject":null,"role":null,"roles":["a"]})").roles.size(), 1u);
}

TEST(ConnectAnswer, MaySayNothingOfIt) {
  for (const auto* body : {"", "OK", "[]", "<html>", "{}", R"({"ok":true})", R"({"subject":null})"})
    EXPECT_EQ(parse_connect_answer(body), identity_ptr{}) << body;
}

TEST(ConnectAnswer, IsRefusedByNameWhereItIsNotWhatItShouldBe) {
  const auto field_of = [](const std::string& body) {
    const auto who = parse_connect_answer(body);
    EXPECT_FALSE(who) << body;
    return who ? std::string{} : describe(who.error()).field;
  };
  EXPECT_EQ(field_of(R"({"subject":1})"), "subject");
  EXPECT_EQ(field_of(R"({"subject":"a\u0000"})"), "subject");
  EXPECT_EQ(field_of(R"({"role":["a"]})"), "role");
  EXPECT_EQ(field_of(R"({"role":""})"), "role");
  EXPECT_EQ(field_of(R"({"roles":"a"})"), "roles");
  EXPECT_EQ(field_of(R"({"bindings":[1]})"), "bindings[0]");
  EXPECT_EQ(field_of(R"({"subject":"ann")"), "") << "it breaks off";
  std::string many = R"({"roles":["r0")";
  for (std::size_t i = 1; i <= max_answer_roles; ++i)
    many += ",\"r" + std::to_string(i) + "\"";
  EXPECT_EQ(field_of(many + "]}"), "roles");
}

TEST(ConnectAnswer, IsOfAClientThatItsRequestShows) {
  const auto request = render_callback_request(
    "/s/t?secret=1", {{"User-Agent", std::string(300, 'b')}, {"Cookie", "c"}});
  EXPECT_EQ(client_of_callback(request).path, "/s/t");
  EXPECT_EQ(client_of_callback(request).agent, std::string(max_agent_bytes, 'b'));
  EXPECT_EQ(client_of_callback(render_callback_request("/", {})).agent, "");
  EXPECT_EQ(client_of_callback("broken").path, "");
}

TEST(CallbackJson, HasTheHeadersOfThePagesRequest) {
  const auto read = [](const char* headers) {
    const auto callback = parse_callback(
      R"({"action":"connect","token":"t","request":{"url":"/s","headers":)" + std::string{headers}
      + "}}");
    return page_headers(callback->request);
  };
  const header_list wanted{{"host", "h"}, {"cookie", "a=1; b=\u00fc"}};
  EXPECT_EQ(read(R"({"host":"h","set-cookie":["x"],"cookie":"a=1; b=\u00fc","n":1})"), wanted);
  EXPECT_EQ(page_headers("{}"), header_list{}) << "a gateway that tells of none";
  EXPECT_EQ(read("null"), header_list{}) << "or says so";
  EXPECT_EQ(read("{}"), header_list{});
  for (const auto* bad :
       {R"([])", R"("text")", R"({"a":"1\r\nb: 2"})", R"({"a b":"1"})", R"({"a:":"1"})",
        R"({"":"1"})", R"({"a\n":"1"})", R"({"a":"\u0000"})", R"({"a":"\u007f"})"}) {
    const auto headers = read(bad);
    ASSERT_FALSE(headers) << bad;
    EXPECT_EQ(describe(headers.error()).field, "request.headers") << bad;
  }
}

TEST(CallbackJson, HasAsManyHeadersAsAGatewayTakes) {
  const auto headers_of = [](std::size_t count) {
    json headers;
    for (std::size_t i = 0; i < count; ++i)
      headers["x" + std::to_string(i)] = "1";
    json request{{"url", "/s"}, {"headers", headers}};
    // What other generations tell of, too, is theirs.
    for (std::size_t i = 0; i < 100; ++i)
      request["more" + std::to_string(i)] = i;
    const auto callback =
      parse_callback(json{{"action", "connect"}, {"token", "t"}, {"request", request}}.dump());
    EXPECT_TRUE(callback);
    return page_headers(callback ? callback->request : "");
  };
  const auto many = headers_of(max_page_headers);
  EXPECT_TRUE(many && many->size() == max_page_headers);
  const auto more = headers_of(max_page_headers + 1);
  ASSERT_FALSE(more);
  EXPECT_EQ(describe(more.error()).field, "request.headers");
}

TEST(CallbackJson, KeepsNothingOfThePageThatHasLeft) {
  const auto read = parse_callback(
    R"({"action":"disconnect","token":"t","request":{"url":"/s","headers":{"a":"b"}}})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->url + read->request, "");
}

} // namespace
} // namespace herald
