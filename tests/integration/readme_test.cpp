#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"

namespace herald {
namespace {

using namespace testing;

using names = std::set<std::string>;

std::string readme() {
  std::ifstream in{std::filesystem::path{HERALD_SOURCE_DIR} / "README.md"};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// `name{b,a}` with its labels in their order: `name{a,b}`.
std::string ordered(const std::string& series) {
  const auto brace = series.find('{');
  if (brace == std::string::npos)
    return series;
  names labels;
  std::istringstream list{series.substr(brace + 1, series.size() - brace - 2)};
  for (std::string label; std::getline(list, label, ',');)
    labels.insert(label);
  std::string joined;
  for (const auto& label : labels)
    joined += (joined.empty() ? "" : ",") + label;
  return series.substr(0, brace) + "{" + joined + "}";
}

/// The metrics in the README's table, each with its labels: `name{a,b}`.
names described() {
  const auto text = readme();
  const auto begin = text.find("<!-- metrics -->");
  const auto end = text.find("<!-- /metrics -->");
  EXPECT_LT(begin, end);
  std::stringstream table{text.substr(begin, end - begin)};
  names found;
  // Every second piece between back-ticks is code.
  bool code = false;
  for (std::string piece; std::getline(table, piece, '`'); code = !code)
    if (code && piece.find('_') != std::string::npos)
      found.insert(ordered(piece));
  return found;
}

/// A sample's line as the README writes it: without suffixes of a histogram and without values.
std::string series_of(std::string_view line) {
  const auto brace = std::min(line.find('{'), line.find(' '));
  std::string name{line.substr(0, brace)};
  for (const std::string_view suffix : {"_bucket", "_sum", "_count"})
    if (name.find("_seconds_") != std::string::npos && name.ends_with(suffix))
      name.resize(name.size() - suffix.size());
  std::string labels;
  for (auto at = line.find("=\""); at != std::string_view::npos; at = line.find("=\"", at + 1)) {
    const auto start = line.find_last_of("{,", at) + 1;
    const std::string label{line.substr(start, at - start)};
    if (label != "le")
      labels += (labels.empty() ? "" : ",") + label;
  }
  return labels.empty() ? name : ordered(name + "{" + labels + "}");
}

/// The lines of a page of metrics, without comments.
std::vector<std::string> samples_of(const std::string& page) {
  std::vector<std::string> all;
  std::istringstream lines{page};
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && line.front() != '#')
      all.push_back(line);
  return all;
}

/// What a herald with these arguments serves, once it has had a request.
void serve(names& all, const herald_options& options) {
  herald_process herald{options};
  http_client api{herald.api_port()};
  EXPECT_EQ(api.get("/nothing-here").status, 404);
  // A body that is too long: a reason to be rejected before it is routed.
  http_client rejected{herald.api_port()};
  rejected.post("/api/events", std::string(2000, ' '));
  // The front of a stand-in makes its metrics before it answers.
  EXPECT_EQ(api.post("/internal/send", R"({"token":"unknown","close":true})").status, 404);
  for (const auto& line : samples_of(api.get("/metrics").body))
    all.insert(series_of(line));
}

const std::string a_command = R"({"tasks":{"commands":{"report":{"argv":["/bin/true"]}}}})";

names less(const names& all, const names& those) {
  names left;
  std::set_difference(
    all.begin(), all.end(), those.begin(), those.end(), std::inserter(left, left.end()));
  return left;
}

/// The ways to run herald that have metrics of their own, with small bodies.
std::vector<herald_options> ways_to_run(const temporary_folder& folder) {
  const std::vector<std::string> small = {"--api-max-body-bytes=1024", "--api-max-event-bytes=512"};
  const auto with = [&](const std::string& flag, const std::string& value) {
    auto arguments = small;
    arguments.insert(arguments.end(), {flag, value});
    return arguments;
  };
  std::ofstream{folder / "whsec"} << "whsec_" << std::string(32, 'A');
  auto with_webhook = with("--webhook-url", "http://127.0.0.1:1/hooks");
  with_webhook.insert(with_webhook.end(), {"--webhook-secret-file", (folder / "whsec").string()});
  return {
    {with_webhook, {}, {}},
    {with("--journal-path", (folder / "journal").string()), {}, a_command},
    {with("--gateway-url", "http://127.0.0.1:1"), {"HERALD_AUTH_MODE=required"}, {}},
    {with("--callback-url", "http://127.0.0.1:1/c"), {}, {}},
    {with("--auth-secret-file", folder.write("secret", std::string(32, 's'))),
     {"HERALD_AUTH_ISSUER=https://issuer.example", "HERALD_AUTH_AUDIENCE=herald",
      "HERALD_AUTH_MODE=required", "HERALD_AUTH_AUTHORIZE_URL=https://app.example/authorize"},
     {}}};
}

TEST(Readme, HasEveryMetricWithItsLabels) {
  const temporary_folder folder;
  names served;
  for (const auto& way : ways_to_run(folder))
    serve(served, way);
  EXPECT_EQ(less(served, described()), names{}) << "served, and not described";
  EXPECT_EQ(less(described(), served), names{}) << "described, and not served";
}

using label_values = std::map<std::string, std::vector<std::string>>;

/// The values that the labels of counters can have, but for those that name an actor. A counter
/// whose labels do not go with each other in all ways is here more than once.
const std::multimap<std::string, label_values>& known_values() {
  static const std::vector<std::string> actions = {"connect", "disconnect"};
  static const std::multimap<std::string, label_values> known = {
    {"sse_gateway_connections_total", {{"action", {"connect", "disconnect", "replace"}}}},
    {"sse_gateway_events_sent_total",
     {{"service", {"version", "task", "event"}}, {"status", {"success", "error"}}}},
    {"task_executions_total",
     {{"status", {"completed", "failed", "cancelled"}},
      {"type", {"demo", "failing", "external", "report"}}}},
    {"herald_tasks_refused_total", {{"limit", {"pending", "external"}}}},
    {"herald_api_rejected_total",
     {{"reason",
       {"origin", "host", "overloaded", "malformed_request", "request_timed_out", "target_too_long",
        "head_too_large", "body_too_large", "unsupported_encoding", "unsupported_expectation",
        "unsupported_coding", "unsupported_version"}}}},
    {"herald_auth_total",
     {{"port", {"api"}},
      {"result",
       {"ok", "missing", "invalid", "insufficient_scope", "two_ways", "limited", "over_rate"}}}},
    {"herald_stream_refused_total",
     {{"reason",
       {"too_many",
        "too_many_per_address",
        "too_many_openings",
        "malformed",
        "head_too_large",
        "head_timed_out",
        "head_crowded_out",
        "origin",
        "host",
        "not_found",
        "method",
        "invalid",
        "by_owner",
        "unanswered",
        "shutting_down",
        "kept_away",
        "unauthorized",
        "forbidden",
        "key_unknown",
        "too_many_per_subject",
        "opens_per_address",
        "opens_per_subject",
        "failed_auth",
        "application_away",
        "too_many_questions"}}}},
    {"herald_stream_clients_forgotten_total",
     {{"table", {"opens", "subject_opens", "replays", "subject_replays"}}}},
    {"herald_auth_questions_total",
     {{"result",
       {"granted", "refused", "timed_out", "unreachable", "bad_answer", "no_room", "given_up"}}}},
    {"herald_auth_tokens_total", {{"result", {"known", "verified", "invalid", "unknown_key"}}}},
    {"herald_auth_key_fetches_total", {{"result", {"fetched", "failed"}}}},
    {"herald_auth_total",
     {{"port", {"stream", "gateway"}},
      {"result",
       {"ok", "anonymous", "missing", "invalid", "insufficient_scope", "other_subject", "two_ways",
        "origin", "later", "limited", "refused"}}}},
    {"herald_journal_failures_total", {{"reason", {"full", "failed"}}}},
    {"herald_gateway_lost_total", {{"reason", {"expired", "stream_full", "shard_full"}}}},
    {"herald_gateway_probes_total", {{"result", {"alive", "gone", "failed"}}}},
    {"herald_callback_requests_total",
     {{"action", actions},
      {"outcome", {"ok", "refused", "unreachable", "timed_out", "expired", "queue_full"}}}},
    {"herald_callback_dropped_total", {{"action", actions}}},
    {"herald_webhook_batches_total", {{"outcome", {"answered", "refused", "failed"}}}},
    {"herald_webhook_lost_total", {{"reason", {"full", "age", "shutdown"}}}},
    {"herald_actor_refused_total", {{"why", {"rejected", "dropped", "stopped"}}}}};
  return known;
}

/// The counters of the README's table that start at 0, each with its labels.
std::map<std::string, std::vector<std::string>> counters() {
  std::map<std::string, std::vector<std::string>> found;
  for (const auto& series : described()) {
    const auto brace = std::min(series.find('{'), series.size());
    const auto name = series.substr(0, brace);
    if (!name.ends_with("_total") || name == "herald_api_requests_total")
      continue;
    auto& labels = found[name];
    std::istringstream list{brace < series.size() ? series.substr(brace + 1) : ""};
    for (std::string label; std::getline(list, label, ',');)
      labels.push_back(label.substr(0, label.find('}')));
  }
  return found;
}

/// `name{a="1",b="2"}` for each combination of values, labels in their order.
names combinations(
  const std::string& name, const std::vector<std::string>& labels, const label_values& values) {
  std::vector<std::string> made = {""};
  for (const auto& label : labels) {
    std::vector<std::string> longer;
    for (const auto& begun : made)
      for (const auto& value : values.at(label))
        longer.push_back(begun + (begun.empty() ? "" : ",") + label + "=\"" + value + "\"");
    made = std::move(longer);
  }
  names all;
  for (const auto& one : made)
    all.insert(one.empty() ? name : name + "{" + one + "}");
  return all;
}

/// `name{a="1",b="2"}` of a sample, labels in their order.
std::string exact(const std::string& sample) {
  return ordered(sample.substr(0, sample.rfind(' ')));
}

/// The actors of a herald, and those of them that have a mailbox of CAF. A stream loop has an inbox
/// that refuses nothing, and takes a message up again that has thrown.
struct actors_of {
  explicit actors_of(http_client& api) {
    const auto tree = json_of(api.get("/api/actors"));
    for (const auto& kind : tree.at("actors")) {
      const auto name = kind.at("name").get<std::string>();
      std::vector<std::string> instances = {name};
      if (kind.contains("actors")) {
        instances.clear();
        for (const auto& one : kind.at("actors"))
          instances.push_back(one.at("name").get<std::string>());
      }
      all.insert(all.end(), instances.begin(), instances.end());
      if (name != "stream-loop")
        with_mailbox.insert(with_mailbox.end(), instances.begin(), instances.end());
    }
  }
  std::vector<std::string> all;
  std::vector<std::string> with_mailbox;
};

TEST(Readme, CountersAreThereFromTheStartAtZero) {
  const temporary_folder folder;
  names there;
  names wanted;
  for (const auto& way : ways_to_run(folder)) {
    herald_process herald{way};
    http_client api{herald.api_port()};
    ASSERT_TRUE(eventually([&] { return api.get("/readyz").status == 200; }));
    for (const auto& sample : samples_of(api.get("/metrics").body)) {
      there.insert(exact(sample));
      const bool starts_at_zero =
        sample.find("_total{") != std::string::npos && !sample.starts_with("herald_api_requests");
      EXPECT_TRUE(!starts_at_zero || sample.ends_with(" 0")) << sample;
    }
    const actors_of actors{api};
    for (const auto& [name, labels] : counters()) {
      const auto known = known_values().find(name);
      auto values = known != known_values().end() ? known->second : label_values{};
      if (labels.empty() || labels.front() != "actor")
        continue;
      const bool of_mailboxes = name.find("refused") != std::string::npos
                                || name.find("messages_lost") != std::string::npos;
      values["actor"] = of_mailboxes ? actors.with_mailbox : actors.all;
      wanted.merge(combinations(name, labels, values));
    }
  }
  for (const auto& [name, labels] : counters()) {
    if (labels.empty())
      wanted.merge(combinations(name, labels, {}));
    if (labels.empty() || labels.front() == "actor")
      continue;
    const auto [first, last] = known_values().equal_range(name);
    EXPECT_NE(first, last) << name;
    for (auto known = first; known != last; ++known)
      wanted.merge(combinations(name, labels, known->second));
  }
  EXPECT_GT(wanted.size(), 100u);
  EXPECT_EQ(less(wanted, there), names{}) << "not there from the start";
}

} // namespace
} // namespace herald
