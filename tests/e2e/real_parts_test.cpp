#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

const std::string here = HERALD_SOURCE_DIR "/tests/e2e/";

/// A client or a proxy that is not installed says so by this code.
constexpr auto not_installed = 77;

/// What is between a herald and the events that arrive.
struct parts {
  /// One of other people's clients; clients/README.md.
  const char* client;
  /// One of proxies/start.sh; none where the client asks herald itself.
  const char* proxy;

  friend std::ostream& operator<<(std::ostream& out, const parts& p) {
    return out << p.client << " " << p.proxy;
  }
};

/// What ends a stream, and keeps the client away for a while.
enum class fault { ended_by_the_api, full, restarted, killed };

std::ostream& operator<<(std::ostream& out, fault what) {
  constexpr std::array names = {"EndedByTheApi", "Full", "Restarted", "Killed"};
  return out << names[static_cast<std::size_t>(what)];
}

/// Browsers take as much of a machine to start as a test is else given.
constexpr auto patience_for_a_start = 2 * patience;

std::vector<std::string> client_call(std::string_view name, const std::string& folder) {
  const auto file = [](const char* file_name) {
    return here + "clients/" + file_name;
  };
  // Debian's: another Python in PATH may have other packages.
  const std::string python = "/usr/bin/python3";
  const auto rest = [name] {
    return std::string{name.substr(name.find(' ') + 1)};
  };
  if (name == "curl")
    return {"bash", file("curl.sh")};
  if (name.starts_with("python "))
    return {python, file("python.py"), rest()};
  if (name.starts_with("node "))
    return {"node", file("node.mjs"), rest()};
  const auto program = std::string{name.substr(0, name.find(' '))};
  return {python, file("browser.py"), program, rest(), folder};
}

/// A client with a stream, and what it has told.
class real_client {
public:
  real_client(std::string_view name, std::uint16_t port) {
    auto call = client_call(name, folder_.path().string());
    call.push_back("http://127.0.0.1:" + std::to_string(port) + stream_target("page"));
    program_.emplace(std::move(call));
  }

  /// Whether it has ended because something is not installed.
  [[nodiscard]] bool is_missing() {
    return program_->wait(std::chrono::milliseconds{0}) == exited(not_installed);
  }
  [[nodiscard]] std::string complaint() const { return program_->standard_error(); }

  /// What it has told of events `n`, of `gap`, and of streams that have `ended`.
  [[nodiscard]] std::vector<json> told(std::string_view name) const {
    std::vector<json> all;
    std::istringstream lines{program_->standard_output()};
    for (std::string line; std::getline(lines, line);)
      // The last line may be half written.
      if (auto one = json::parse(line, nullptr, false); one.is_object() && one["name"] == name)
        all.push_back(std::move(one));
    return all;
  }
  [[nodiscard]] std::vector<json> events() const { return told("n"); }
  [[nodiscard]] bool has(std::size_t count) const {
    return eventually([&] { return events().size() >= count; });
  }

private:
  temporary_folder folder_;
  std::optional<child_program> program_;
};

/// A proxy on a port of its own, before the streams of a port.
class real_proxy {
public:
  real_proxy(const std::string& name, std::uint16_t stream_port) {
    // Its workers may be of another user.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
    // Somebody may take a free port before the proxy does.
    for (int attempt = 0; attempt < 4; ++attempt) {
      port_ = free_port();
      program_ = std::make_unique<child_program>(std::vector<std::string>{
        "bash", here + "proxies/start.sh", name, std::to_string(port_), std::to_string(stream_port),
        folder_.path().string()});
      const auto decided = [&] {
        return !program_->running() || raw_client{port_}.connected();
      };
      if ((eventually(decided) && program_->running()) || is_missing())
        return;
    }
    ADD_FAILURE() << name << " has not started: " << complaint();
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] bool is_missing() {
    return program_->wait(std::chrono::milliseconds{0}) == exited(not_installed);
  }
  [[nodiscard]] std::string complaint() const { return program_->standard_error(); }

private:
  temporary_folder folder_;
  std::unique_ptr<child_program> program_;
  std::uint16_t port_ = 0;
};

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

class RealParts : public ::testing::TestWithParam<std::tuple<parts, fault>> {
protected:
  void start_herald() {
    herald.reset();
    std::vector<std::string> arguments = {
      "--stream-port", std::to_string(stream_port), "--journal-path", (folder / "journal").string(),
      "--shutdown-retry-window-ms", "0",
      // Time enough for another page to come first where there is room for one.
      "--stream-retry-ms", is_full() ? "1000" : "100"};
    if (is_full())
      arguments.insert(arguments.end(), {"--stream-max-streams", "1"});
    herald.emplace(std::move(arguments));
    api.emplace(herald->api_port());
  }

  [[nodiscard]] static bool is_full() { return std::get<fault>(GetParam()) == fault::full; }

  /// Starts what the row names, and waits until the client has its stream.
  void open_the_stream() {
    const auto& row = std::get<parts>(GetParam());
    auto port = stream_port;
    if (*row.proxy != '\0') {
      proxy.emplace(row.proxy, stream_port);
      if (proxy->is_missing())
        GTEST_SKIP() << proxy->complaint();
      port = proxy->port();
    }
    client.emplace(row.client, port);
    const auto decided = [&] {
      return connections() == 1 || client->is_missing();
    };
    ASSERT_TRUE(eventually(decided, patience_for_a_start)) << client->complaint();
    if (client->is_missing())
      GTEST_SKIP() << client->complaint();
  }

  [[nodiscard]] std::size_t connections() {
    return json_of(api->get("/api/connections"))["total"].get<std::size_t>();
  }

  void publish() {
    const json event = {{"event", "n"}, {"data", {{"number", published++}, {"sent", now_ms()}}}};
    EXPECT_EQ(api->post("/api/events", event.dump()).status, 202);
  }
  /// Without waiting for the client.
  void publish_some() {
    for (int i = 0; i < 5; ++i)
      publish();
  }
  /// Each is awaited before the next is sent: one that is held back ends the test.
  void expect_live_events() {
    for (int i = 0; i < 10; ++i) {
      publish();
      ASSERT_TRUE(client->has(published)) << client->complaint();
      const auto event = client->events().back();
      slowest_ms = std::max(
        slowest_ms, event["at"].get<std::int64_t>() - event["data"]["sent"].get<std::int64_t>());
    }
  }

  void expect_each_once() {
    const auto events = client->events();
    ASSERT_EQ(events.size(), published) << "none twice";
    for (std::size_t i = 0; i < published; ++i)
      EXPECT_EQ(events[i]["data"]["number"], i);
    EXPECT_TRUE(client->told("gap").empty());
  }

  void have_the_fault() {
    switch (std::get<fault>(GetParam())) {
    case fault::ended_by_the_api:
      EXPECT_EQ(api->del("/api/connections/page").status, 204);
      return publish_some();
    case fault::full:
      return be_full_for_a_while();
    case fault::restarted:
      EXPECT_EQ(herald->terminate(), exited(0));
      break;
    case fault::killed:
      herald->kill();
      break;
    }
    ASSERT_TRUE(eventually([&] { return client->told("ended").size() >= 2; }))
      << "it comes while herald is away";
    start_herald();
    publish_some();
  }

  /// Another page has the only place until the client was turned away twice.
  void be_full_for_a_while() {
    const auto has_place = [&] {
      const auto all = json_of(api->get("/api/connections"))["connections"];
      return all.size() == 1 && all[0]["request_id"] == "other";
    };
    std::optional<sse_client> other;
    ASSERT_TRUE(eventually([&] {
      api->del("/api/connections/page");
      other.emplace(stream_port, stream_target("other"));
      return other->open() && has_place();
    }));
    const auto turned_away = [&] {
      return metric(*api, "herald_stream_refused_total{reason=\"too_many\"}");
    };
    const auto before = turned_away();
    publish_some();
    ASSERT_TRUE(eventually([&] { return turned_away() >= before + 2; })) << "it asks again";
  }

  temporary_folder folder;
  std::uint16_t stream_port = free_port();
  std::optional<herald_process> herald;
  std::optional<http_client> api;
  std::optional<real_proxy> proxy;
  std::optional<real_client> client;
  std::size_t published = 0;
  std::int64_t slowest_ms = 0;
};

TEST_P(RealParts, BringEachEventOnceAndInOrder) {
  start_herald();
  open_the_stream();
  if (IsSkipped() || HasFatalFailure())
    return;
  expect_live_events();
  publish_some();
  have_the_fault();
  ASSERT_TRUE(client->has(published)) << client->complaint();
  expect_live_events();
  expect_each_once();
  // Nothing that a test could hold a busy machine to: tests/e2e/delays makes a table of it.
  RecordProperty("slowest_ms", std::to_string(slowest_ms));
}

/// Clients that have had no event yet when their stream ends, in order.
class RealPartsAtFirst : public RealParts {};

TEST_P(RealPartsAtFirst, MissNothingBeforeTheirFirstEvent) {
  start_herald();
  open_the_stream();
  if (IsSkipped() || HasFatalFailure())
    return;
  have_the_fault();
  expect_live_events();
  expect_each_once();
}

/// As a name of a test.
std::string in_letters(std::string text) {
  std::string name;
  bool begins = true;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      name += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begins = std::isalnum(static_cast<unsigned char>(c)) == 0;
  }
  return name;
}

std::string name_of_row(const ::testing::TestParamInfo<std::tuple<parts, fault>>& row) {
  const auto& [which, what] = row.param;
  std::ostringstream name;
  name << in_letters(*which.proxy != '\0' ? which.proxy : which.client) << "_" << what;
  return name.str();
}

const auto all_faults =
  ::testing::Values(fault::ended_by_the_api, fault::full, fault::restarted, fault::killed);

const auto clients = ::testing::Values(
  parts{"curl", ""}, parts{"python requests", ""}, parts{"python urllib3", ""},
  parts{"node eventsource", ""}, parts{"node eventsource-2", ""});

const auto browsers = ::testing::Values(
  parts{"chromium native", ""}, parts{"chromium event-source-polyfill", ""},
  parts{"chromium fetch-event-source", ""}, parts{"firefox-esr native", ""});

const auto ends_in_order = ::testing::Values(fault::ended_by_the_api, fault::restarted);

INSTANTIATE_TEST_SUITE_P(Clients, RealParts, ::testing::Combine(clients, all_faults), name_of_row);

INSTANTIATE_TEST_SUITE_P(
  Browsers, RealParts, ::testing::Combine(browsers, all_faults), name_of_row);

INSTANTIATE_TEST_SUITE_P(
  Clients, RealPartsAtFirst, ::testing::Combine(clients, ends_in_order), name_of_row);

INSTANTIATE_TEST_SUITE_P(
  Browsers, RealPartsAtFirst, ::testing::Combine(browsers, ends_in_order), name_of_row);

INSTANTIATE_TEST_SUITE_P(
  Proxies, RealParts,
  ::testing::Combine(
    ::testing::Values(
      parts{"python requests", "nginx_http10"}, parts{"python requests", "nginx_http11"},
      parts{"python requests", "apache"}, parts{"python requests", "caddy"},
      parts{"python requests", "haproxy"}),
    all_faults),
  name_of_row);

} // namespace
} // namespace herald
