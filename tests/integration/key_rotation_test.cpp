// Keys of tokens change while many streams are open: over real sockets, with a source of keys that
// herald fetches from.
//
//   HERALD_TEST_STREAMS=10000 build/release/tests/herald_integration_tests
//   --gtest_filter='KeyRotation.*'
//
// does it with so many streams.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/eventually.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/loopback_server.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/token_maker.hpp"

namespace herald {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using nlohmann::json;
using texts = std::vector<std::string>;
using clients = std::vector<sse_client>;

constexpr auto long_patience = 120s;

std::size_t streams_wanted() {
  const auto* text = std::getenv("HERALD_TEST_STREAMS");
  return text == nullptr ? 500 : std::stoul(text);
}

class KeyRotation : public ::testing::Test {
protected:
  /// Where the keys are.
  std::string begin_to_issue() {
    issuer.Get("/keys", [this](const httplib::Request&, httplib::Response& reply) {
      const std::lock_guard lock{mutex};
      reply.set_content(document, "application/json");
    });
    issuer.start();
    return issuer.url("/keys");
  }
  void offer(const std::vector<signing_key>& keys) {
    const std::lock_guard lock{mutex};
    document = jwks_of(keys);
  }
  /// A page of a subject of its own, which goes on behind `cursor`.
  sse_client page(std::size_t number, const signing_key& key, const std::string& cursor = {}) {
    const auto name = std::to_string(number);
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
    const auto token = key.token(
      {{"iss", "https://app.example"},
       {"aud", "herald"},
       {"sub", "subject-" + name},
       {"iat", now},
       {"exp", now + 3600}});
    std::string headers = "Authorization: Bearer " + token + "\r\n";
    if (!cursor.empty())
      headers += "Last-Event-ID: " + cursor + "\r\n";
    return {herald.stream_port(), stream_target("page-" + name), std::move(headers)};
  }
  /// Whether all have their streams, also those that are told to come back.
  static bool open_all(std::span<sse_client> pages) {
    return eventually(
      [pages] {
        (void)read_until(
          pages,
          [pages] {
            return std::all_of(pages.begin(), pages.end(), [](const sse_client& one) {
              return !one.place().empty() || one.ended();
            });
          },
          long_patience);
        bool all = true;
        for (auto& one : pages)
          if (one.place().empty()) {
            all = false;
            one.reconnect();
          }
        return all;
      },
      long_patience);
  }
  void publish(const char* data) {
    EXPECT_EQ(api.post("/api/events", json{{"event", "note"}, {"data", data}}.dump()).status, 202);
  }
  static texts heard(const sse_client& by) {
    texts all;
    for (const auto& event : by.events())
      if (event.name == "note")
        all.push_back(event.data);
    return all;
  }
  static bool all_hear(std::span<sse_client> pages, const std::string& last) {
    return read_until(
      pages,
      [&] {
        return std::all_of(pages.begin(), pages.end(), [&](const sse_client& one) {
          return one.ended() || (!heard(one).empty() && heard(one).back() == last);
        });
      },
      long_patience);
  }
  static std::size_t count_ended(const clients& pages) {
    return static_cast<std::size_t>(
      std::count_if(pages.begin(), pages.end(), [](const sse_client& one) { return one.ended(); }));
  }

  const std::size_t half = streams_wanted() / 2;
  const signing_key old_key = signing_key::ed25519("old");
  const signing_key new_key = signing_key::ed25519("new");
  std::mutex mutex;
  std::string document = jwks_of({old_key});
  loopback_server issuer;
  herald_process herald{
    {"--auth-mode=required", "--auth-jwks-url=" + begin_to_issue(), "--auth-jwks-refetch-s=1",
     "--auth-issuer=https://app.example", "--auth-audience=herald"}};
  http_client api{herald.api_port()};
};

TEST_F(KeyRotation, LosesNoStreamAndLetsNobodyInByTheOldKeyAfterItsTime) {
  clients renewing;
  clients staying;
  for (std::size_t i = 0; i < half; ++i) {
    renewing.push_back(page(i, old_key));
    staying.push_back(page(half + i, old_key));
  }
  ASSERT_TRUE(open_all(renewing));
  ASSERT_TRUE(open_all(staying));
  publish("1");
  ASSERT_TRUE(all_hear(renewing, "\"1\""));

  // Pages have tokens of a key that herald has not seen.
  offer({old_key, new_key});
  clients renewed;
  for (std::size_t i = 0; i < half; ++i)
    renewed.push_back(page(i, new_key, renewing[i].last_event_id()));
  ASSERT_TRUE(open_all(renewed));
  // They were replaced; their descriptors are for those that come.
  renewing.clear();
  publish("2");

  // The old key is withdrawn: streams that are open stay.
  offer({new_key});
  herald.signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return metric(api, "herald_auth_keys") == 1; }, long_patience));
  publish("3");
  EXPECT_TRUE(all_hear(staying, "\"3\""));
  EXPECT_TRUE(all_hear(renewed, "\"3\""));
  EXPECT_EQ(count_ended(staying), 0u);
  EXPECT_EQ(count_ended(renewed), 0u);
  for (std::size_t i = 0; i < half; ++i) {
    EXPECT_EQ(heard(staying[i]), (texts{"\"1\"", "\"2\"", "\"3\""})) << i;
    EXPECT_EQ(heard(renewed[i]), (texts{"\"2\"", "\"3\""})) << i;
  }

  // Whoever comes back by it is refused, known as its token may be, and by a new one misses
  // nothing.
  publish("4");
  ASSERT_TRUE(all_hear(staying, "\"4\""));
  for (auto& one : staying)
    one.close();
  publish("5");
  const auto refused = [](const sse_client& one) {
    return one.status() == 401;
  };
  // Told to come back for as long as the next fetch of keys may bring its own.
  EXPECT_TRUE(eventually(
    [&] {
      for (auto& one : staying)
        if (!refused(one))
          one.reconnect();
      const auto all_ended = [&] {
        return std::all_of(
          staying.begin(), staying.end(), [](const sse_client& one) { return one.ended(); });
      };
      return read_until(std::span<sse_client>{staying}, all_ended, long_patience)
             && std::all_of(staying.begin(), staying.end(), refused);
    },
    long_patience));
  for (auto& one : staying)
    one.close();
  clients back;
  for (std::size_t i = 0; i < half; ++i)
    back.push_back(page(half + i, new_key, staying[i].last_event_id()));
  ASSERT_TRUE(open_all(back));
  EXPECT_TRUE(all_hear(back, "\"5\""));
  for (const auto& one : back)
    EXPECT_EQ(heard(one), texts{"\"5\""});
}

} // namespace
} // namespace herald
