#include "http/server/api_dispatcher.hpp"

#include <gtest/gtest.h>

#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

TEST(ApiDispatcher, CountsARequestThatIsRefusedBeforeItsBody) {
  metrics numbers;
  router routes;
  routes.add("POST", "/api/events", no_parameters, [](const api_request&) { return api_reply{}; });
  access_rules rules;
  api_key key;
  key.name = "shop";
  key.sha256 = hex_of(sha256_of(new_api_key()));
  key.scopes.add(scope::events_publish);
  rules.keys.push_back(key);
  api_access access{rules, task_seal{bits256{}}, numbers};
  api_dispatcher dispatcher{routes, numbers, &access};
  request_head head;
  head.method = "POST";
  head.target = "/api/events";
  const auto refused = dispatcher.refusal(head, {});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
  constexpr auto series =
    R"(herald_api_requests_total{method="POST",route="/api/events",status="401"})";
  EXPECT_EQ(testing::metric(numbers, series), 1);
}

} // namespace
} // namespace herald
