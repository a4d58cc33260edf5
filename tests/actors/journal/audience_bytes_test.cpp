#include "actors/journal/audience_bytes.hpp"

#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

std::string bytes_of(const audience_ptr& to) {
  std::string bytes;
  append_audience(bytes, to);
  return bytes;
}

audience_ptr shared(audience to) {
  return std::make_shared<const audience>(std::move(to));
}

TEST(AudienceBytes, GiveBackWhatWentIn) {
  EXPECT_EQ(bytes_of(nullptr), "");
  ASSERT_TRUE(read_audience(""));
  EXPECT_EQ(*read_audience(""), nullptr) << "everyone";
  for (const auto& to :
       {audience_of_page(request_id{"mine"}),
        shared(
          {request_id{"mine"}, "ann", "staff", {"a", "b/c"}, {request_id{"x"}, request_id{"y"}}}),
        shared({{}, {}, {}, {}, {request_id{"x"}}})}) {
    const auto read = read_audience(bytes_of(to));
    ASSERT_TRUE(read && *read);
    EXPECT_EQ(**read, *to);
  }
}

TEST(AudienceBytes, HaveTheFormThatTheHeaderOfEventRowsDescribes) {
  EXPECT_EQ(
    bytes_of(shared({request_id{"me"}, "s", {}, {"a/b"}, {}})),
    (std::string{"\x01\x02\0me\x02\x01\0s\x04\x03\0a/b", 15}));
}

TEST(AudienceBytes, AreRefusedWhereTheyAreCutOffOrBreakARule) {
  const auto good = bytes_of(shared({request_id{"me"}, "s", {}, {}, {}}));
  for (std::size_t size = 1; size < good.size(); ++size)
    EXPECT_EQ(read_audience(good.substr(0, size)).has_value(), size == 5) << size;
  EXPECT_FALSE(read_audience(good + good)) << "two pages";
  std::string topics;
  for (std::size_t i = 0; i <= max_event_topics; ++i)
    append_attribute(topics, attribute::topic, "t");
  EXPECT_FALSE(read_audience(topics));
  for (const auto& [kind, text] :
       {std::pair{attribute::page, ""}, std::pair{attribute::subject, "a\nb"},
        std::pair{attribute::topic, "a/*"}, std::pair{attribute::except, ""},
        std::pair{attribute::ttl, "12345678"}, std::pair{attribute{0}, ""},
        std::pair{attribute{7}, "x"}}) {
    std::string bytes;
    append_attribute(bytes, kind, text);
    EXPECT_FALSE(read_audience(bytes)) << static_cast<int>(kind);
  }
}

TEST(AudienceBytes, MakeNothingBadOutOfAnyBytes) {
  std::mt19937 random{1};
  const auto good = bytes_of(
    shared({request_id{"mine"}, "ann", "staff", {"a", "b/c"}, {request_id{"x"}, request_id{"y"}}}));
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = good;
    for (auto changes = 1 + random() % 3; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto read = read_audience(bytes);
    if (!read || !*read)
      continue;
    const auto& to = **read;
    EXPECT_TRUE(to.page.empty() || !request_id_violation(to.page.str()));
    EXPECT_TRUE(to.subject.empty() || !principal_violation(to.subject));
    EXPECT_TRUE(to.role.empty() || !principal_violation(to.role));
    for (const auto& topic : to.topics)
      EXPECT_FALSE(topic_violation(topic));
    for (const auto& id : to.except)
      EXPECT_FALSE(request_id_violation(id.str()));
  }
}

} // namespace
} // namespace herald
