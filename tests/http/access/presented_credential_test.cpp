#include "http/access/presented_credential.hpp"

#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using way = presented_credential::way;

struct example {
  header_list headers;
  std::optional<std::string> ticket;
  way how;
  std::string text;
};

class PresentedCredential : public ::testing::TestWithParam<example> {};

TEST_P(PresentedCredential, IsTheOneThatCounts) {
  const auto& given = GetParam();
  request_head request;
  request.headers = given.headers;
  const auto found = presented_by(request, given.ticket, "__Secure-herald");
  EXPECT_EQ(found.how, given.how);
  EXPECT_EQ(found.text, given.text);
}

const std::string cookie = "a=b; __Secure-herald=tok ; c=d";

INSTANTIATE_TEST_SUITE_P(
  Ways, PresentedCredential,
  ::testing::Values(
    example{{}, {}, way::none, ""},
    example{{{"authorization", "bearer  x.y.z "}}, {}, way::bearer, "x.y.z"},
    example{{{"Authorization", "Bearer x"}, {"Cookie", cookie}}, {}, way::bearer, "x"},
    example{{{"Cookie", cookie}}, {}, way::cookie, "tok"},
    example{{{"Cookie", "a=b"}, {"cookie", cookie}}, {}, way::cookie, "tok"},
    example{{{"Cookie", cookie}}, "tick", way::ticket, "tick"}, example{{}, "", way::ticket, ""},
    // Names of cookies have a case, and this is not the end of another's.
    example{{{"Cookie", "__secure-herald=tok; x__Secure-herald=tok"}}, {}, way::none, ""},
    example{{{"Authorization", "Basic dTpw"}}, {}, way::other, ""},
    example{{{"Authorization", "Bearer"}}, {}, way::other, ""},
    example{{{"Authorization", "Bearer "}, {"Cookie", cookie}}, {}, way::other, ""},
    example{{{"Authorization", "Bearer x"}, {"authorization", "Bearer x"}}, {}, way::two, ""},
    example{{{"Authorization", "Bearer x"}}, "tick", way::two, ""},
    example{{{"Authorization", "Basic dTpw"}}, "tick", way::two, ""},
    example{{{"Cookie", "__Secure-herald=a; __Secure-herald=b"}}, {}, way::other, ""},
    example{{{"Cookie", "__Secure-herald=a; __Secure-herald=a"}}, {}, way::cookie, "a"}));

TEST(PresentedCredentialWithoutCookie, TakesNone) {
  request_head request;
  request.headers = {{"Cookie", cookie + "; =tok"}};
  EXPECT_EQ(presented_by(request, std::nullopt, "").how, way::none);
}

} // namespace
} // namespace herald
