#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "actors/system/owned_fd.hpp"
#include "http/config/config.hpp"
#include "messages/tasks.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;

constexpr std::size_t MiB = std::size_t{1} << 20U;

std::string text_in(const std::string& path) {
  std::ifstream in{std::filesystem::path{HERALD_SOURCE_DIR} / path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Under which herald stays with all defaults, as the README says it.
struct figure {
  std::size_t fixed = 0;
  std::size_t per_thread = 0;

  [[nodiscard]] std::size_t with_threads(std::size_t count) const {
    return fixed + count * per_thread;
  }
};

figure stated() {
  const auto page = text_in("README.md");
  std::smatch found;
  if (!std::regex_search(
        page, found,
        std::regex{"<!-- memory -->([0-9]+) MiB, and ([0-9]+) MiB more for each stream thread"})) {
    ADD_FAILURE() << "the README states no figure";
    return {};
  }
  return {std::stoul(found[1]) * MiB, std::stoul(found[2]) * MiB};
}

/// All containers at their limits, without what the allocator needs besides.
figure limits(const config& c) {
  // A connection in the registry's table and in a loop's, its request_id and what is kept of its
  // URL.
  constexpr std::size_t of_stream = 200 + max_request_id_bytes + 256;
  constexpr std::size_t of_page = 256;
  constexpr std::size_t versions_under_way = 4 * MiB;
  // What it has opened and was sent again, and what has failed on either port, and was logged.
  constexpr std::size_t of_address = 144 + 104 + 3 * 144;
  figure sum;
  sum.fixed = c.api.max_request_bytes + c.api.max_idempotency_bytes + c.history.max_bytes
              + c.history.max_bytes / 32 + c.retain.max_bytes + c.journal.max_queue_bytes
              + c.version.max_pending_bytes + versions_under_way + c.tasks.max_ended_bytes
              + (c.tasks.max_pending + c.tasks.workers) * max_task_json_bytes
              + c.stream.max_topic_changes_bytes + 2 * c.stream.max_topics_bytes
              + c.stream.max_kept_away * of_page + c.stream.max_streams * of_stream
              + c.limits.max_addresses * of_address + c.log.max_queue_bytes;
  // A log for each framing, of streams that hear broadcasts and of those that do not.
  sum.per_thread = 4 * c.stream.log_bytes + c.stream.max_private_bytes
                   + (c.stream.max_heads + c.stream.max_openings) * c.stream.max_head_bytes;
  return sum;
}

TEST(Memory, HasTheFigureThatTheDefaultsOfTheLimitsMake) {
  const auto sum = limits({});
  const auto said = stated();
  // An allocator loses up to a quarter, and the process has its own.
  EXPECT_GE(said.fixed, sum.fixed + sum.fixed / 4 + 32 * MiB);
  EXPECT_LE(said.fixed, sum.fixed + sum.fixed / 3 + 32 * MiB) << "it promises too little";
  EXPECT_GE(said.per_thread, sum.per_thread + sum.per_thread / 4);
  EXPECT_LE(said.per_thread, sum.per_thread + sum.per_thread / 3);
}

TEST(Memory, FitsTheLimitOfThePod) {
  const auto file = text_in("deploy/kubernetes/herald.yaml");
  std::smatch limit;
  std::smatch threads;
  ASSERT_TRUE(std::regex_search(file, limit, std::regex{"limits: \\{memory: ([0-9]+)Gi\\}"}));
  ASSERT_TRUE(std::regex_search(file, threads, std::regex{"\"threads\": ([0-9]+)"}))
    << "a node has any number of cores";
  EXPECT_LE(stated().with_threads(std::stoul(threads[1])), std::stoul(limit[1]) * 1024 * MiB);
}

/// The most that a process has had in memory.
std::size_t peak_bytes(pid_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmHWM:"))
      return std::stoul(line.substr(6)) * 1024;
  return 0;
}

/// A page with little room for what it does not read.
class slow_page {
public:
  slow_page(std::uint16_t port, const std::string& id)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int bytes = 4096;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    // Otherwise the kernel keeps megabytes for it on the other side.
    const int segment = 536;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    const auto address = loopback(port);
    EXPECT_EQ(
      ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const auto request = "GET " + stream_target(id) + " HTTP/1.1\r\nHost: h\r\n\r\n";
    EXPECT_EQ(
      ::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL),
      static_cast<ssize_t>(request.size()));
  }

private:
  owned_fd socket_;
};

class FullHerald : public ::testing::Test {
protected:
  void post(const std::string& target, const std::string& body, int status = 202) {
    const auto answer = api.post(target, body);
    EXPECT_EQ(answer.status, status) << target << ": " << answer.body.substr(0, 200);
    last = answer.body;
  }

  static std::string event(const std::string& more) {
    return R"({"event":"e","data":")" + std::string(260'000, 'x') + "\"" + more + "}";
  }

  void fill_versions() {
    for (int i = 0; i < 300; ++i)
      post(
        "/api/versions", R"({"request_id":"v)" + std::to_string(i) + R"(","version":"1",)"
                           + R"("changelog":")" + std::string(250'000, 'x') + "\"}");
    EXPECT_GT(metric(api, "herald_versions_evicted_total"), 0);
  }

  void fill_tasks() {
    const auto result = R"({"result":")" + std::string(65'000, 'x') + "\"}";
    for (int i = 0; i < 1100; ++i) {
      post("/api/tasks", R"({"type":"external"})");
      const auto id = nlohmann::json::parse(last)["task_id"].get<std::string>();
      post("/api/tasks/" + id + "/complete", result, 200);
    }
    EXPECT_GT(metric(api, "herald_tasks_evicted_total"), 0);
  }

  void fill_history_and_values() {
    for (int i = 0; i < 60; ++i)
      post("/api/events", event(R"(,"retain":true,"topic":"t)" + std::to_string(i) + "\""));
    for (int i = 60; i < 100; ++i)
      (void)api.post(
        "/api/events", event(R"(,"retain":true,"topic":"t)" + std::to_string(i) + "\""));
    EXPECT_GT(metric(api, "herald_retained_refused_total"), 0);
    EXPECT_GT(metric(api, "herald_history_evicted_total"), 0);
  }

  /// Pages that do not read, and events for each of them alone.
  void fill_queues(const std::vector<slow_page>& pages) {
    for (int round = 0; round < 5; ++round)
      for (std::size_t i = 0; i < pages.size(); ++i)
        post("/api/events", event(R"(,"request_id":"slow)" + std::to_string(i) + "\""));
    EXPECT_TRUE(
      eventually([&] { return metric(api, "herald_stream_private_overflows_total") > 0; }));
  }

  /// Requests without their ends.
  void fill_requests(std::vector<raw_client>& clients) {
    const std::string body(8'000'000, ' ');
    for (int i = 0; i < 40; ++i) {
      clients.emplace_back(herald.api_port());
      clients.back().send(
        "POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8300000\r\n\r\n" + body);
    }
  }

  void fill_heads(std::vector<raw_client>& clients) {
    for (int i = 0; i < 2000; ++i) {
      clients.emplace_back(herald.stream_port());
      clients.back().send("GET / HTTP/1.1\r\nX: " + std::string(16'000, 'x'));
    }
  }

  herald_process herald{{"--stream-threads", "2"}};
  http_client api{herald.api_port()};
  std::string last;
};

TEST_F(FullHerald, StaysUnderTheFigureOfTheReadme) {
  if (built_with != sanitizer::none)
    GTEST_SKIP() << "sanitizers take memory of their own";
  fill_versions();
  fill_tasks();
  fill_history_and_values();
  std::vector<slow_page> pages;
  for (int i = 0; i < 200; ++i)
    pages.emplace_back(herald.stream_port(), "slow" + std::to_string(i));
  EXPECT_TRUE(eventually([&] { return metric(api, "sse_gateway_active_connections") == 200; }));
  fill_queues(pages);
  std::vector<raw_client> clients;
  fill_heads(clients);
  fill_requests(clients);
  const auto peak = peak_bytes(herald.pid());
  EXPECT_GT(peak, 300 * MiB) << "it was filled";
  EXPECT_LT(peak, stated().with_threads(2));
  EXPECT_EQ(api.get("/readyz").status, 200);
}

} // namespace
} // namespace herald
