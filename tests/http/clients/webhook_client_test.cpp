#include "http/clients/webhook_client.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "http/clients/webhook_signature.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/tls_backend.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using keys = std::vector<std::string>;

class WebhookClient : public ::testing::Test {
protected:
  webhook_answered
  post(const std::string& url, std::chrono::milliseconds time = testing::patience) {
    client.emplace(*parse_http_url(url), server.ca_file(), time, secrets);
    std::optional<webhook_answered> outcome;
    client->post(
      {"msg_7_1", std::make_shared<const std::string>(R"({"a":1})"), 1},
      [&](const webhook_answered& how) {
        const std::lock_guard lock{mutex};
        outcome = how;
        changed.notify_all();
      });
    std::unique_lock lock{mutex};
    EXPECT_TRUE(changed.wait_for(lock, 2 * testing::patience, [&] { return outcome.has_value(); }));
    return outcome.value_or(webhook_answered{});
  }

  const std::string old_key = std::string(24, 'a');
  const std::string new_key = std::string(24, 'b');
  shared_value<keys> secrets{keys{old_key}};
  testing::tls_backend server;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<webhook_client> client;
};

TEST_F(WebhookClient, SignsWhatItPostsByTheKeysOfTheMoment) {
  EXPECT_EQ(post(server.url("/callback")).why.code, ec::none);
  secrets.replace({new_key, old_key});
  EXPECT_EQ(post(server.url("/callback")).status, 200);
  const auto all = server.requests();
  ASSERT_EQ(all.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& request = all[i];
    EXPECT_EQ(request["method"], "POST");
    EXPECT_EQ(request["type"], "application/json");
    EXPECT_EQ(request["body"], R"({"a":1})");
    const auto& signed_by = request["webhook"];
    EXPECT_EQ(signed_by["webhook-id"], "msg_7_1");
    const auto at = std::stoll(signed_by["webhook-timestamp"].get<std::string>());
    EXPECT_EQ(
      signed_by["webhook-signature"],
      webhook_signatures(
        i == 0 ? keys{old_key} : keys{new_key, old_key}, "msg_7_1", at, R"({"a":1})"));
  }
}

TEST_F(WebhookClient, TakesAnyStatusBut2xxForAFailure) {
  EXPECT_EQ(post(server.url("/status/204")).why.code, ec::none);
  for (const std::uint16_t status : {400, 403, 410, 500, 503}) {
    const auto how = post(server.url("/status/" + std::to_string(status)));
    EXPECT_EQ(how.why.code, ec::upstream_refused) << status;
    EXPECT_EQ(how.status, status);
  }
}

TEST_F(WebhookClient, FollowsNoRedirect) {
  const auto how = post(server.url("/redirect/307//callback"));
  EXPECT_EQ(how.why.code, ec::upstream_refused);
  EXPECT_EQ(how.status, 307);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(WebhookClient, SaysWhyThereIsNoAnswer) {
  const auto how = post("http://127.0.0.1:" + std::to_string(testing::free_port()) + "/hooks");
  EXPECT_EQ(how.why.code, ec::upstream_unavailable);
  EXPECT_EQ(how.status, 0);
  EXPECT_FALSE(how.why.detail.empty());
}

TEST_F(WebhookClient, TrustsNoCertificateOfAnotherName) {
  EXPECT_EQ(post(server.url("/callback", "localhost")).why.code, ec::upstream_unavailable);
}

} // namespace
} // namespace herald
