#include "actors/journal/journal_copy.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "actors/journal/journal_file.hpp"
#include "actors/sqlite/storage_errors.hpp"
#include "actors/sqlite/stored_time.hpp"
#include "tests/support/journal_entries.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald {
namespace {

using testing::make_events;

class JournalCopy : public ::testing::Test {
protected:
  JournalCopy() {
    auto opened = journal_file::open(path, journal_sync::full);
    EXPECT_TRUE(opened);
    file = std::move(*opened);
  }

  void write(std::uint64_t from, std::uint64_t to, const std::string& data = "x") {
    const std::vector<journal_entry> entries{make_events(from, to, data)};
    EXPECT_EQ(file->write(entries).code, ec::none);
  }

  /// Runs `between` between all pieces.
  template <class Between>
  journal_store::copy_progress copy(const std::string& name, Between between) {
    if (auto why = file->begin_copy(name); why.code != ec::none)
      return {why, {}};
    for (;;) {
      auto progress = file->copy_piece();
      if (progress.made || progress.why.code != ec::none)
        return progress;
      between();
    }
  }
  journal_store::copy_progress copy(const std::string& name) {
    return copy(name, [] {});
  }

  /// How many events the file of this name has, as a journal.
  std::size_t events_in(const std::string& name) {
    const auto opened = journal_file::open(dir / name, journal_sync::full);
    EXPECT_TRUE(opened) << describe(opened.error()).detail;
    EXPECT_FALSE((*opened)->set_aside());
    std::size_t damaged = 0;
    return (*opened)->load(damaged)->events.size();
  }

  [[nodiscard]] bool exists(const std::string& name) const {
    return std::filesystem::exists(dir / name);
  }

  testing::temporary_folder dir;
  const std::string path = dir / "journal.db";
  std::unique_ptr<journal_file> file;
};

TEST_F(JournalCopy, HasAllThatIsWrittenUntilItIsDone) {
  for (std::uint64_t i = 0; i < 100; ++i)
    write(10 * i + 1, 10 * i + 10, std::string(10'000, 'x'));
  std::uint64_t next = 1001;
  std::size_t pieces = 0;
  const auto made = copy("copy.db", [&] {
    ++pieces;
    EXPECT_FALSE(exists("copy.db")) << "while it is not complete";
    write(next, next);
    ++next;
    file->tidy();
  });
  ASSERT_TRUE(made.made) << made.why.detail;
  EXPECT_GT(pieces, 5u);
  EXPECT_EQ(made.made->name, "copy.db");
  EXPECT_EQ(made.made->bytes, std::filesystem::file_size(dir / "copy.db"));
  EXPECT_FALSE(exists("journal.db-copy"));
  EXPECT_EQ(events_in("copy.db"), next - 1);
  write(next, next);
  EXPECT_EQ(events_in("copy.db"), next - 1);
}

TEST_F(JournalCopy, IsForTheUserOfTheJournalAlone) {
  const auto before = ::umask(0);
  EXPECT_TRUE(copy("copy.db").made);
  ::umask(before);
  struct stat found {};
  ASSERT_EQ(::stat((dir / "copy.db").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(JournalCopy, IsNeverMadeOverAnotherFile) {
  std::ofstream{dir / "there"} << "mine";
  std::filesystem::create_symlink("nowhere", dir / "link");
  for (const auto* name : {"there", "link"}) {
    const auto why = copy(name).why;
    EXPECT_EQ(why.code, ec::name_taken) << name;
    EXPECT_EQ(why.field, "name");
  }
  write(1, 100, std::string(50'000, 'x'));
  const auto late = copy("late", [&] { std::ofstream{dir / "late"} << "mine"; });
  EXPECT_EQ(late.why.code, ec::name_taken) << "while it was made";
  EXPECT_EQ(std::filesystem::file_size(dir / "late"), 4u);
  EXPECT_EQ(std::filesystem::file_size(dir / "there"), 4u);
  EXPECT_FALSE(exists("nowhere"));
  EXPECT_FALSE(exists("journal.db-copy"));
}

TEST_F(JournalCopy, HasANameOfItsTimeWhereItIsGivenNone) {
  const auto first = copy("").made;
  const auto second = copy("").made;
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->name.find("journal.db.backup-20"), 0u) << first->name;
  EXPECT_NE(first->name, second->name);
  EXPECT_TRUE(exists(first->name) && exists(second->name));
}

TEST_F(JournalCopy, HasNoNameOfAnotherFolderNorOfTheJournal) {
  for (const auto* name :
       {"../x", "a/b", "/tmp/x", ".", "..", ".x", "-x", "a b", "a\nb", "journal.db",
        "journal.db-wal", "journal.db-shm", "journal.db-journal", "journal.db-lock",
        "journal.db-copy"}) {
    const auto why = copy(name).why;
    EXPECT_EQ(why.code, ec::invalid_field) << name;
    EXPECT_EQ(why.field, "name") << name;
  }
  EXPECT_EQ(copy(std::string(201, 'x')).why.code, ec::invalid_field);
  EXPECT_TRUE(copy(std::string(200, 'x')).made);
  EXPECT_TRUE(copy("journal.db-2026").made);
}

TEST_F(JournalCopy, TakesThePlaceOfADraftThatACrashHasLeft) {
  std::ofstream{dir / "journal.db-copy"} << "half of one";
  EXPECT_TRUE(copy("copy.db").made);
  EXPECT_FALSE(exists("journal.db-copy"));
  std::filesystem::create_symlink("victim", dir / "journal.db-copy");
  EXPECT_TRUE(copy("copy2.db").made);
  EXPECT_FALSE(exists("victim"));
}

TEST_F(JournalCopy, IsMadeOneAtATime) {
  write(1, 100, std::string(50'000, 'x'));
  EXPECT_EQ(file->begin_copy("one").code, ec::none);
  EXPECT_EQ(file->begin_copy("two").code, ec::overloaded);
  file.reset();
  EXPECT_FALSE(exists("one"));
  EXPECT_FALSE(exists("journal.db-copy")) << "of one that is never done";
}

TEST_F(JournalCopy, EndsWhereTheJournalHasToBeOpenedAnew) {
  write(1, 100, std::string(50'000, 'x'));
  EXPECT_EQ(file->begin_copy("one").code, ec::none);
  EXPECT_EQ(file->copy_piece().why.code, ec::none);
  // Found out with the next write.
  std::filesystem::rename(path, dir / "elsewhere");
  const std::vector<journal_entry> entries{make_events(101, 101)};
  EXPECT_EQ(file->write(entries).code, ec::storage_failed);
  std::filesystem::rename(dir / "elsewhere", path);
  write(101, 101);
  auto progress = file->copy_piece();
  while (!progress.made && progress.why.code == ec::none)
    progress = file->copy_piece();
  if (progress.made) {
    EXPECT_EQ(events_in("one"), 101u);
  }
  EXPECT_FALSE(exists("journal.db-copy"));
}

/// For as long as it lives, the clocks on the walls are hours ahead of UTC.
class far_east {
public:
  far_east() { set("FAR-11"); }
  far_east(const far_east&) = delete;
  far_east& operator=(const far_east&) = delete;
  ~far_east() { set(before_ ? before_->c_str() : nullptr); }

private:
  static std::optional<std::string> zone() {
    const auto* found = std::getenv("TZ");
    return found == nullptr ? std::nullopt : std::optional<std::string>{found};
  }
  static void set(const char* to) {
    to == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", to, 1);
    ::tzset();
  }

  const std::optional<std::string> before_ = zone();
};

TEST(OutOfRoom, IsADiskOrAQuotaThatHasNoneAndNothingElse) {
  EXPECT_TRUE(sqlite::is_out_of_room(ENOSPC));
  EXPECT_TRUE(sqlite::is_out_of_room(EDQUOT));
  for (const int other : {0, EIO, EROFS, EACCES, ENOMEM, EFBIG})
    EXPECT_FALSE(sqlite::is_out_of_room(other)) << other;
}

TEST(FileTimestamp, IsOfUtcWhereverHeraldRuns) {
  const far_east clocks;
  const auto now = [] {
    const auto seconds = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
    return std::string{text.data()};
  };
  const auto before = now();
  const auto said = file_timestamp();
  EXPECT_LE(before, said);
  EXPECT_LE(said, now());
}

TEST(CopyName, IsNamedWithWhatIsWrong) {
  EXPECT_EQ(copy_name_violation("a.db", "/x/j"), "");
  EXPECT_EQ(copy_name_violation("", "/x/j"), "must have 1 to 200 characters");
  EXPECT_EQ(copy_name_violation("j-wal", "/x/j"), "is a name of the journal itself");
  EXPECT_EQ(copy_name_violation("j-wal", "j"), "is a name of the journal itself");
}

} // namespace
} // namespace herald
