// Who may use the API of the built binary: every route, whoever asks, in whatever form.
#include <csignal>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "http/auth/digests.hpp"
#include "http/keys/api_key.hpp"
#include "http/keys/scope_table.hpp"
#include "tests/support/callback_backend.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/raw_client.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

const std::string internal_secret = "internal-secret-of-this-test";

/// A line of a head.
std::string with_key(const std::string& key) {
  return "Authorization: Bearer " + key + "\r\n";
}

/// A path that the route takes.
std::string path_for(std::string_view pattern) {
  std::string path{pattern};
  for (const auto* name : {"{request_id}", "{id}"})
    if (const auto at = path.find(name); at != std::string::npos)
      path.replace(at, std::string_view{name}.size(), "x");
  return path;
}

/// herald with keys, and what each key may do.
class ApiKeys : public ::testing::Test {
protected:
  ApiKeys() {
    settings["limits"]["failed_auth_per_min"] = 0;
    settings["internal"]["secret"] = internal_secret;
  }

  /// The text of a new key.
  std::string add(const std::string& name, const json& scopes, json more = json::object()) {
    const auto text = new_api_key();
    more["name"] = name;
    more["sha256"] = hex_of(sha256_of(text));
    more["scopes"] = scopes;
    settings["api"]["keys"].push_back(more);
    secrets.insert(text);
    return text;
  }

  void start(std::vector<std::string> arguments = {}) {
    folder.write("herald.json", settings.dump());
    arguments.insert(arguments.begin(), {"--config", folder / "herald.json"});
    herald.reset();
    herald.emplace(std::move(arguments));
    api.emplace(herald->api_port());
  }

  /// Has the settings as they are now read again.
  void reload() {
    folder.write("herald.json", settings.dump());
    ASSERT_TRUE(herald->reload());
  }

  int status(
    std::string_view method, const std::string& target, const std::string& headers,
    std::string_view body = {}) {
    return api->send(method, target, body, headers).status;
  }

  /// No key, token or secret is in the log, or in what metrics show.
  void expect_secrets_kept(const std::string& admin) {
    const auto all = herald->full_log() + api->send("GET", "/metrics", {}, with_key(admin)).body;
    for (const auto& secret : secrets)
      EXPECT_EQ(all.find(secret), std::string::npos) << secret;
    EXPECT_EQ(all.find(internal_secret), std::string::npos);
  }

  temporary_folder folder;
  json settings;
  std::set<std::string> secrets;
  std::optional<herald_process> herald;
  std::optional<http_client> api;
};

TEST_F(ApiKeys, OpenEveryRouteToItsScopeAndToNobodyElse) {
  settings["testing"]["enabled"] = true;
  std::map<std::string, std::string> keys;
  for (const auto& name : scope_names()) {
    auto plain = name;
    plain[std::min(plain.find(':'), plain.size() - 1)] = name == "admin" ? 'n' : '-';
    keys[name] = add(plain, {name});
  }
  start();
  const auto admin = with_key(keys["admin"]);
  const auto stray = new_api_key();
  secrets.insert(stray);
  std::size_t routes = 0;
  for (const auto& row : scope_table()) {
    const auto path = path_for(row.pattern);
    const auto method = std::string{row.method};
    // Not every herald has every route.
    if (status("OPTIONS", path, admin) == 404)
      continue;
    ++routes;
    const std::string_view body = method == "POST" ? "{}" : "";
    const auto asked = [&](const std::string& headers, const std::string& query = {}) {
      return api->send(method, path + query, body, headers);
    };
    SCOPED_TRACE(method + " " + path);
    const bool open = row.by == pass::open;
    EXPECT_EQ(asked({}).status, open ? 200 : 401);
    for (const auto& headers :
         {with_key(stray), with_key("x"), std::string{"Authorization: Basic eDp5\r\n"}})
      EXPECT_EQ(asked(headers).status, open ? 200 : 401) << headers;
    EXPECT_EQ(asked({}, "?access_token=" + keys["admin"]).status, open ? 400 : 401);
    if (!open && row.by != pass::callback_secret) {
      const auto twice = asked(admin + admin);
      EXPECT_EQ(twice.status, 400);
      EXPECT_NE(twice.header("www-authenticate").find("invalid_request"), std::string::npos);
    }
    for (const auto& [name, key] : keys) {
      const auto reply = asked(with_key(key));
      scope_set scopes;
      scopes.add(*parse_scope(name));
      const bool may = open || row.by == pass::any_key || scopes.has(row.needs);
      if (row.by == pass::callback_secret) {
        EXPECT_EQ(reply.status, 401) << name;
      } else if (!may) {
        EXPECT_EQ(reply.status, 403) << name;
        EXPECT_EQ(
          reply.header("www-authenticate"),
          R"(Bearer realm="herald", error="insufficient_scope", scope=")"
            + std::string{to_string(row.needs)} + "\"")
          << name;
      } else if (name == "tasks:start" && path.starts_with("/api/tasks/x")) {
        EXPECT_EQ(reply.status, 403) << "another's task";
      } else {
        EXPECT_NE(reply.status, 401) << name;
        EXPECT_NE(reply.status, 403) << name;
      }
    }
  }
  EXPECT_GE(routes, 28u);
  expect_secrets_kept(keys["admin"]);
}

TEST_F(ApiKeys, CannotBePassedByInAnyForm) {
  const auto admin = add("admin", {"admin"});
  start();
  const std::string address = "127.0.0.1:" + std::to_string(herald->api_port());
  const std::string host = "Host: " + address + "\r\n";
  for (const auto& request : std::vector<std::string>{
         "HEAD /api/connections HTTP/1.1\r\n" + host + "\r\n",
         "OPTIONS /api/connections HTTP/1.1\r\n" + host + "\r\n",
         "OPTIONS * HTTP/1.1\r\n" + host + "\r\n",
         "GET http://" + address + "/api/connections HTTP/1.1\r\n" + host + "\r\n",
         "GET /api/connections HTTP/1.0\r\n" + host + "\r\n",
         "GET /api/connections?limit=1 HTTP/1.1\r\n" + host + "\r\n",
         "GET /api/nothing HTTP/1.1\r\n" + host + "\r\n",
         "GET /api/%zz HTTP/1.1\r\n" + host + "\r\n",
         "PUT /api/events HTTP/1.1\r\n" + host + "\r\n",
         "GET /healthz/ HTTP/1.1\r\n" + host + "\r\n",
         "GET //healthz HTTP/1.1\r\n" + host + "\r\n",
         "POST /healthz HTTP/1.1\r\n" + host + "Content-Length: 0\r\n\r\n",
         "PROPFIND /api/events HTTP/1.1\r\n" + host + "\r\n",
         "POST /api/events HTTP/1.1\r\n" + host
           + "Transfer-Encoding: chunked\r\n\r\n"
             "16\r\n{\"event\":\"e\",\"data\":1}\r\n0\r\n\r\n",
       }) {
    raw_client client{herald->api_port()};
    client.send(request);
    const auto reply = client.read_reply(request.starts_with("HEAD"));
    EXPECT_EQ(reply.status, 401) << request;
    EXPECT_TRUE(reply.has("www-authenticate: bearer")) << request;
  }
  EXPECT_EQ(json_of(api->send("GET", "/api/events", {}, with_key(admin)))["events"].size(), 0u);
}

TEST_F(ApiKeys, AreAskedForBeforeABodyIsRead) {
  add("admin", {"admin"});
  start();
  raw_client client{herald->api_port()};
  client.send("POST /api/events HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
              "Content-Length: 1000000\r\n\r\n");
  const auto reply = client.read_reply();
  EXPECT_EQ(reply.status, 401) << reply.raw_head;
}

TEST_F(ApiKeys, PublishToWhatTheyMayAndNoFurther) {
  const auto shop = add("shop", {"events:publish"}, {{"topics", {"orders/*"}}});
  start();
  const auto publish = [&](const std::string& body) {
    return status("POST", "/api/events", with_key(shop), body);
  };
  EXPECT_EQ(publish(R"({"event":"e","data":1,"topic":"orders/1"})"), 202);
  EXPECT_EQ(publish(R"({"event":"e","data":1})"), 403);
  EXPECT_EQ(publish(R"({"event":"e","data":1,"topic":"news"})"), 403);
  // All or none.
  EXPECT_EQ(publish(R"([{"event":"e","data":1,"topic":"orders/1"},{"event":"e","data":1}])"), 403);
  EXPECT_TRUE(herald->logs("why=insufficient_scope key=shop"));
}

TEST_F(ApiKeys, PublishNoVersionToEveryoneWhereTheyMayNot) {
  const auto shop = add("shop", {"versions:write", "versions:read"}, {{"request_ids", {"shop-*"}}});
  const auto all = add("all", {"versions:write"});
  start();
  const std::string version = R"({"request_id":"shop-1","version":"2"})";
  EXPECT_EQ(status("POST", "/api/versions", with_key(shop), version), 403);
  EXPECT_EQ(status("GET", "/api/versions/shop-1", with_key(shop)), 404) << "nor is it kept";
  EXPECT_EQ(status("POST", "/api/versions", with_key(all), version), 202);
}

TEST_F(ApiKeys, HaveKeysOfIdempotencyOfTheirOwn) {
  const auto a = add("a", {"events:publish"});
  const auto b = add("b", {"events:publish"});
  start();
  const auto post = [&](const std::string& key) {
    return api->post(
      "/api/events", R"({"event":"e","data":1})", with_key(key) + "Idempotency-Key: same\r\n");
  };
  const auto first = post(a);
  ASSERT_EQ(first.status, 202) << first.body;
  const auto others = post(b);
  EXPECT_EQ(others.status, 202);
  EXPECT_FALSE(others.has("idempotent-replayed"));
  EXPECT_NE(others.body, first.body);
  EXPECT_EQ(post(a).body, first.body);
  const auto none =
    api->post("/api/events", R"({"event":"e","data":1})", "Idempotency-Key: same\r\n");
  EXPECT_EQ(none.status, 401);
}

TEST_F(ApiKeys, ChangeWhileHeraldRuns) {
  const auto old_key = add("shop", {"events:publish"});
  start();
  const std::string event = R"({"event":"e","data":1})";
  EXPECT_EQ(status("POST", "/api/events", with_key(old_key), event), 202);
  const auto new_key = add("shop", {"events:publish"});
  reload();
  EXPECT_EQ(status("POST", "/api/events", with_key(old_key), event), 202);
  EXPECT_EQ(status("POST", "/api/events", with_key(new_key), event), 202);
  settings["api"]["keys"].erase(0);
  reload();
  EXPECT_EQ(status("POST", "/api/events", with_key(old_key), event), 401);
  EXPECT_EQ(status("POST", "/api/events", with_key(new_key), event), 202);
  // What is broken changes nothing.
  settings["api"]["keys"][0]["scopes"] = {"everything"};
  folder.write("herald.json", settings.dump());
  herald->signal(SIGHUP);
  EXPECT_TRUE(herald->logs("not_reloaded"));
  EXPECT_EQ(status("POST", "/api/events", with_key(new_key), event), 202);
}

TEST_F(ApiKeys, HaveARateThatCanBeChanged) {
  const auto shop = add("shop", {"events:publish"});
  start();
  const std::string event = R"({"event":"e","data":1})";
  const std::string many = "[" + event + "," + event + "," + event + "]";
  EXPECT_EQ(status("POST", "/api/events", with_key(shop), many), 202);
  EXPECT_EQ(status("POST", "/api/events", with_key(shop), many), 202);
  // One that is over its rate by so much that no test runs for as long.
  for (const auto* limit : {"publishes_per_s", "publish_bytes_per_s"}) {
    SCOPED_TRACE(limit);
    settings["limits"] = {{"failed_auth_per_min", 0}, {limit, 1}};
    reload();
    std::string large = "[" + event;
    for (int i = 0; i < 999; ++i)
      large += "," + event;
    EXPECT_EQ(status("POST", "/api/events", with_key(shop), large + "]"), 202);
    const auto refused = api->post("/api/events", event, with_key(shop));
    EXPECT_EQ(refused.status, 429);
    EXPECT_GE(std::stoi(refused.header("retry-after")), 900);
  }
}

TEST_F(ApiKeys, AreNotTriedWithoutEnd) {
  settings["limits"] = {{"failed_auth_per_min", 2}, {"max_addresses", 1}};
  const auto admin = add("admin", {"admin"});
  start();
  EXPECT_EQ(status("GET", "/api/tasks", with_key("a")), 401);
  EXPECT_EQ(status("GET", "/api/tasks", with_key("b")), 401);
  EXPECT_EQ(status("GET", "/api/tasks", with_key("c")), 429);
  EXPECT_EQ(status("GET", "/api/tasks", with_key(admin)), 429);
  EXPECT_EQ(status("GET", "/healthz", {}), 200);
  settings["limits"]["failed_auth_per_min"] = 0;
  reload();
  EXPECT_EQ(status("GET", "/api/tasks", with_key(admin)), 200);
}

TEST_F(ApiKeys, LeaveTheReportsOnATaskToWhoDoesItsWork) {
  const auto shop = add("shop", {"tasks:start", "tasks:read"});
  const auto other = add("other", {"tasks:start"});
  const auto journal = std::vector<std::string>{"--journal-path", folder / "journal.db"};
  start(journal);
  const auto begun = json_of(api->post("/api/tasks", R"({"type":"external"})", with_key(shop)));
  const auto second = json_of(api->post("/api/tasks", R"({"type":"external"})", with_key(shop)));
  ASSERT_TRUE(begun.contains("task_token")) << begun;
  const std::string token = begun["task_token"];
  secrets.insert(token);
  const auto task = "/api/tasks/" + begun["task_id"].get<std::string>();
  const auto next_task = "/api/tasks/" + second["task_id"].get<std::string>();
  const auto report = [&](const std::string& path, const std::string& key) {
    return status("POST", path + "/progress", with_key(key), R"({"value":0.5})");
  };
  EXPECT_EQ(report(task, token), 200);
  EXPECT_EQ(report(next_task, token), 401);
  EXPECT_EQ(report(task, shop), 403) << "who starts a task need not do its work";
  EXPECT_EQ(status("GET", task, with_key(token)), 401);
  EXPECT_EQ(status("POST", task + "/cancel", with_key(token)), 401);
  herald->kill();
  start(journal);
  EXPECT_EQ(report(task, token), 200) << "in another life";
  EXPECT_EQ(status("POST", task + "/cancel", with_key(other)), 403);
  EXPECT_EQ(status("POST", task + "/complete", with_key(token), "{}"), 200);
  EXPECT_EQ(report(task, token), 409) << "there is nothing to report any more";
  EXPECT_EQ(status("DELETE", task, with_key(other)), 403);
  EXPECT_EQ(status("DELETE", task, with_key(shop)), 204);
  EXPECT_EQ(status("POST", next_task + "/cancel", with_key(shop)), 200);
  for (const auto& secret : secrets)
    EXPECT_EQ(herald->full_log().find(secret), std::string::npos);
}

TEST_F(ApiKeys, GiveProgramsATokenForTheirTask) {
  const auto shop = add("shop", {"tasks:start", "tasks:read"});
  settings["tasks"]["commands"]["work"]["argv"] = {
    "/bin/sh", "-c", R"(echo "{\"text\":\"$HERALD_TASK_TOKEN $HERALD_API\"}"; read go < go)"};
  settings["tasks"]["commands"]["work"]["cwd"] = folder.path().string();
  ASSERT_EQ(::mkfifo((folder / "go").c_str(), 0600), 0);
  start();
  const auto begun = json_of(api->post("/api/tasks", R"({"type":"work"})", with_key(shop)));
  const auto task = "/api/tasks/" + begun["task_id"].get<std::string>();
  const auto shown = [&] {
    return json_of(api->send("GET", task, {}, with_key(shop)));
  };
  ASSERT_TRUE(eventually([&] { return shown()["progress_text"].is_string(); })) << shown();
  const std::string told = shown()["progress_text"];
  const auto token = told.substr(0, told.find(' '));
  EXPECT_EQ(told.substr(token.size()), " http://127.0.0.1:" + std::to_string(herald->api_port()));
  EXPECT_EQ(
    status("POST", task + "/progress", with_key(token), R"({"value":0.25,"text":"a quarter"})"),
    200);
  EXPECT_EQ(shown()["progress"], 0.25);
  EXPECT_EQ(status("POST", task + "/complete", with_key(token), "{}"), 409)
    << "a program ends by ending";
  folder.write("go", "go\n");
  EXPECT_TRUE(eventually([&] { return shown()["status"] == "completed"; }));
  EXPECT_EQ(herald->full_log().find(token), std::string::npos);
}

TEST_F(ApiKeys, AreWantedWhereOthersReachTheApi) {
  const auto refused = run_herald({"--api-host", "0.0.0.0", "--api-port", "0"});
  EXPECT_EQ(refused.status, exited(2));
  EXPECT_EQ(
    refused.standard_error,
    "herald: --api-host: api.keys must be set, or api.open=true written down, where api.host "
    "(0.0.0.0) is not a loopback address\n");
  const auto admin = add("admin", {"admin"});
  start({"--api-host", "0.0.0.0"});
  EXPECT_EQ(herald->full_log().find(" exposed"), std::string::npos);
  EXPECT_NE(
    api->send("GET", "/metrics", {}, with_key(admin)).body.find("herald_api_exposed 0"),
    std::string::npos);
}

TEST_F(ApiKeys, CloseInternalSendWhereItHasNoSecret) {
  settings["internal"]["secret"] = "";
  add("admin", {"admin"});
  start();
  EXPECT_EQ(status("POST", "/internal/send", {}, "{}"), 401);
  EXPECT_TRUE(herald->logs("internal_send_closed"));
}

TEST_F(ApiKeys, GuardTheOnePortOfAGateway) {
  callback_backend backend;
  add("admin", {"admin"});
  folder.write("herald.json", settings.dump());
  herald.emplace(std::vector<std::string>{
    "gateway", "--config", folder / "herald.json", "--callback-url", backend.url()});
  http_client port{herald->stream_port()};
  const auto send = [&](const std::string& query, const std::string& headers) {
    return port.post("/internal/send" + query, R"({"token":"t"})", headers).status;
  };
  EXPECT_EQ(send({}, {}), 401);
  EXPECT_EQ(send("?secret=x", {}), 401);
  EXPECT_EQ(send("?secret=" + internal_secret, {}), 404);
  EXPECT_EQ(send({}, with_key(internal_secret)), 404);
  EXPECT_EQ(send("?secret=" + internal_secret, with_key(internal_secret)), 400);
}

TEST_F(ApiKeys, ArePrintedByACommand) {
  const auto made = run_herald({"key", "shop", "--scope", "events:publish"});
  EXPECT_EQ(made.status, exited(0)) << made.standard_error;
  const auto end = made.standard_output.find('\n');
  const auto key = made.standard_output.substr(0, end);
  settings["api"]["keys"] = {json::parse(made.standard_output.substr(end + 1))};
  start();
  EXPECT_EQ(status("POST", "/api/events", with_key(key), R"({"event":"e","data":1})"), 202);
}

} // namespace
} // namespace herald
