#include "actors/pages/page_subjects.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

const request_id a{"a"};
const request_id b{"b"};
const request_id c{"c"};
constexpr page_subjects::time_point start{};

credential_ptr right(const char* subject, const char* id = "") {
  return std::make_shared<const credential>(credential{subject, id, {}, {}});
}

class PageSubjects : public ::testing::Test {
protected:
  bool bind(const request_id& id, const char* subject) {
    return pages.bind(id, subject, start + 10s, forgotten);
  }

  page_subjects pages{2};
  std::optional<request_id> forgotten;
};

TEST_F(PageSubjects, KeepAPageFromItsFirstStreamUntilSomeTimeAfterItsLast) {
  EXPECT_EQ(pages.find(a), nullptr);
  EXPECT_TRUE(bind(a, "ann"));
  pages.opened(a, right("ann"));
  EXPECT_TRUE(pages.expire(start + 1h).empty()) << "its stream is open";
  ASSERT_NE(pages.find(a), nullptr);
  EXPECT_EQ(*pages.find(a), "ann");
  pages.closed(a, start + 2h);
  EXPECT_TRUE(pages.expire(start + 2h - 1s).empty());
  EXPECT_EQ(pages.expire(start + 2h), (std::vector<request_id>{a}));
  EXPECT_EQ(pages.find(a), nullptr);
  EXPECT_EQ(pages.check(), std::nullopt);
}

TEST_F(PageSubjects, LetThoseWithoutAStreamGoFirst) {
  EXPECT_TRUE(bind(a, "ann"));
  EXPECT_TRUE(bind(b, ""));
  pages.opened(a, right("ann"));
  EXPECT_TRUE(bind(c, "eve"));
  EXPECT_EQ(forgotten, b);
  EXPECT_NE(pages.find(a), nullptr);
  pages.opened(c, right("eve"));
  forgotten.reset();
  EXPECT_FALSE(bind(b, "ann")) << "all have streams";
  EXPECT_EQ(forgotten, std::nullopt);
  EXPECT_EQ(pages.size(), 2u);
  EXPECT_EQ(pages.check(), std::nullopt);
}

TEST_F(PageSubjects, KnowByWhatRightAStreamIsOpen) {
  EXPECT_TRUE(bind(a, "ann"));
  EXPECT_EQ(pages.right_of(a), nullptr);
  pages.opened(a, right("ann", "1"));
  EXPECT_EQ(pages.right_of(a)->id, "1");
  pages.opened(a, right("ann", "2"));
  EXPECT_EQ(pages.right_of(a)->id, "2");
  EXPECT_TRUE(pages.revoked_by({"1", {}, {}}).empty());
  EXPECT_EQ(pages.revoked_by({"2", {}, {}}), (std::vector<request_id>{a}));
  pages.closed(a, start + 1s);
  EXPECT_EQ(pages.right_of(a), nullptr);
  EXPECT_TRUE(pages.revoked_by({"2", {}, {}}).empty());
  EXPECT_EQ(pages.check(), std::nullopt);
}

} // namespace
} // namespace herald
