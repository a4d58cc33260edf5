#include "messages/errors.hpp"

#include <set>

#include <caf/sec.hpp>

#include <gtest/gtest.h>

#include "messages/type_ids.hpp"

namespace herald {
namespace {

TEST(Errors, HaveANameEach) {
  std::set<std::string_view> names;
  const auto last = static_cast<int>(ec::internal);
  for (int code = 0; code <= last; ++code)
    names.insert(to_string(static_cast<ec>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(last) + 1);
}

TEST(Errors, CarryWhatIsWrongAndWhere) {
  const auto told = describe(fail(ec::invalid_field, "must not be empty", "[3].event"));
  EXPECT_EQ(told.code, ec::invalid_field);
  EXPECT_EQ(told.detail, "must not be empty");
  EXPECT_EQ(told.field, "[3].event");
}

TEST(Errors, CanBeABareCode) {
  const auto told = describe(caf::make_error(ec::no_such_task));
  EXPECT_EQ(told.code, ec::no_such_task);
  EXPECT_EQ(told.detail, "");
}

TEST(Errors, OfCafBecomeOurs) {
  EXPECT_EQ(describe(caf::sec::request_timeout).code, ec::timed_out);
  EXPECT_EQ(describe(caf::sec::request_receiver_down).code, ec::actor_failed);
  EXPECT_EQ(describe(caf::sec::unexpected_message).code, ec::internal);
}

} // namespace
} // namespace herald
