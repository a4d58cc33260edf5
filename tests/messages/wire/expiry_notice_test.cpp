#include "messages/wire/expiry_notice.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(ExpiryNotice, SaysHowMuchIsLeft) {
  const auto notice = expiry_notice(std::chrono::seconds{20});
  EXPECT_EQ(notice.name, "expired");
  EXPECT_EQ(notice.data, R"({"expires_in_ms":20000})");
  EXPECT_EQ(notice.id, event_id{});
  EXPECT_EQ(expiry_notice(std::chrono::milliseconds{-1}).data, R"({"expires_in_ms":0})");
}

} // namespace
} // namespace herald
