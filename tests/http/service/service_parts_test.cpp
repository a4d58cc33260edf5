#include "http/service/service_parts.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/api_routes.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

TEST(ServiceParts, LetAPageWaitForLongerThanItsBackendMayTake) {
  config c;
  c.callback.url = "http://backend/callback";
  for (const auto time : {300ms, 60'000ms}) {
    c.callback.timeout_ms = time;
    EXPECT_EQ(stream_options_of(c).open_timeout, time + 1s);
  }
}

TEST(ServiceParts, GiveStreamsOfAGatewayTheTimesOfTheirRights) {
  config c;
  c.auth.renew_s = 7s;
  c.auth.leeway_s = 8s;
  EXPECT_EQ(gateway_options_of(c).expiry_notice, 7s);
  EXPECT_EQ(gateway_options_of(c).expiry_grace, 8s);
}

class ServicePartsOfAFormerLife : public testing::api_routes {};

TEST_F(ServicePartsOfAFormerLife, AreStreamsToEndWhereThisOneEndsThem) {
  const auto journal = spawn<journal_actor>([](const record_entries&) {}, [](const flush&) {});
  recovered_journal past;
  past.snapshot.streams.push_back({request_id{"page"}, token::from_text("t"), "/", {}});
  EXPECT_EQ(registry_memory_of({}, journal, past, true).ending, std::vector{token::from_text("t")});
  EXPECT_TRUE(registry_memory_of({}, journal, past, false).ending.empty()) << "they are taken over";
}

TEST(ServiceParts, NameTheApiByAUrlForThisMachine) {
  config c;
  for (const auto& [host, url] : {
         std::pair{"127.0.0.1", "http://127.0.0.1:80"},
         {"10.0.0.1", "http://10.0.0.1:80"},
         {"herald.internal", "http://herald.internal:80"},
         {"::1", "http://[::1]:80"},
         {"0.0.0.0", "http://127.0.0.1:80"},
         {"::", "http://[::1]:80"},
       }) {
    c.api.host = host;
    EXPECT_EQ(api_url_of(c, 80), url) << host;
  }
}

} // namespace
} // namespace herald
