#include <cmath>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/config/settings.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/version_server.hpp"

namespace herald {
namespace {

using namespace testing;
using arguments = std::vector<std::string>;

/// What shows that a setting does what it says: something is seen that differs from what is seen
/// without it.
struct probe {
  std::string value;
  std::function<std::string(herald_process&)> look;
  std::string seen_with;
  std::string seen_without;
  /// In both cases.
  arguments besides{};
};

using probes = std::map<std::string, probe>;

std::string status(int code) {
  return std::to_string(code);
}

std::string post(herald_process& herald, std::string_view target, std::string_view body) {
  return status(http_client{herald.api_port()}.post(target, body).status);
}

std::string start_task(http_client& api, std::string_view body) {
  const auto task = json_of(api.post("/api/tasks", body));
  return task.contains("task_id") ? task["task_id"].get<std::string>() : "none";
}

/// The status of a task as it is once it is not `not_yet` any more.
std::string task_after(herald_process& herald, std::string_view body, const std::string& not_yet) {
  http_client api{herald.api_port()};
  const auto id = start_task(api, body);
  std::string now;
  (void)eventually(
    [&] {
      const auto task = json_of(api.get("/api/tasks/" + id));
      now = task.contains("task_id") ? task["status"].get<std::string>() : "gone";
      return now != not_yet;
    },
    std::chrono::seconds{4});
  return now;
}

std::string opens(herald_process& herald, const std::string& more = {}) {
  raw_client client{herald.stream_port()};
  client.send("GET " + stream_target("a") + more + " HTTP/1.1\r\nHost: h\r\n\r\n");
  return client.wait_for("\nid: ") ? "opens" : "refused";
}

std::string counted(herald_process& herald, const char* series) {
  http_client api{herald.api_port()};
  return std::to_string(static_cast<int>(metric(api, series)));
}

probes of_the_api() {
  const auto keys = [](herald_process& herald) {
    http_client api{herald.api_port()};
    for (int i = 0; i < 10; ++i)
      api.post(
        "/api/events", R"({"event":"e","data":1})",
        "Idempotency-Key: " + std::to_string(i) + "\r\n");
    return metric(api, "herald_idempotency_keys") == 10 ? "all" : "some";
  };
  return {
    {"api.max_event_bytes",
     {"512",
      [](auto& h) {
        return post(h, "/api/events", R"({"event":"e","data":")" + std::string(600, 'x') + "\"}");
      },
      "413", "202"}},
    {"api.max_idempotency_bytes", {"1024", keys, "some", "all"}},
    {"testing.enabled",
     {"true",
      [](auto& h) {
        return post(h, "/api/testing/deployments/version", R"({"request_id":"a","version":"1"})");
      },
      "202", "404"}},
    {"log.format", {"json", [](auto& h) { return h.full_log().substr(0, 1); }, "{", "2"}},
  };
}

probes of_streams() {
  const auto first_event = [](herald_process& herald) {
    sse_client stream{herald.stream_port(), stream_target("a")};
    EXPECT_TRUE(stream.wait_for_cursor());
    post(herald, "/api/events", R"({"event":"e","data":1})");
    const auto event = stream.next();
    return event ? event->data : "none";
  };
  const auto first_name = [](herald_process& herald) {
    sse_client stream{herald.stream_port(), stream_target("a")};
    EXPECT_TRUE(stream.wait_for_cursor());
    post(herald, "/api/events", R"({"event":"e","data":1})");
    const auto event = stream.next();
    return event ? event->name : "none";
  };
  const auto heartbeat = [](herald_process& herald) {
    sse_client stream{herald.stream_port(), stream_target("a")};
    return stream.wait_for_comment("heartbeat", std::chrono::seconds{5}) ? "comment" : "quiet";
  };
  const auto heartbeat_event = [](herald_process& herald) {
    sse_client stream{herald.stream_port(), stream_target("a")};
    return stream.next("heartbeat", std::chrono::seconds{3}) ? "event" : "none";
  };
  const auto half_a_head = [](herald_process& herald) {
    raw_client client{herald.stream_port()};
    client.send("GET / HTTP/1.1\r\n");
    return eventually([&] { return client.is_closed_now(); }, std::chrono::seconds{3}) ? "closed"
                                                                                       : "open";
  };
  const auto many_heads = [](herald_process& herald) {
    std::vector<raw_client> clients;
    for (int i = 0; i < 20; ++i) {
      clients.emplace_back(herald.stream_port());
      clients.back().send("GET / HTTP/1.1\r\n");
    }
    http_client api{herald.api_port()};
    const auto crowded = [&] {
      return metric(api, R"(herald_stream_refused_total{reason="head_crowded_out"})") > 0;
    };
    return eventually(crowded, std::chrono::seconds{2}) ? "crowded" : "room";
  };
  const auto retry_at_the_end = [](herald_process& herald) {
    sse_client stream{herald.stream_port(), stream_target("a")};
    EXPECT_TRUE(stream.wait_for_cursor());
    herald.terminate();
    EXPECT_TRUE(stream.wait_for_end());
    return stream.retry().value_or(0) > 1000 ? "spread" : "at once";
  };
  const auto change = [](herald_process& herald) {
    sse_client stream{herald.stream_port(), stream_target("a")};
    EXPECT_TRUE(stream.wait_for_cursor());
    return post(herald, "/api/connections/a/topics", R"({"add":["t"]})");
  };
  return {
    {"stream.threads",
     {"3",
      [](auto& h) {
        http_client api{h.api_port()};
        const auto third = [&] {
          return !std::isnan(metric(api, R"(herald_stream_open{loop="2"})"));
        };
        return eventually(third, std::chrono::seconds{2}) ? "three" : "fewer";
      },
      "three", "fewer"}},
    {"stream.heartbeat_s", {"1", heartbeat, "comment", "quiet"}},
    {"stream.heartbeat_event",
     {"true", heartbeat_event, "event", "none", {"--stream-heartbeat-s", "1"}}},
    {"stream.cursor_event", {"true", first_name, "cursor", "e"}},
    {"stream.format", {"envelope", first_event, R"({"type":"e","payload":1})", "1"}},
    {"stream.max_kept_away",
     {"0",
      [](auto& h) {
        http_client api{h.api_port()};
        return status(api.del("/api/connections/a?stay_away_s=9").status);
      },
      "503", "204"}},
    {"stream.max_topics", {"0", [](auto& h) { return opens(h, "&topic=t"); }, "refused", "opens"}},
    {"stream.max_topics_bytes",
     {"0", [](auto& h) { return opens(h, "&topic=t"); }, "refused", "opens"}},
    {"stream.max_topic_changes_bytes", {"0", change, "503", "200"}},
    {"stream.head_timeout_ms", {"100", half_a_head, "closed", "open"}},
    {"stream.max_heads", {"16", many_heads, "crowded", "room", {"--stream-threads", "1"}}},
    {"shutdown.retry_window_ms", {"0", retry_at_the_end, "at once", "spread"}},
  };
}

probes of_what_is_kept(const temporary_folder& folder, const version_server& server) {
  const auto values = [](herald_process& herald) {
    std::string answers;
    for (const auto* topic : {"a", "b"})
      answers += post(
                   herald, "/api/events",
                   R"({"event":"e","retain":true,"topic":")" + std::string{topic} + R"(","data":")"
                     + std::string(2000, 'x') + "\"}")
                 + " ";
    return answers;
  };
  const auto replayed_values = [=](herald_process& herald) {
    values(herald);
    sse_client stream{herald.stream_port(), stream_target("p") + "&topic=a&topic=b"};
    EXPECT_TRUE(stream.wait_for_cursor());
    return stream.next("gap", std::chrono::seconds{2}) ? "gap" : "all";
  };
  const auto versions = [](herald_process& herald) {
    for (const auto* id : {"a", "b"})
      post(
        herald, "/api/versions",
        R"({"request_id":")" + std::string{id} + R"(","version":")" + std::string(900, 'x')
          + "\"}");
    return counted(herald, "herald_versions_pending");
  };
  const auto file = (folder / "j").string();
  return {
    {"retain.max_topics", {"1", values, "202 507 ", "202 202 "}},
    {"retain.max_bytes", {"3000", values, "202 507 ", "202 202 "}},
    {"retain.max_replay", {"1", replayed_values, "gap", "all"}},
    {"version.max_pending", {"1", versions, "1", "2"}},
    {"version.max_pending_bytes", {"2000", versions, "1", "2"}},
    {"version.url",
     {server.url(),
      [](auto& h) {
        sse_client stream{h.stream_port(), stream_target("a")};
        return stream.next("version", std::chrono::seconds{2}) ? "version" : "none";
      },
      "version", "none"}},
    {"journal.path",
     {file, [file](auto&) { return std::filesystem::remove(file) ? "file" : "none"; }, "file",
      "none"}},
  };
}

probes of_tasks() {
  const auto running = [](herald_process& herald) {
    http_client api{herald.api_port()};
    for (int i = 0; i < 3; ++i)
      start_task(api, R"({"type":"demo","params":{"steps":1,"delay":1000}})");
    return counted(herald, "herald_tasks_active");
  };
  const auto second_of = [](std::string body) {
    return [body = std::move(body)](herald_process& herald) {
      post(herald, "/api/tasks", body);
      post(herald, "/api/tasks", body);
      return post(herald, "/api/tasks", body);
    };
  };
  const auto ended = [](herald_process& herald) {
    http_client api{herald.api_port()};
    for (int i = 0; i < 3; ++i) {
      const auto id = start_task(api, R"({"type":"external"})");
      api.post("/api/tasks/" + id + "/complete", R"({"result":")" + std::string(2000, 'x') + "\"}");
    }
    return counted(herald, "herald_tasks_kept");
  };
  const auto told = [](herald_process& herald) {
    sse_client stream{herald.stream_port(), stream_target("a")};
    EXPECT_TRUE(stream.wait_for_cursor());
    post(herald, "/api/tasks", R"({"type":"demo","params":{"steps":1,"delay":0}})");
    return stream.next("task_event", std::chrono::seconds{2}) ? "told" : "silent";
  };
  const auto grace = [](herald_process& herald) {
    post(herald, "/api/tasks", R"({"type":"external"})");
    herald.signal(SIGTERM);
    return herald.wait(std::chrono::seconds{5}) ? "ended" : "runs";
  };
  const auto slow = R"({"type":"demo","params":{"steps":1,"delay":1000}})";
  const auto quick = R"({"type":"demo","params":{"steps":1,"delay":0}})";
  return {
    {"tasks.workers", {"2", running, "2", "3"}},
    {"tasks.timeout_s",
     {"1", [slow](auto& h) { return task_after(h, slow, "running"); }, "failed", "running"}},
    {"tasks.external_timeout_s",
     {"1", [](auto& h) { return task_after(h, R"({"type":"external"})", "running"); }, "failed",
      "running"}},
    {"tasks.retention_s",
     {"0", [quick](auto& h) { return task_after(h, quick, "completed"); }, "gone", "completed"}},
    {"tasks.max_pending", {"1", second_of(slow), "503", "202", {"--tasks-workers", "1"}}},
    {"tasks.max_external", {"2", second_of(R"({"type":"external"})"), "503", "202"}},
    {"tasks.max_ended", {"1", ended, "1", "3"}},
    {"tasks.max_ended_bytes", {"3000", ended, "1", "3"}},
    {"tasks.audience", {"none", told, "silent", "told"}},
    {"shutdown.grace_s", {"0", grace, "ended", "runs", {"--gateway-retry-ms", "0"}}},
  };
}

std::string flag_of(const std::string& key) {
  return find_setting(key)->flag();
}

void see_each(const probes& all) {
  for (const auto& [key, how] : all) {
    SCOPED_TRACE(key);
    auto with = how.besides;
    with.push_back(flag_of(key) + "=" + how.value);
    herald_process changed{with};
    EXPECT_EQ(how.look(changed), how.seen_with);
    herald_process usual{how.besides};
    EXPECT_EQ(how.look(usual), how.seen_without);
  }
}

TEST(EachSetting, OfTheApiDoesWhatItSays) {
  see_each(of_the_api());
}

TEST(EachSetting, OfStreamsDoesWhatItSays) {
  see_each(of_streams());
}

TEST(EachSetting, OfWhatIsKeptDoesWhatItSays) {
  const temporary_folder folder;
  const version_server server;
  see_each(of_what_is_kept(folder, server));
}

TEST(EachSetting, OfTasksDoesWhatItSays) {
  see_each(of_tasks());
}

/// Settings that other tests see at work, and which.
const std::map<std::string, std::string>& seen_elsewhere() {
  static const std::map<std::string, std::string> all = {
    {"api.host", "hosts_test"},
    {"api.port", "settings_test"},
    {"api.max_connections", "api_server_test"},
    {"api.max_waiting_connections", "api_server_test"},
    {"api.reserved_connections", "api_server_test"},
    {"api.max_connections_per_address", "api_server_test"},
    {"api.min_rate_bytes", "api_server_test"},
    {"api.max_request_bytes", "api_server_test"},
    {"api.wait_ms", "stream_port_test"},
    {"api.idempotency_s", "key_book_test"},
    {"stream.host", "hosts_test"},
    {"stream.port", "settings_test"},
    {"stream.unreachable_s", "stall_patrol_test"},
    {"stream.max_openings", "stream_endpoint_test"},
    {"stream.io_uring", "stream_endpoint_test"},
    {"stream.log_bytes", "stream_endpoint_test"},
    {"stream.private_queue_bytes", "stream_table_test"},
    {"stream.max_private_bytes", "stream_table_test"},
    {"auth.secret_file", "key_source_test"},
    {"auth.jwks_file", "key_source_test"},
    {"auth.jwks_url", "key_source_test"},
    {"auth.ca_file", "key_source_test"},
    {"auth.issuer", "token_claims_test"},
    {"auth.audience", "token_claims_test"},
    {"auth.algorithms", "token_verifier_test"},
    {"auth.typ", "token_verifier_test"},
    {"auth.leeway_s", "token_claims_test"},
    {"auth.max_lifetime_s", "token_claims_test"},
    {"auth.roles_claim", "token_claims_test"},
    {"auth.topics_claim", "token_claims_test"},
    {"auth.max_token_bytes", "token_verifier_test"},
    {"auth.max_roles", "token_claims_test"},
    {"auth.max_topics", "token_claims_test"},
    {"auth.jwks_timeout_ms", "document_fetch_test"},
    {"auth.jwks_refresh_s", "key_schedule_test"},
    {"auth.jwks_refetch_s", "key_schedule_test"},
    {"auth.jwks_max_stale_s", "key_schedule_test"},
    {"auth.max_jwks_bytes", "document_fetch_test"},
    {"auth.max_keys", "key_set_test"},
    {"auth.max_cached_tokens", "token_cache_test"},
    {"auth.max_cached_bytes", "token_cache_test"},
    {"auth.mode", "stream_access_test"},
    {"auth.cookie", "stream_access_test"},
    {"auth.public_topics", "stream_access_test"},
    {"auth.renew_s", "expirations_test"},
    {"auth.max_bindings", "page_subjects_test"},
    {"auth.max_revocations", "revocations_test"},
    {"auth.max_tickets", "ticket_book_test"},
    {"auth.max_ticket_bytes", "ticket_book_test"},
    {"auth.authorize_url", "authorize_test"},
    {"auth.authorize_url_file", "command_line_test"},
    {"auth.authorize_plain", "config_test"},
    {"auth.authorize_timeout_ms", "authorizer_test"},
    {"auth.authorize_connections", "authorizer_test"},
    {"auth.authorize_max_waiting", "authorizer_test"},
    {"auth.authorize_max_bytes", "authorizer_test"},
    {"auth.authorize_max_answer_bytes", "authorizer_test"},
    {"auth.max_waiting_callbacks", "callback_access_test"},
    {"webhook.url", "webhook_test"},
    {"webhook.url_file", "reload_test"},
    {"webhook.secret_file", "webhook_test"},
    {"webhook.ca_file", "webhook_client_test"},
    {"webhook.timeout_ms", "webhook_client_test"},
    {"webhook.max_batch_events", "webhook_queue_test"},
    {"webhook.max_batch_bytes", "webhook_queue_test"},
    {"webhook.max_queue_events", "webhook_queue_test"},
    {"webhook.max_queue_bytes", "webhook_queue_test"},
    {"webhook.max_age_s", "webhook_queue_test"},
    {"webhook.min_backoff_ms", "webhook_queue_test"},
    {"webhook.max_backoff_ms", "webhook_queue_test"},
    {"stream.trusted_proxies", "stream_endpoint_test"},
    {"stream.proxy_protocol", "stream_endpoint_test"},
    {"stream.replay_per_minute_bytes", "stream_endpoint_test"},
    {"api.open", "api_keys_test"},
    {"internal.secret", "api_keys_test"},
    {"internal.secret_file", "api_keys_test"},
    {"journal.sync", "journal_file_test"},
    {"journal.max_queue_events", "registry_memory_test"},
    {"journal.max_queue_bytes", "registry_memory_test"},
    {"version.url_file", "reload_test"},
    {"tasks.kill_after_ms", "command_task_test"},
    {"tasks.max_memory_bytes", "command_task_test"},
    {"tasks.max_cpu_s", "command_task_test"},
    {"tasks.max_file_bytes", "command_task_test"},
    {"tasks.publish_errors", "command_task_test"},
    {"tasks.commands", "command_task_test"},
    {"log.max_queue_lines", "log_test"},
    {"log.max_queue_bytes", "log_test"}};
  return all;
}

TEST(EachSetting, IsSeenAtWork) {
  const temporary_folder folder;
  const version_server server;
  std::set<std::string> seen;
  for (const auto& some : {of_the_api(), of_streams(), of_what_is_kept(folder, server), of_tasks()})
    for (const auto& [key, how] : some)
      seen.insert(key);
  for (const auto& [key, where] : seen_elsewhere())
    EXPECT_TRUE(seen.insert(key).second) << key;
  for (const auto& s : settings()) {
    const auto section = s.section();
    // Gateways, callbacks and the supervisor have suites of their own; what is live has
    // reload_test.
    if (
      section == "gateway" || section == "callback" || section == "supervision"
      || s.when == applies::live)
      continue;
    EXPECT_EQ(seen.count(std::string{s.key}), 1u) << s.key;
  }
}

} // namespace
} // namespace herald
