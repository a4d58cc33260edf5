#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/version_server.hpp"
#include "tests/support/web_page.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

/// A page in a browser, of another origin than herald's streams.
class open_page {
public:
  open_page(const std::string& request_id, std::uint16_t stream_port)
    : server_(HERALD_SOURCE_DIR "/tests/e2e/page.html"),
      browser_(
        {"python3", HERALD_SOURCE_DIR "/tests/e2e/clients/open_page.py", "chromium",
         folder_.path().string(),
         server_.url() + "?port=" + std::to_string(stream_port) + "&request_id=" + request_id}) {}

  /// What it has seen of one type.
  [[nodiscard]] std::vector<json> seen(const std::string& type) const {
    auto reports = server_.reports();
    reports.erase(
      std::remove_if(
        reports.begin(), reports.end(), [&](const json& one) { return one["type"] != type; }),
      reports.end());
    return reports;
  }
  [[nodiscard]] bool sees(const std::string& type, std::size_t count) const {
    return eventually([&] { return seen(type).size() >= count; });
  }
  [[nodiscard]] std::string last_data(const std::string& type) const {
    const auto all = seen(type);
    return all.empty() ? "nothing" : all.back()["data"].get<std::string>();
  }

private:
  temporary_folder folder_;
  web_page server_;
  child_program browser_;
};

class Browser : public ::testing::Test {
protected:
  void SetUp() override {
    if (!has_program("chromium"))
      GTEST_SKIP() << "chromium is not installed";
    versions.answer_with(200, R"({"version":"1.0"})");
    start();
  }

  void start() {
    herald.reset();
    herald.emplace(std::vector<std::string>{
      "--stream-port", std::to_string(stream_port), "--version-url", versions.url(),
      "--stream-retry-ms", "100", "--shutdown-retry-window-ms", "0"});
    api.emplace(herald->api_port());
  }

  void post(const std::string& target, const json& body) {
    EXPECT_EQ(api->post(target, body.dump()).status, 202);
  }

  version_server versions;
  std::uint16_t stream_port = free_port();
  std::optional<herald_process> herald;
  std::optional<http_client> api;
};

TEST_F(Browser, SeesVersionEventsAndTasksAndComesBack) {
  const open_page page{"page", stream_port};
  ASSERT_TRUE(page.sees("version", 1));
  EXPECT_EQ(page.last_data("version"), R"({"version":"1.0"})");

  post("/api/events", {{"event", "greeting"}, {"data", {{"text", "grüße"}}}});
  ASSERT_TRUE(page.sees("greeting", 1));
  EXPECT_EQ(page.last_data("greeting"), R"({"text":"grüße"})");

  post("/api/tasks", {{"type", "demo"}, {"params", {{"steps", 3}, {"delay", 0.01}}}});
  const auto completed = [&] {
    const auto steps = page.seen("task_event");
    return !steps.empty()
           && json::parse(steps.back()["data"].get<std::string>())["event_type"]
                == "task_completed";
  };
  ASSERT_TRUE(eventually(completed));
  EXPECT_GE(page.seen("task_event").size(), 3u) << "started, progress, completed";

  // A deployment: herald ends, another one starts, the page finds it by itself.
  EXPECT_EQ(herald->terminate(), exited(0));
  versions.answer_with(200, R"({"version":"2.0"})");
  start();
  ASSERT_TRUE(page.sees("version", 2));
  EXPECT_EQ(page.last_data("version"), R"({"version":"2.0"})");
  post("/api/events", {{"event", "greeting"}, {"text", "again"}});
  ASSERT_TRUE(page.sees("greeting", 2));
  EXPECT_EQ(page.last_data("greeting"), "again");
  EXPECT_EQ(page.seen("open").size(), 2u);
}

TEST_F(Browser, GetsWhatItMissed) {
  const open_page page{"page", stream_port};
  ASSERT_TRUE(page.sees("open", 1));
  post("/api/events", {{"event", "greeting"}, {"text", "one"}});
  ASSERT_TRUE(page.sees("greeting", 1));
  EXPECT_EQ(api->del("/api/connections/page").status, 204);
  post("/api/events", {{"event", "greeting"}, {"text", "two"}});
  post("/api/events", {{"event", "greeting"}, {"text", "three"}, {"request_id", "page"}});
  ASSERT_TRUE(page.sees("open", 2));
  ASSERT_TRUE(page.sees("greeting", 3));
  std::vector<std::string> texts;
  for (const auto& event : page.seen("greeting"))
    texts.push_back(event["data"]);
  EXPECT_EQ(texts, (std::vector<std::string>{"one", "two", "three"}));
}

TEST_F(Browser, GetsWhatItMissedBeforeItsFirstEvent) {
  herald.reset();
  herald.emplace(std::vector<std::string>{
    "--stream-port", std::to_string(stream_port), "--stream-retry-ms", "1500",
    "--stream-heartbeat-s", "1"});
  api.emplace(herald->api_port());
  const open_page page{"page", stream_port};
  ASSERT_TRUE(page.sees("open", 1));
  EXPECT_EQ(api->del("/api/connections/page").status, 204);
  post("/api/events", {{"event", "greeting"}, {"text", "one"}});
  post("/api/events", {{"event", "greeting"}, {"text", "two"}, {"request_id", "page"}});
  EXPECT_EQ(json_of(api->get("/api/connections"))["total"], 0) << "it is away";
  ASSERT_TRUE(page.sees("greeting", 2));
  post("/api/events", {{"event", "greeting"}, {"text", "three"}});
  ASSERT_TRUE(page.sees("greeting", 3));
  std::vector<std::string> texts;
  for (const auto& event : page.seen("greeting"))
    texts.push_back(event["data"]);
  EXPECT_EQ(texts, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(page.seen("open").size(), 2u);
  EXPECT_TRUE(page.seen("message").empty()) << "what is no event fires none";
  EXPECT_TRUE(page.seen("gap").empty());
}

TEST_F(Browser, LeavesItsStreamToANewerPage) {
  const open_page page{"page", stream_port};
  ASSERT_TRUE(page.sees("open", 1));
  sse_client newer{stream_port, stream_target("page")};
  ASSERT_TRUE(newer.open());
  EXPECT_TRUE(page.sees("replaced", 1));
  post("/api/events", {{"event", "greeting"}, {"text", "hello"}});
  EXPECT_TRUE(newer.next("greeting"));
  EXPECT_TRUE(page.seen("greeting").empty());
}

} // namespace
} // namespace herald
