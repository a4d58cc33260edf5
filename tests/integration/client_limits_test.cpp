// What one client may do on the stream port: over real sockets, with tokens that somebody else has
// signed. Each limit is changed while herald runs.
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/eventually.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/token_maker.hpp"

namespace herald {
namespace {

using namespace testing;
using nlohmann::json;

class LimitsOfClients : public ::testing::Test {
protected:
  /// One that is counted, though it comes over loopback.
  static json settings(const json& limits) {
    return {{"limits", limits}, {"stream", {{"trusted_proxies", {"127.0.0.1"}}}}};
  }
  void change(const json& limits) {
    folder.write("herald.json", settings(limits).dump());
    ASSERT_TRUE(herald.reload());
  }

  static std::string from(const std::string& address) {
    return "X-Forwarded-For: " + address + "\r\n";
  }
  [[nodiscard]] std::string by(const std::string& subject) const {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
    return "Authorization: Bearer "
           + key.token(
             {{"iss", "https://app.example"},
              {"aud", "herald"},
              {"sub", subject},
              {"iat", now},
              {"exp", now + 3600}})
           + "\r\n";
  }
  sse_client client(const std::string& page, const std::string& headers) {
    return {herald.stream_port(), stream_target(page), headers};
  }
  /// What EventSource gets: "open", "later" for a stream that tells it to come back, or a status.
  static std::string outcome_of(sse_client& one) {
    (void)read_until(
      std::span<sse_client>{&one, 1}, [&] { return !one.place().empty() || one.ended(); });
    if (one.status() != 200)
      return std::to_string(one.status());
    return one.place().empty() ? "later" : "open";
  }
  std::string outcome(const std::string& page, const std::string& headers) {
    auto one = client(page, headers);
    return outcome_of(one);
  }
  /// What a client gets that accepts no stream, and is refused.
  http_client::reply refused_to(const std::string& page, const std::string& headers) {
    return http_client{herald.stream_port()}.send("GET", stream_target(page), {}, headers);
  }
  /// Whether one of many that come one after the other is refused. Where a second passes between
  /// two of them, as it may on a busy machine, it is the next one.
  bool one_of_many_is_refused(const std::string& headers) {
    for (int i = 0; i < 50; ++i) {
      const auto came = outcome("many-" + std::to_string(i), headers);
      if (came == "later")
        return true;
      EXPECT_EQ(came, "open");
    }
    return false;
  }
  double refused(const std::string& reason) {
    return metric(api, "herald_stream_refused_total{reason=\"" + reason + "\"}");
  }

  temporary_folder folder;
  signing_key key = signing_key::secret(std::string(32, 's'));
  herald_process herald{
    {"--config", folder.write("herald.json", settings({{"failed_auth_per_min", 1}}).dump()),
     "--auth-mode=required", "--auth-secret-file=" + folder.write("secret", std::string(32, 's')),
     "--auth-issuer=https://app.example", "--auth-audience=herald", "--stream-retry-ms=1000"}};
  http_client api{herald.api_port()};
};

TEST_F(LimitsOfClients, RefuseAllFromAnAddressFromWhichTooMuchHasFailed) {
  EXPECT_EQ(outcome("p", from("8.8.8.8") + "Authorization: Bearer a.b.c\r\n"), "401");
  const auto refusal = refused_to("p", from("8.8.8.8") + by("ann"));
  EXPECT_EQ(refusal.status, 429);
  EXPECT_GE(std::stoi("0" + std::string{refusal.header("retry-after")}), 30);
  EXPECT_NE(refusal.body.find("have failed"), std::string::npos) << refusal.body;
  EXPECT_EQ(refused_to("p", from("8.8.8.8") + "Cookie: __Secure-herald=a.b.c\r\n").status, 429);
  auto page = client("p", from("8.8.8.8") + by("ann"));
  EXPECT_EQ(outcome_of(page), "later");
  EXPECT_GE(page.retry().value_or(0), 30'000U);
  EXPECT_TRUE(page.events().empty());
  EXPECT_EQ(refused("failed_auth"), 3);
  EXPECT_EQ(metric(api, R"(herald_auth_total{port="stream",result="limited"})"), 3);
  EXPECT_EQ(outcome("p", from("9.9.9.9") + by("ann")), "open") << "from elsewhere";
  change({{"failed_auth_per_min", 0}});
  EXPECT_EQ(outcome("p", from("8.8.8.8") + by("ann")), "open");
}

TEST_F(LimitsOfClients, HoldForAnAddressThatOpensManyStreams) {
  change({{"opens_per_s", 1}, {"subject_opens_per_s", 0}, {"streams", 0}});
  EXPECT_TRUE(one_of_many_is_refused(from("8.8.8.8") + by("ann")));
  EXPECT_EQ(refused("opens_per_address"), 1);
  EXPECT_EQ(outcome("p", from("9.9.9.9") + by("ann")), "open");
  change({{"opens_per_s", 0}, {"subject_opens_per_s", 0}, {"streams", 0}});
  EXPECT_FALSE(one_of_many_is_refused(from("8.8.8.8") + by("ann")));
}

TEST_F(LimitsOfClients, HoldForASubjectThatOpensManyStreams) {
  change({{"opens_per_s", 0}, {"subject_opens_per_s", 1}, {"streams", 0}});
  EXPECT_TRUE(one_of_many_is_refused(from("8.8.8.8") + by("ann")));
  EXPECT_EQ(refused("opens_per_subject"), 1);
  EXPECT_EQ(outcome("p", from("8.8.8.8") + by("bob")), "open");
  change({{"opens_per_s", 0}, {"subject_opens_per_s", 0}, {"streams", 0}});
  EXPECT_FALSE(one_of_many_is_refused(from("8.8.8.8") + by("ann")));
}

TEST_F(LimitsOfClients, HoldForASubjectThatHasManyStreamsOpen) {
  change({{"streams", 1}});
  auto first = client("first", from("8.8.8.8") + by("ann"));
  ASSERT_EQ(outcome_of(first), "open");
  EXPECT_EQ(outcome("second", from("9.9.9.9") + by("ann")), "later") << "wherever it is";
  EXPECT_EQ(refused_to("second", from("9.9.9.9") + by("ann")).status, 429);
  EXPECT_EQ(refused("too_many_per_subject"), 2);
  EXPECT_EQ(outcome("third", from("9.9.9.9") + by("bob")), "open");
  change({{"streams", 2}});
  EXPECT_EQ(outcome("second", from("9.9.9.9") + by("ann")), "open");
  change({{"streams", 1}});
  first.close();
  EXPECT_TRUE(eventually([&] { return outcome("second", from("9.9.9.9") + by("ann")) == "open"; }));
}

TEST_F(LimitsOfClients, HoldForWhatASubjectIsSentAgain) {
  change({{"replay_bytes_per_min", 1500}});
  auto first = client("first", from("8.8.8.8") + by("ann"));
  ASSERT_TRUE(first.wait_for_cursor());
  const auto cursor = "Last-Event-ID: " + first.last_event_id() + "\r\n";
  EXPECT_EQ(
    api.post("/api/events", json{{"event", "note"}, {"data", std::string(1000, 'x')}}.dump())
      .status,
    202);
  const auto comes_back = [&](const std::string& page, const std::string& address) {
    auto one = client(page, from(address) + by("ann") + cursor);
    const auto event = one.next();
    return event ? event->name : "none";
  };
  EXPECT_EQ(comes_back("second", "8.8.8.8"), "note");
  EXPECT_EQ(comes_back("third", "9.9.9.9"), "gap");
  EXPECT_EQ(metric(api, "herald_stream_subject_replays_refused_total"), 1);
  EXPECT_EQ(metric(api, "herald_stream_replays_refused_total"), 0);
  change({{"replay_bytes_per_min", 0}});
  EXPECT_EQ(comes_back("third", "9.9.9.9"), "note");
}

TEST_F(LimitsOfClients, AreCountedForSoManyOfThem) {
  change({{"max_subjects", 1}, {"max_addresses", 1}, {"opens_per_s", 1}});
  const auto forgotten = [&](const std::string& table) {
    return metric(api, "herald_stream_clients_forgotten_total{table=\"" + table + "\"}");
  };
  // Who was counted longer ago than a second is no loss.
  EXPECT_TRUE(eventually([&] {
    (void)outcome("p", from("8.8.8.8") + by("ann"));
    (void)outcome("q", from("9.9.9.9") + by("bob"));
    return forgotten("opens") > 0 && forgotten("subject_opens") > 0;
  }));
}

} // namespace
} // namespace herald
