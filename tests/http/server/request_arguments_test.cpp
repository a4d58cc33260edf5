#include "http/server/request_arguments.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

const route_input paged{{"limit", "after"}};

std::string blamed(std::string_view query, const route_input& takes = paged) {
  const auto why = query_violation(query, takes);
  return why ? why->field : "(none)";
}

TEST(RequestArguments, AreThoseThatTheRouteTakes) {
  for (const auto* query : {"", "&", "limit=1", "after=2&limit=", "l%69mit=1"})
    EXPECT_EQ(blamed(query), "(none)") << query;
}

TEST(RequestArguments, NobodyKnowsAreRefusedByName) {
  EXPECT_EQ(blamed("limit=1&aftr=2&b=3"), "aftr");
  EXPECT_EQ(blamed("Limit=1"), "Limit");
  EXPECT_EQ(blamed("a%20b=1"), "a b");
  EXPECT_EQ(blamed("limit", no_parameters), "limit");
  const auto why = query_violation("aftr=2", paged);
  EXPECT_EQ(why->code, ec::unknown_field);
  EXPECT_EQ(why->detail, "is not known here; known are: limit, after");
  EXPECT_EQ(blamed(std::string(5000, 'x')).size(), 128u) << "a name that is no name is cut";
}

TEST(RequestArguments, ComeOnce) {
  EXPECT_EQ(blamed("limit=1&limit=1"), "limit");
  EXPECT_EQ(query_violation("limit=1&limit=2", paged)->code, ec::invalid_field);
}

TEST(RequestArguments, OfAnothersProtocolAreNotJudged) {
  EXPECT_EQ(blamed("x=1&x=2&%zz", foreign_protocol), "(none)");
}

} // namespace
} // namespace herald
