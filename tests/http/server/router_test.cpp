#include "http/server/router.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

router::handler answering(const char* body) {
  return [body](const api_request&) {
    return api_reply{200, body, "text/plain", {}};
  };
}

class Router : public ::testing::Test {
protected:
  Router() {
    routes.add("GET", "/api/tasks/{id}", no_parameters, answering("one"));
    routes.add("DELETE", "/api/tasks/{id}", no_parameters, answering("remove"));
    routes.add("GET", "/api/tasks", no_parameters, answering("all"));
    routes.add("GET", "/api/tasks/types", no_parameters, answering("types"));
    routes.add("POST", "/api/tasks/{id}/cancel", no_parameters, answering("cancel"));
  }

  std::string answer(const char* method, const char* path) {
    const auto match = routes.find(method, path);
    return match.found != nullptr ? match.found->answer({}).body : "";
  }

  router routes;
};

TEST_F(Router, FindsTheRouteOfMethodAndPath) {
  EXPECT_EQ(answer("GET", "/api/tasks"), "all");
  EXPECT_EQ(answer("GET", "/api/tasks/7"), "one");
  EXPECT_EQ(answer("DELETE", "/api/tasks/7"), "remove");
  EXPECT_EQ(answer("POST", "/api/tasks/7/cancel"), "cancel");
}

TEST_F(Router, PrefersFixedSegments) {
  EXPECT_EQ(answer("GET", "/api/tasks/types"), "types");
}

TEST_F(Router, AnswersHeadLikeGet) {
  EXPECT_EQ(answer("HEAD", "/api/tasks"), "all");
}

TEST_F(Router, DecodesPathArguments) {
  const auto match = routes.find("GET", "/api/tasks/a%2Fb+c");
  ASSERT_NE(match.found, nullptr);
  EXPECT_EQ(match.path_arguments, (std::vector<std::string>{"a/b+c"}));
}

TEST_F(Router, NamesTheMethodsThatAPathHas) {
  const auto match = routes.find("PUT", "/api/tasks/7");
  EXPECT_EQ(match.found, nullptr);
  EXPECT_EQ(match.allowed, (std::vector<std::string>{"GET", "DELETE"}));
}

TEST_F(Router, KnowsNoOtherPath) {
  for (const auto* path : {"/", "", "/api", "/api/tasks/", "/api/tasks/7/", "/api/tasks//cancel"})
    EXPECT_TRUE(
      routes.find("GET", path).found == nullptr && routes.find("GET", path).allowed.empty())
      << path;
}

TEST_F(Router, MakesTheHeadersOfAllAnswersAnew) {
  router routes;
  int asked = 0;
  routes.add_header("X-Asked", [&asked] { return std::to_string(++asked); });
  EXPECT_EQ(routes.headers().at(0).second, "1");
  EXPECT_EQ(routes.headers().at(0), (std::pair<std::string, std::string>{"X-Asked", "2"}));
}

} // namespace
} // namespace herald
