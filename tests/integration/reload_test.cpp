#include <csignal>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/config/settings.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

/// The status and the body of what a port answers to a request.
std::string answer(std::uint16_t port, const std::string& request, const std::string& headers) {
  raw_client client{port};
  client.send("GET " + request + " HTTP/1.1\r\n" + headers + "Connection: close\r\n\r\n");
  const auto reply = client.read_reply();
  return std::to_string(reply.status) + " " + reply.body;
}

/// Of the stream port, to a page that would get no stream anyway.
std::string knock(const herald_process& herald, const std::string& headers) {
  return answer(herald.stream_port(), "/api/sse/stream?request_id=", headers);
}

/// Whether another stream opens, which is closed again; else what it is told.
std::string opening(const herald_process& herald, const std::string& id) {
  sse_client stream{herald.stream_port(), "/api/sse/stream?request_id=" + id};
  if (stream.wait_for_cursor())
    return "open";
  std::string told;
  for (const auto& comment : stream.comments())
    told += comment + "\n";
  return told;
}

/// Whether lines of level debug are in the log of a herald that has just ended a task.
std::string debug_line(const herald_process& herald) {
  http_client api{herald.api_port()};
  const auto task =
    json_of(api.post("/api/tasks", R"({"type":"demo","params":{"steps":1,"delay":0}})"))["task_id"];
  EXPECT_TRUE(eventually([&] {
    return json_of(api.get("/api/tasks/" + task.get<std::string>()))["status"] == "completed";
  }));
  return herald.full_log().find(" debug ") != std::string::npos ? "debug" : "no debug";
}

/// What shows that a setting is in force.
struct probe {
  json before;
  json after;
  std::function<std::string(const herald_process&)> look;
  /// Parts of what is seen.
  std::string seen_before;
  std::string seen_after;
};

using probes = std::map<std::string, probe>;

const std::string local = "Host: 127.0.0.1\r\n";

probes probes_with_streams() {
  const auto post = [](const herald_process& herald) {
    const auto body = std::string(2000, ' ') + R"({"event":"e","data":1})";
    return std::to_string(http_client{herald.api_port()}.post("/api/events", body).status);
  };
  const auto api_page = [](const herald_process& herald) {
    return answer(herald.api_port(), "/healthz", local + "Origin: https://a.example\r\n");
  };
  const auto api_host = [](const herald_process& herald) {
    return answer(herald.api_port(), "/healthz", "Host: a.example\r\n");
  };
  const auto retry = [](const herald_process& herald) {
    sse_client stream{herald.stream_port(), "/api/sse/stream?request_id=retry"};
    return stream.wait_for_cursor() ? std::to_string(stream.retry().value_or(0)) : "";
  };
  return {
    {"api.max_body_bytes", {1024, 4096, post, "413", "202"}},
    {"api.origins", {json::array(), {"https://a.example"}, api_page, "403", "200"}},
    {"api.hosts", {json::array(), {"a.example"}, api_host, "421", "200"}},
    // Up to as long again.
    {"stream.retry_ms", {0, 500'000, retry, "0", "000"}},
    {"stream.cors_origins",
     {{"https://a.example"},
      {"https://b.example"},
      [](const auto& herald) { return knock(herald, local + "Origin: https://b.example\r\n"); },
      "403",
      "400"}},
    {"stream.hosts",
     {{"a.example"},
      {"b.example"},
      [](const auto& herald) { return knock(herald, "Host: b.example\r\n"); },
      "421",
      "400"}},
    {"stream.max_head_bytes",
     {1024, 4096,
      [](const auto& herald) {
        return knock(herald, local + "X: " + std::string(2000, 'x') + "\r\n");
      },
      "431", "400"}},
    {"log.level", {"info", "debug", debug_line, "no debug", "debug"}},
  };
}

probes probes_with_a_gateway() {
  return {
    {"callback.secret",
     {"first", "second",
      [](const herald_process& herald) {
        return std::to_string(
          http_client{herald.api_port()}.post("/api/sse/callback?secret=second", "{}").status);
      },
      "401", "400"}},
    {"internal.secret",
     {"first", "second",
      [](const herald_process& herald) {
        return std::to_string(
          http_client{herald.api_port()}.post("/internal/send?secret=second", "{}").status);
      },
      "401", "400"}},
  };
}

json document(const probes& all, json probe::*which) {
  json made;
  for (const auto& [key, how] : all) {
    const auto dot = key.find('.');
    made[key.substr(0, dot)][key.substr(dot + 1)] = how.*which;
  }
  return made;
}

/// Reads other settings while it runs, and looks whether each is in force.
void see_all_change(const probes& all, const json& fixed, std::vector<std::string> arguments) {
  const temporary_folder folder;
  const auto with_fixed = [&](json settings) {
    settings.merge_patch(fixed);
    return settings.dump();
  };
  const auto file = folder.write("herald.json", with_fixed(document(all, &probe::before)));
  arguments.insert(arguments.end(), {"--config", file});
  herald_process herald{arguments};
  for (const auto& [key, how] : all)
    EXPECT_EQ(how.look(herald).find(how.seen_before), 0u) << key;
  folder.write("herald.json", with_fixed(document(all, &probe::after)));
  EXPECT_TRUE(herald.reload());
  for (const auto& [key, how] : all) {
    std::string seen;
    EXPECT_TRUE(eventually([&] {
      seen = how.look(herald);
      return seen.find(how.seen_after) != std::string::npos;
    }))
      << key << ": " << seen;
  }
  EXPECT_EQ(herald.full_log().find("needs_restart"), std::string::npos);
}

TEST(Reload, ChangesEachSettingThatIsLive) {
  const auto streams = probes_with_streams();
  const auto gateway = probes_with_a_gateway();
  see_all_change(streams, {{"api", {{"max_event_bytes", 512}}}}, {"--stream-threads", "1"});
  see_all_change(gateway, json::object(), {"--gateway-url", "http://127.0.0.1:1"});
  // With a test of their own.
  std::set<std::string> seen = {"stream.max_streams",         "stream.max_streams_per_address",
                                "history.max_events",         "history.max_bytes",
                                "history.max_age_s",          "api.keys",
                                "limits.failed_auth_per_min", "limits.max_addresses",
                                "limits.publishes_per_s",     "limits.publish_bytes_per_s",
                                "webhook.secret_file",        "limits.streams",
                                "limits.opens_per_s",         "limits.subject_opens_per_s",
                                "limits.max_subjects",        "limits.replay_bytes_per_min"};
  for (const auto* all : {&streams, &gateway})
    for (const auto& [key, _] : *all)
      seen.insert(key);
  std::set<std::string> live;
  for (const auto& s : settings())
    if (s.when == applies::live)
      live.insert(std::string{s.key});
  EXPECT_EQ(seen, live);
}

TEST(Reload, ChangesHowManyStreamsMayBeOpen) {
  const temporary_folder folder;
  const auto file =
    folder.write("herald.json", R"({"stream": {"max_streams": 2, "max_streams_per_address": 1}})");
  // Or loopback would not be counted.
  herald_process herald{{"--config", file, "--stream-trusted-proxies", "192.0.2.1"}};
  const auto read_anew = [&](const char* settings) {
    folder.write("herald.json", settings);
    return herald.reload();
  };
  sse_client first{herald.stream_port(), "/api/sse/stream?request_id=first"};
  ASSERT_TRUE(first.wait_for_cursor());
  EXPECT_NE(opening(herald, "x").find("from this address"), std::string::npos);
  ASSERT_TRUE(read_anew(R"({"stream": {"max_streams": 2, "max_streams_per_address": 0}})"));
  sse_client second{herald.stream_port(), "/api/sse/stream?request_id=second"};
  ASSERT_TRUE(second.wait_for_cursor());
  EXPECT_NE(opening(herald, "x").find("no more streams here"), std::string::npos);
  ASSERT_TRUE(read_anew(R"({"stream": {"max_streams": 3, "max_streams_per_address": 2}})"));
  // The one that was not counted does not count.
  sse_client third{herald.stream_port(), "/api/sse/stream?request_id=third"};
  EXPECT_TRUE(third.wait_for_cursor());
  first.close();
  second.close();
  third.close();
  EXPECT_TRUE(eventually([&] { return opening(herald, "x") == "open"; }));
  EXPECT_EQ(herald.terminate(), exited(0));
}

TEST(Reload, ChangesHowMuchOfThePastIsKept) {
  const temporary_folder folder;
  const auto file = folder.write("herald.json", R"({"history": {"max_events": 2}})");
  herald_process herald{{"--config", file}};
  http_client api{herald.api_port()};
  const auto kept = [&] {
    return json_of(api.get("/api/events"))["events"].size();
  };
  const auto publish = [&](std::size_t count, std::size_t bytes) {
    const auto data = std::string(bytes, 'x');
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_EQ(api.post("/api/events", json{{"event", "e"}, {"data", data}}.dump()).status, 202);
  };
  const auto change = [&](const char* settings) {
    folder.write("herald.json", settings);
    EXPECT_TRUE(herald.reload());
  };
  publish(5, 10);
  EXPECT_EQ(kept(), 2u);
  change(R"({"history": {"max_events": 4}})");
  publish(5, 10);
  EXPECT_EQ(kept(), 4u);
  change(R"({"history": {"max_events": 3}})");
  EXPECT_EQ(kept(), 3u) << "nothing was published since";
  change(R"({"history": {"max_events": 100, "max_bytes": 4096}})");
  publish(20, 1000);
  EXPECT_LT(kept(), 4u);
  change(R"({"history": {"max_events": 100, "max_age_s": 0}})");
  EXPECT_EQ(kept(), 0u);
  EXPECT_EQ(herald.terminate(), exited(0));
}

TEST(Reload, ChangesNothingWhereWhatIsLiveBreaksARuleWithoutTheRest) {
  const temporary_folder folder;
  const auto file = folder.write("herald.json", "{}");
  herald_process herald{{"--config", file}};
  folder.write("herald.json", R"({"api": {"max_body_bytes": 1024, "max_event_bytes": 512},
                       "log": {"level": "debug"}})");
  herald.signal(SIGHUP);
  EXPECT_TRUE(herald.logs("error herald not_reloaded reason=\"api.max_event_bytes must not be"));
  EXPECT_EQ(debug_line(herald), "no debug");
}

} // namespace
} // namespace herald
