#include "actors/journal/event_rows.hpp"

#include <random>

#include <gtest/gtest.h>

#include "tests/support/audiences.hpp"
#include "tests/support/journal_entries.hpp"

namespace herald {
namespace {

using testing::make_event;
using events = std::vector<journal_snapshot::dated_event>;

const wall_time some_time{std::chrono::microseconds{1'700'000'000'123'456}};

std::string row_of(const std::vector<kept_event>& all) {
  std::string row;
  for (const auto& one : all)
    append_event_row(row, one, some_time);
  return row;
}

TEST(EventRows, GiveBackWhatWentIn) {
  auto version = make_event(7, std::string{"zero \0 and\nline", 15});
  auto copy = *version.what;
  copy.service = service_type::version;
  copy.name.clear();
  version.what = std::make_shared<const event>(copy);
  const auto row = row_of({make_event(5, "", "page 1"), version, make_event(9)});
  events read;
  ASSERT_TRUE(read_event_row(row, read));
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].what.what->id, event_id{5});
  EXPECT_EQ(read[0].what.what->name, "note");
  EXPECT_EQ(read[0].what.what->data, "");
  EXPECT_EQ(page_of(read[0].what.to), request_id{"page 1"});
  EXPECT_EQ(read[0].at, some_time);
  EXPECT_EQ(read[1].what.what->data, copy.data);
  EXPECT_EQ(read[1].what.what->service, service_type::version);
  EXPECT_EQ(read[1].what.to, nullptr);
  EXPECT_EQ(read[2].what.what->id, event_id{9});
}

TEST(EventRows, GiveBackWhoAnEventIsForAndForHowLong) {
  audience to;
  to.page = request_id{"p"};
  to.subject = "ann";
  to.role = "editor";
  to.topics = {"a", std::string(255, 'b')};
  to.except = {request_id{"q"}, request_id{"r"}};
  auto all = make_event(5);
  all.to = std::make_shared<const audience>(to);
  auto timed = make_event(6);
  timed.ttl = std::chrono::milliseconds{1234};
  auto both = make_event(7, "x", "me");
  both.ttl = std::chrono::milliseconds{1};
  events read;
  ASSERT_TRUE(read_event_row(row_of({all, timed, both}), read));
  ASSERT_EQ(read.size(), 3u);
  ASSERT_TRUE(read[0].what.to);
  EXPECT_EQ(*read[0].what.to, to);
  EXPECT_EQ(read[0].what.ttl.count(), 0);
  EXPECT_EQ(read[1].what.to, nullptr);
  EXPECT_EQ(read[1].what.ttl.count(), 1234);
  ASSERT_TRUE(read[2].what.to);
  EXPECT_TRUE(read[2].what.to->only_page());
  EXPECT_EQ(read[2].what.ttl.count(), 1);
}

TEST(EventRows, AreDamagedByAnAudienceThatCannotBe) {
  audience to;
  to.topics = {"aa"};
  auto one = make_event(5);
  one.to = std::make_shared<const audience>(to);
  const auto row = row_of({one});
  const auto at = row.find("aa");
  ASSERT_NE(at, std::string::npos);
  for (const auto* bytes : {"a/", "*", "\n\n", "$a", "a\xff"}) {
    auto damaged = row;
    damaged.replace(at, 2, std::string{bytes}.append("//").substr(0, 2));
    events read;
    EXPECT_FALSE(read_event_row(damaged, read)) << bytes;
  }
  auto two = *one.to;
  two.subject = "s";
  one.to = std::make_shared<const audience>(two);
  auto swapped = row_of({one});
  const auto subject = swapped.find(std::string{"\x02\x01\0s", 4});
  ASSERT_NE(subject, std::string::npos);
  swapped.replace(subject, 9, std::string{"\x04\x02\0aa\x02\x01\0s", 9});
  events none;
  EXPECT_FALSE(read_event_row(swapped, none)) << "there is one order of attributes";
  auto unknown = row;
  unknown[at - 3] = 99;
  events read;
  EXPECT_FALSE(read_event_row(unknown, read));
}

TEST(EventRows, HaveTheBytesThatTheirHeaderDescribes) {
  const auto for_all = make_event(0x0102, "data");
  EXPECT_EQ(
    row_of({for_all}), (std::string{
                         "\x02\x01\0\0\0\0\0\0"           // id
                         "\x40\x22\x20\x18\x24\x0a\x06\0" // time
                         "\x02"                           // service
                         "\0\0\0\0"                       // everyone
                         "\x04\0\0\0"                     // name
                         "\x04\0\0\0"                     // data
                         "notedata",
                         37}));
  EXPECT_EQ(
    row_of({make_event(5, "", "me")}).substr(16), (std::string{
                                                    "\x02"
                                                    "\x03\0\0\0"
                                                    "\x04\0\0\0"
                                                    "\0\0\0\0"
                                                    "menote",
                                                    19}));
}

TEST(EventRows, AreRefusedWhereverTheyAreCutOff) {
  const auto first = row_of({make_event(5, "some data", "me")});
  const auto row = first + row_of({make_event(6, "more")});
  for (std::size_t size = 1; size < row.size(); ++size) {
    events read;
    EXPECT_EQ(read_event_row(row.substr(0, size), read), size == first.size()) << size;
    EXPECT_EQ(read.size(), size == first.size() ? 1u : 0u) << size;
  }
}

TEST(EventRows, AreRefusedIfTheyWouldBreakAStream) {
  auto named = *make_event(5).what;
  events read;
  for (const auto* name : {"a\nb", "a\rb"}) {
    named.name = name;
    EXPECT_FALSE(read_event_row(row_of({{std::make_shared<const event>(named), {}}}), read));
  }
  EXPECT_FALSE(read_event_row(row_of({make_event(5, "x", "with:colon")}), read));
  EXPECT_FALSE(read_event_row(row_of({make_event(5), make_event(5)}), read)) << "ids must rise";
  EXPECT_FALSE(read_event_row(row_of({make_event(5), make_event(4)}), read));
  EXPECT_TRUE(read.empty());
}

TEST(EventRows, AreRefusedWhereNoClockAndNoIdCanGoOnFromThem) {
  events read;
  std::string row;
  append_event_row(row, make_event(5), wall_time{std::chrono::microseconds{-1}});
  EXPECT_FALSE(read_event_row(row, read)) << "before 1970";
  row = row_of({make_event(5)});
  row.replace(8, 8, "\xff\xff\xff\xff\xff\xff\xff\x7f");
  EXPECT_FALSE(read_event_row(row, read)) << "after the last nanosecond that can be counted";
  EXPECT_FALSE(read_event_row(row_of({make_event(~std::uint64_t{0})}), read)) << "no id is left";
  EXPECT_TRUE(read.empty());
}

TEST(EventRows, MakeNothingBadOutOfAnyBytes) {
  std::mt19937 random{1};
  const auto good = row_of({make_event(5, "some data", "me"), make_event(6, "more")});
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = good;
    for (auto changes = 1 + random() % 3; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    events read;
    if (!read_event_row(bytes, read))
      continue;
    event_id last;
    for (const auto& one : read) {
      EXPECT_GT(one.what.what->id, last);
      last = one.what.what->id;
      EXPECT_EQ(one.what.what->name.find('\n'), std::string::npos);
      EXPECT_TRUE(!page_of(one.what.to) || !request_id_violation(page_of(one.what.to)->str()));
    }
  }
}

} // namespace
} // namespace herald
