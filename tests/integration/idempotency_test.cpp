#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using arguments = std::vector<std::string>;

class IdempotencyKeys : public ::testing::Test {
protected:
  void begin_life(bool journal = true, arguments more = {}) {
    if (journal)
      more.insert(more.end(), {"--journal-path", folder / "journal.db"});
    herald.reset();
    herald.emplace(std::move(more));
    api.emplace(herald->api_port());
  }

  http_client::reply
  post(std::string_view key, std::string_view body, std::string_view target = "/api/events") {
    return api->post(target, body, "Idempotency-Key: " + std::string{key} + "\r\n");
  }

  std::size_t in_history() { return json_of(api->get("/api/events?limit=1000"))["events"].size(); }

  temporary_folder folder;
  std::optional<herald_process> herald;
  std::optional<http_client> api;
};

const char* const note = R"({"event":"note","data":1})";

TEST_F(IdempotencyKeys, GetTheSameAnswerAgainAndNothingIsPublishedTwice) {
  for (const bool journal : {false, true}) {
    begin_life(journal);
    sse_client page{herald->stream_port(), stream_target("page")};
    ASSERT_TRUE(page.open());
    const auto first = post("k", note);
    ASSERT_EQ(first.status, 202) << first.body;
    EXPECT_FALSE(first.has("idempotent-replayed"));
    const auto again = post("k", note);
    EXPECT_EQ(again.status, 202);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.header("idempotent-replayed"), "true");
    EXPECT_EQ(again.header("herald-last-event-id"), first.header("herald-last-event-id"));
    const auto conflict = post("k", R"({"event":"note","data":2})");
    EXPECT_EQ(conflict.status, 422);
    EXPECT_EQ(json_of(conflict)["field"], "Idempotency-Key");
    EXPECT_EQ(post("a b", note).status, 400);
    EXPECT_EQ(post("bad", "{").status, 400);
    EXPECT_EQ(post("bad", note).status, 202) << "nothing was done before";
    EXPECT_EQ(page.next("note")->data, "1");
    EXPECT_EQ(page.next("note")->data, "1");
    EXPECT_EQ(in_history(), 2u);
    EXPECT_EQ(metric(*api, "herald_idempotency_replayed_total"), 1);
    EXPECT_EQ(metric(*api, "herald_idempotency_conflicts_total"), 1);
  }
}

TEST_F(IdempotencyKeys, ArePublishedOnceByManyAtATime) {
  begin_life();
  std::vector<std::future<std::string>> all;
  for (int i = 0; i < 16; ++i)
    all.push_back(std::async(std::launch::async, [port = herald->api_port()] {
      http_client mine{port};
      return mine.post("/api/events?wait=true", note, "Idempotency-Key: k\r\n").body;
    }));
  std::set<std::string> answers;
  for (auto& one : all)
    answers.insert(one.get());
  EXPECT_EQ(answers.size(), 1u) << *answers.begin();
  EXPECT_EQ(in_history(), 1u);
}

TEST_F(IdempotencyKeys, AreKnownAfterACrash) {
  begin_life();
  sse_client page{herald->stream_port(), stream_target("page")};
  ASSERT_TRUE(page.wait_for_cursor());
  const auto event = post("k", R"([{"event":"note","data":1},{"event":"note","data":2}])");
  const auto waited = post("k", note, "/api/events?wait=true");
  const auto task = post("k", R"({"type":"external"})", "/api/tasks");
  const auto version = post("k", R"({"request_id":"page","version":"7"})", "/api/versions");
  ASSERT_EQ(event.status, 202);
  ASSERT_EQ(waited.status, 200);
  EXPECT_EQ(json_of(waited)["delivered"], 1);
  ASSERT_EQ(task.status, 202);
  ASSERT_EQ(version.status, 202);
  const auto ended = "/api/tasks/" + std::string{json_of(task)["task_id"]} + "/complete";
  ASSERT_EQ(post("k", R"({"result":1})", ended).status, 200);
  const auto before = in_history();
  for (int life = 0; life < 2; ++life) {
    herald->kill();
    begin_life();
    const auto same = [](const http_client::reply& again, const http_client::reply& first) {
      EXPECT_EQ(again.status, first.status);
      EXPECT_EQ(again.body, first.body);
      EXPECT_EQ(again.header("idempotent-replayed"), "true");
      EXPECT_EQ(again.header("location"), first.header("location"));
    };
    same(post("k", R"([{"event":"note","data":1},{"event":"note","data":2}])"), event);
    same(post("k", note, "/api/events?wait=true"), waited);
    same(post("k", R"({"type":"external"})", "/api/tasks"), task);
    same(post("k", R"({"request_id":"page","version":"7"})", "/api/versions"), version);
    EXPECT_EQ(post("k", R"({"result":1})", ended).status, 200);
    EXPECT_EQ(post("k", "{}", "/api/events?wait=true").status, 422);
    EXPECT_EQ(json_of(api->get("/api/tasks"))["total"], 1);
    EXPECT_EQ(in_history(), before);
    page.reconnect(herald->stream_port());
  }
  post("last", R"({"event":"note","data":"last"})");
  std::vector<std::string> notes;
  while (notes.empty() || notes.back() != R"("last")") {
    const auto one = page.next("note");
    ASSERT_TRUE(one);
    notes.push_back(one->data);
  }
  EXPECT_EQ(notes, (std::vector<std::string>{"1", "2", "1", R"("last")"}));
}

TEST_F(IdempotencyKeys, AreForgottenAfterTheirTimeAlsoInTheFile) {
  begin_life(true, {"--api-idempotency-s", "1"});
  const auto first = post("k", note);
  EXPECT_TRUE(eventually([&] { return metric(*api, "herald_idempotency_keys") == 0; }));
  const auto second = post("k", note);
  EXPECT_NE(second.body, first.body);
}

TEST_F(IdempotencyKeys, ArePublishedOnceWhereTheJournalCannotBeWritten) {
  begin_life();
  sse_client page{herald->stream_port(), stream_target("page")};
  ASSERT_TRUE(page.open());
  rlimit limit{};
  ASSERT_EQ(::prlimit(herald->pid(), RLIMIT_FSIZE, nullptr, &limit), 0);
  const auto before = limit.rlim_cur;
  limit.rlim_cur = 4096;
  ASSERT_EQ(::prlimit(herald->pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(post("k", note).status, 503);
  limit.rlim_cur = before;
  ASSERT_EQ(::prlimit(herald->pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  EXPECT_EQ(post("another", R"({"event":"note","data":"first"})").status, 202);
  EXPECT_EQ(page.next("note")->data, R"("first")") << "no stream has had the other";
  const auto taken = post("k", note);
  EXPECT_EQ(taken.status, 202);
  EXPECT_FALSE(taken.has("idempotent-replayed"));
  EXPECT_EQ(page.next("note")->data, "1");
  EXPECT_EQ(in_history(), 2u);
}

TEST_F(IdempotencyKeys, ArePublishedOnceWhereTheDiskIsFull) {
  if (
    ::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0
    || ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "may not mount";
  begin_life();
  sse_client page{herald->stream_port(), stream_target("page")};
  ASSERT_TRUE(page.open());
  const auto hog = folder / "hog";
  {
    std::ofstream out{hog, std::ios::binary};
    const std::string block(4096, 'x');
    while (out.write(block.data(), static_cast<std::streamsize>(block.size())).flush())
      ;
  }
  const auto large = R"({"event":"note","data":")" + std::string(100'000, 'x') + "\"}";
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(post("k", large).status, 507);
  EXPECT_EQ(post("t", R"({"type":"external"})", "/api/tasks").status, 507);
  std::filesystem::remove(hog);
  EXPECT_EQ(post("another", R"({"event":"note","data":"first"})").status, 202);
  EXPECT_EQ(page.next("note")->data, R"("first")") << "no stream has had the other";
  const auto taken = post("k", large);
  EXPECT_EQ(taken.status, 202);
  EXPECT_EQ(post("t", R"({"type":"external"})", "/api/tasks").status, 202);
  EXPECT_EQ(json_of(api->get("/api/tasks"))["total"], 1);
  EXPECT_EQ(page.next("note")->data.size(), 100'002u);
  herald->kill();
  begin_life();
  EXPECT_EQ(post("k", large).body, taken.body);
  std::size_t notes = 0;
  const auto kept = json_of(api->get("/api/events"));
  for (const auto& one : kept["events"])
    notes += one["event"] == "note" ? 1 : 0;
  EXPECT_EQ(notes, 2u);
  herald->kill();
  ASSERT_EQ(::umount(folder.path().c_str()), 0);
}

} // namespace
} // namespace herald
