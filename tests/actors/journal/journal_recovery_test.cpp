#include "actors/journal/journal_recovery.hpp"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include "actors/history/id_source.hpp"
#include "tests/support/journal_entries.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::make_events;

const wall_time first_day = wall_time{} + 480'000h + 7us;

event_id at(wall_time time) {
  return {static_cast<std::uint64_t>(
    std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count())};
}

/// Lives of a herald, one after the other, at times that are given.
class JournalRecovery : public ::testing::Test {
protected:
  recovered_journal live(wall_time now) {
    journal_settings options;
    options.path = dir / "journal.db";
    auto life = recover_journal(options, now);
    EXPECT_TRUE(life) << describe(life.error()).detail;
    return life ? std::move(*life) : recovered_journal{};
  }

  testing::temporary_folder dir;
};

TEST_F(JournalRecovery, BeginsANewFileAtTheClock) {
  const auto life = live(first_day);
  EXPECT_EQ(life.snapshot.ids_upto, at(first_day));
  EXPECT_EQ(life.snapshot.history_floor, at(first_day)) << "of what came before nothing is known";
  EXPECT_EQ(life.ids_reserved.value, at(first_day).value + id_source::reservation);
}

TEST_F(JournalRecovery, GoesOnAtTheClockAndBehindAllThatWasReserved) {
  const auto reserved = live(first_day).ids_reserved;
  EXPECT_EQ(live(first_day - 1h).snapshot.ids_upto, reserved) << "the clock was set back";
  const auto later = live(first_day + 10h);
  EXPECT_EQ(later.snapshot.ids_upto, at(first_day + 10h));
  EXPECT_EQ(later.snapshot.history_floor, at(first_day)) << "nothing was lost in between";
}

TEST_F(JournalRecovery, KnowsWhatTheFormerLifeHasWritten) {
  const auto first = at(first_day).value + 1;
  {
    const auto life = live(first_day);
    const std::vector<journal_entry> entries{make_events(first, first + 2, "x")};
    ASSERT_EQ(life.file->write(entries).code, ec::none);
  }
  const auto life = live(first_day + 1s);
  ASSERT_EQ(life.snapshot.events.size(), 3u);
  EXPECT_EQ(life.snapshot.events.front().what.what->id, event_id{first});
  EXPECT_EQ(life.snapshot.history_floor, at(first_day));
}

} // namespace
} // namespace herald
