#include "http/api/journal_api.hpp"

#include "messages/errors.hpp"
#include "tests/support/api_routes.hpp"

namespace herald {
namespace {

class JournalApi : public testing::api_routes {
protected:
  void with_journal() {
    add_journal_route(
      routes,
      [](const std::string& name, std::chrono::milliseconds) -> caf::expected<copied_journal> {
        if (name == "large")
          return fail(ec::storage_full, "no room");
        if (name == "taken")
          return fail(ec::name_taken, "there is one", "name");
        return copied_journal{name.empty() ? "made" : name, 5};
      });
  }
};

TEST_F(JournalApi, CopiesTheJournal) {
  with_journal();
  const auto reply = call("POST", "/api/journal/backup", R"({"name":"a.db"})");
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.body, R"({"name":"a.db","bytes":5})");
  for (const auto* body : {"", "{}"})
    EXPECT_EQ(call("POST", "/api/journal/backup", body).body, R"({"name":"made","bytes":5})");
}

TEST_F(JournalApi, SaysHowLongACopyMayTake) {
  with_journal();
  EXPECT_EQ(
    routes.find("POST", "/api/journal/backup").found->takes.longest({}), std::chrono::minutes{10});
}

TEST_F(JournalApi, SaysWhatIsWrong) {
  with_journal();
  EXPECT_EQ(call("POST", "/api/journal/backup", R"({"name":"large"})").status, 507);
  EXPECT_EQ(call("POST", "/api/journal/backup", R"({"name":"taken"})").status, 409);
  for (const auto* body : {R"({"name":""})", R"({"name":1})", R"({"file":"a"})", "[]", "x"})
    EXPECT_EQ(call("POST", "/api/journal/backup", body).status, 400) << body;
}

TEST_F(JournalApi, HasNothingToCopyWithoutAJournal) {
  add_journal_route(routes, {});
  const auto reply = call("POST", "/api/journal/backup");
  EXPECT_EQ(reply.status, 404);
  EXPECT_NE(reply.body.find("journal.path is not set"), std::string::npos);
}

} // namespace
} // namespace herald
