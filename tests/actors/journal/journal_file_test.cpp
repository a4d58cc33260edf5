#include "actors/journal/journal_file.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/journal/journal_schema.hpp"
#include "actors/sqlite/sqlite.hpp"
#include "tests/support/audiences.hpp"
#include "tests/support/journal_entries.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald {
namespace {

using testing::ids_of;
using testing::make_event;
using testing::make_events;
using testing::text_of;
using id_list = std::vector<std::uint64_t>;
using file_ptr = std::unique_ptr<journal_file>;

void write_file(const std::string& file, const std::string& bytes) {
  std::ofstream{file, std::ios::binary | std::ios::trunc} << bytes;
}

class JournalFile : public ::testing::Test {
protected:
  file_ptr open(journal_sync sync = journal_sync::full) const {
    auto opened = journal_file::open(path, sync);
    EXPECT_TRUE(opened) << (opened ? "" : describe(opened.error()).detail);
    return opened ? std::move(*opened) : nullptr;
  }

  /// Why the file cannot be opened; empty if it can.
  std::string refusal() const {
    const auto opened = journal_file::open(path, journal_sync::full);
    return opened ? "" : describe(opened.error()).detail;
  }

  static ec write(journal_file& file, std::vector<journal_entry> entries) {
    return file.write(entries).code;
  }

  static journal_snapshot load(journal_file& file) {
    std::size_t damaged = 0;
    auto loaded = file.load(damaged);
    EXPECT_TRUE(loaded);
    EXPECT_EQ(damaged, 0u);
    return loaded ? std::move(*loaded) : journal_snapshot{};
  }

  journal_snapshot reloaded() const {
    const auto file = open();
    EXPECT_FALSE(file->set_aside()) << file->set_aside()->why;
    return load(*file);
  }

  /// Runs SQL on the file, past all rules.
  void tamper(const std::string& sql) const {
    sqlite::database db;
    ASSERT_EQ(db.open(path, sqlite::database::mode::create), SQLITE_OK);
    ASSERT_EQ(db.run(sql), SQLITE_OK) << db.what();
  }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{dir.path()})
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  testing::temporary_folder dir;
  const std::string path = dir / "journal.db";
};

TEST_F(JournalFile, BeginsEmptyAndForItsOwnerOnly) {
  const auto found = reloaded();
  EXPECT_TRUE(found.events.empty());
  EXPECT_EQ(found.history_floor, event_id{});
  EXPECT_EQ(found.ids_upto, event_id{});
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST_F(JournalFile, RemembersEventsWithAllThatIsSaidOfThem) {
  const wall_time at{std::chrono::microseconds{1'700'000'000'000'007}};
  ASSERT_EQ(
    write(*open(), {events_kept{{make_event(10, "a\nb"), make_event(12, "", "me")}, at}}),
    ec::none);
  const auto found = reloaded();
  EXPECT_EQ(ids_of(found), (id_list{10, 12}));
  EXPECT_EQ(found.ids_upto, event_id{12});
  EXPECT_EQ(found.events[0].what.what->data, "a\nb");
  EXPECT_EQ(found.events[0].at, at);
  EXPECT_EQ(found.events[0].what.to, nullptr);
  EXPECT_EQ(page_of(found.events[1].what.to), request_id{"me"});
}

TEST_F(JournalFile, RemembersLastValuesAndWhatPagesHaveChanged) {
  const wall_time at{std::chrono::microseconds{1'700'000'000'000'007}};
  const auto value = [](std::uint64_t id, const char* topic) {
    auto made = make_event(id);
    audience to;
    to.topics.emplace_back(topic);
    made.to = std::make_shared<const audience>(std::move(to));
    return made;
  };
  const request_id page{"p"};
  ASSERT_EQ(
    write(
      *open(), {value_kept{value(3, "b"), at}, value_kept{value(1, "a"), at},
                value_kept{value(5, "a"), at}, value_kept{value(4, "gone"), at},
                value_dropped{"gone"}, topics_kept{page, {"a", "b/*"}, {"c"}, at},
                topics_kept{request_id{"q"}, {"a"}, {}, at}, topics_dropped{request_id{"q"}}}),
    ec::none);
  const auto found = reloaded();
  ASSERT_EQ(found.values.size(), 2u);
  EXPECT_EQ(found.values[0].what.what->id, event_id{3});
  EXPECT_EQ(found.values[1].what.what->id, event_id{5});
  EXPECT_EQ(found.values[1].at, at);
  EXPECT_EQ(found.ids_upto, event_id{5}) << "its id is given to nobody else";
  ASSERT_EQ(found.topics.size(), 1u);
  EXPECT_EQ(found.topics[0].id, page);
  EXPECT_EQ(found.topics[0].added, (std::vector<std::string>{"a", "b/*"}));
  EXPECT_EQ(found.topics[0].removed, (std::vector<std::string>{"c"}));
}

TEST_F(JournalFile, RemembersWhosePagesAreAndWhatIsRevoked) {
  const wall_time at{std::chrono::microseconds{1'700'000'000'000'007}};
  const wall_time until{std::chrono::microseconds{1'700'000'000'000'009}};
  ASSERT_EQ(
    write(
      *open(), {page_bound{request_id{"p"}, "ann"}, page_bound{request_id{"q"}, ""},
                page_bound{request_id{"r"}, "bob"}, page_unbound{request_id{"r"}},
                revocation_kept{{"7", {}, {}}, until}, revocation_kept{{{}, "7", at}, at},
                revocation_kept{{{}, "7", at}, until}, revocation_kept{{"8", {}, {}}, at},
                revocation_dropped{"8", {}}}),
    ec::none);
  const auto found = reloaded();
  ASSERT_EQ(found.pages.size(), 2u);
  EXPECT_EQ(found.pages[0].id, request_id{"p"});
  EXPECT_EQ(found.pages[0].subject, "ann");
  EXPECT_EQ(found.pages[1].subject, "");
  ASSERT_EQ(found.revocations.size(), 2u);
  EXPECT_EQ(found.revocations[0].what, (revocation{"7", {}, {}}));
  EXPECT_EQ(found.revocations[1].what, (revocation{{}, "7", at}));
  EXPECT_EQ(found.revocations[1].until, until);
}

TEST_F(JournalFile, StaysSmallHoweverMuchGoesThroughIt) {
  const auto file = open(journal_sync::off);
  const std::string data(1000, 'x');
  for (std::uint64_t id = 1; id < 60'000; id += 100) {
    ASSERT_EQ(write(*file, {make_events(id, id + 99, data)}), ec::none);
    ASSERT_EQ(write(*file, {events_evicted{{id > 2000 ? id - 2000 : 0}}}), ec::none);
    file->tidy();
  }
  EXPECT_LT(file->bytes(), 25u << 20U) << "of 60 MB that were written";
}

TEST_F(JournalFile, KeepsItsWriteAheadLogShortWhateverIsWritten) {
  const auto file = open(journal_sync::off);
  for (int i = 0; i < 5000; ++i) {
    const auto id = request_id{"page-" + std::to_string(i % 7)};
    ASSERT_EQ(write(*file, {version_kept{id, {std::to_string(i), std::nullopt}}}), ec::none);
    file->tidy();
  }
  EXPECT_LT(file->bytes(), 12u << 20U);
}

TEST_F(JournalFile, TakesAnEmptyFileForANewOne) {
  write_file(path, "");
  EXPECT_TRUE(reloaded().events.empty());
}

TEST_F(JournalFile, SetsAFileAsideThatIsNoDatabase) {
  const std::string text =
    "this is no database, but somebody may miss it\n" + std::string(9000, '.');
  write_file(path, text);
  const auto file = open();
  ASSERT_TRUE(file->set_aside());
  EXPECT_EQ(file->set_aside()->to.substr(0, path.size() + 9), path + ".damaged-");
  for (const auto* part : {"", "-wal", "-lock"}) {
    struct stat about {};
    ASSERT_EQ(::stat((path + part).c_str(), &about), 0) << part;
    EXPECT_EQ(about.st_mode & 0777U, 0600U) << part;
  }
  EXPECT_EQ(text_of(file->set_aside()->to), text);
  ASSERT_EQ(write(*file, {make_events(1, 3)}), ec::none);
  EXPECT_EQ(ids_of(load(*file)), (id_list{1, 2, 3}));
}

TEST_F(JournalFile, WritesNoMoreWhereItsLogWasRemovedOrReplaced) {
  for (const bool replaced : {false, true}) {
    const auto file = open();
    ASSERT_EQ(write(*file, {make_events(1, 3)}), ec::none);
    const auto log = path + "-wal";
    ASSERT_EQ(std::rename(log.c_str(), (path + "-moved").c_str()), 0);
    if (replaced)
      write_file(log, text_of(path + "-moved"));
    EXPECT_NE(write(*file, {make_events(4, 6)}), ec::none) << replaced;
    std::filesystem::remove(path);
    std::filesystem::remove(log);
  }
}

TEST_F(JournalFile, SetsADatabaseOfSomethingElseAside) {
  tamper("CREATE TABLE precious(x); INSERT INTO precious VALUES(42)");
  const auto bytes = text_of(path);
  const auto file = open();
  ASSERT_TRUE(file->set_aside());
  EXPECT_EQ(text_of(file->set_aside()->to), bytes);
}

TEST_F(JournalFile, SetsAFileAsideAsItIsWithALogThatIsNotInItYet) {
  const auto other = (dir / "other.db").string();
  sqlite::database db;
  ASSERT_EQ(db.open(other, sqlite::database::mode::create), SQLITE_OK);
  ASSERT_EQ(db.run("PRAGMA journal_mode=WAL; CREATE TABLE precious(x)"), SQLITE_OK) << db.what();
  const auto bytes = text_of(other);
  const auto log = text_of(other + "-wal");
  ASSERT_FALSE(log.empty());
  write_file(path, bytes);
  write_file(path + "-wal", log);
  const auto file = open();
  ASSERT_TRUE(file->set_aside());
  EXPECT_EQ(text_of(file->set_aside()->to), bytes);
  EXPECT_EQ(text_of(file->set_aside()->to + "-wal"), log);
}

TEST_F(JournalFile, SetsADamagedHeadAsideWithItsLog) {
  ASSERT_EQ(write(*open(), {make_events(1, 3)}), ec::none);
  auto bytes = text_of(path);
  bytes.replace(0, 16, "not SQLite at all");
  write_file(path, bytes);
  write_file(path + "-wal", "a log");
  const auto file = open();
  ASSERT_TRUE(file->set_aside());
  EXPECT_EQ(text_of(file->set_aside()->to), bytes);
  EXPECT_EQ(text_of(file->set_aside()->to + "-wal"), "a log");
  EXPECT_TRUE(load(*file).events.empty()) << "nothing of the old log in the new file";
}

TEST_F(JournalFile, SetsAFileAsideWhoseInsideIsDamaged) {
  {
    const auto file = open();
    for (std::uint64_t id = 1; id < 200; ++id)
      ASSERT_EQ(write(*file, {make_events(id, id, std::string(500, 'x'))}), ec::none);
  }
  auto bytes = text_of(path);
  ASSERT_GT(bytes.size(), 60'000u);
  bytes.replace(8192, 40'000, 40'000, '\x5a');
  write_file(path, bytes);
  const auto file = open();
  ASSERT_TRUE(file->set_aside());
  EXPECT_EQ(text_of(file->set_aside()->to), bytes);
  EXPECT_EQ(write(*file, {make_events(1, 1)}), ec::none);
}

TEST_F(JournalFile, NeverOverwritesWhatIsSetAside) {
  for (const auto* text : {"first", "second", "third"}) {
    write_file(path, text + std::string(5000, '!'));
    std::filesystem::remove(path + "-wal");
    ASSERT_TRUE(open()->set_aside());
  }
  std::size_t aside = 0;
  for (const auto& name : files())
    aside += name.find(".damaged-") != std::string::npos ? 1 : 0;
  EXPECT_EQ(aside, 3u);
}

TEST_F(JournalFile, RefusesAFileOfANewerHeraldAndLeavesItAlone) {
  ASSERT_EQ(write(*open(), {make_events(1, 3)}), ec::none);
  tamper("PRAGMA user_version=99");
  const auto bytes = text_of(path);
  EXPECT_NE(refusal().find("newer herald (schema 99"), std::string::npos) << refusal();
  EXPECT_EQ(text_of(path), bytes);
  for (const auto& name : files())
    EXPECT_EQ(name.find("damaged"), std::string::npos);
}

TEST_F(JournalFile, LeavesOutStreamsWhoseRequestIdNoHeraldTakes) {
  ASSERT_EQ(write(*open(), {make_events(1, 3)}), ec::none);
  tamper("INSERT INTO streams(token, request_id, url, connected_at) VALUES"
         "('t1', 'a', '/', 1), ('t2', printf('%.300c', 'x'), '/', 1), ('t3', 'a:b', '/', 1)");
  std::size_t damaged = 0;
  const auto kept = open()->load(damaged);
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->streams.size(), 1u);
  EXPECT_EQ(kept->streams[0].id.str(), "a");
}

TEST_F(JournalFile, RefusesAFileThatOnlyALaterSqliteMayWrite) {
  ASSERT_EQ(write(*open(), {make_events(1, 3)}), ec::none);
  auto bytes = text_of(path);
  constexpr std::size_t write_version = 18;
  ASSERT_EQ(bytes.at(write_version), 2) << "a write-ahead log";
  bytes[write_version] = 3;
  write_file(path, bytes);
  EXPECT_NE(refusal().find("the file is read-only"), std::string::npos) << refusal();
  EXPECT_EQ(text_of(path), bytes);
}

TEST_F(JournalFile, RefusesAFileThatAnotherHeraldHolds) {
  const auto first = open();
  EXPECT_NE(refusal().find("in use by another process"), std::string::npos);
  const auto child = ::fork();
  if (child == 0) {
    const auto second = journal_file::open(path, journal_sync::full);
    ::_exit(second ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(write(*first, {make_events(1, 1)}), ec::none) << "not disturbed by it";
}

TEST_F(JournalFile, RefusesADatabaseThatSomethingElseHasLocked) {
  open();
  sqlite::database other;
  ASSERT_EQ(other.open(path, sqlite::database::mode::existing), SQLITE_OK);
  ASSERT_EQ(other.run("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE"), SQLITE_OK);
  EXPECT_NE(refusal().find("in use by another process"), std::string::npos) << refusal();
}

TEST_F(JournalFile, RefusesADirectoryThatCannotBeWritten) {
  ASSERT_EQ(::chmod(dir.path().c_str(), 0555), 0);
  // root may write anywhere
  const auto other = ::geteuid() == 0 && ::seteuid(65534) == 0;
  const auto why = refusal();
  ASSERT_EQ(other ? ::seteuid(0) : 0, 0);
  ASSERT_EQ(::chmod(dir.path().c_str(), 0755), 0);
  EXPECT_NE(why.find("cannot be written: Permission denied"), std::string::npos) << why;
}

TEST_F(JournalFile, KeepsOthersFromFilesThatTheyCouldReach) {
  auto file = open();
  ASSERT_EQ(write(*file, {make_events(1, 3)}), ec::none);
  for (const mode_t mode : {0666U, 0640U, 0604U}) {
    file.reset();
    write_file(path + "-wal", "");
    for (const auto* part : {"", "-wal", "-lock"})
      ASSERT_EQ(::chmod((path + part).c_str(), mode), 0) << part;
    file = open();
    for (const auto* part : {"", "-wal", "-lock"}) {
      struct stat about {};
      ASSERT_EQ(::stat((path + part).c_str(), &about), 0) << part;
      EXPECT_EQ(about.st_mode & 0777U, 0600U) << part << " was " << mode;
    }
  }
  EXPECT_EQ(ids_of(load(*file)), (id_list{1, 2, 3}));
}

TEST_F(JournalFile, RefusesAFileOfAnotherUser) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root can give files away";
  open();
  write_file(path + "-wal", "");
  for (const auto* part : {"", "-wal", "-lock"}) {
    ASSERT_EQ(::chown((path + part).c_str(), 65534, 65534), 0);
    const auto why = refusal();
    EXPECT_NE(why.find(path + part + " belongs to another user: user 65534"), std::string::npos)
      << why;
    ASSERT_EQ(::chown((path + part).c_str(), 0, 0), 0);
  }
  EXPECT_EQ(refusal(), "");
}

TEST_F(JournalFile, RefusesAPathThatDoesNotExist) {
  const auto opened = journal_file::open((dir / "no/such/dir").string(), journal_sync::full);
  ASSERT_FALSE(opened);
  EXPECT_NE(describe(opened.error()).detail.find("No such file"), std::string::npos);
}

TEST_F(JournalFile, GoesOnFromAWriteAheadLogThatIsCutOffAnywhere) {
  const auto copy = (dir / "copy.db").string();
  const auto file = open();
  for (std::uint64_t id = 1; id <= 12; ++id)
    ASSERT_EQ(write(*file, {make_events(id, id, std::string(700, 'x'))}), ec::none);
  const auto main = text_of(path);
  const auto log = text_of(path + "-wal");
  ASSERT_GT(log.size(), 50'000u);
  std::size_t most = 0;
  for (std::size_t size = 0; size <= log.size(); size += 1 + log.size() / 97) {
    write_file(copy, main);
    write_file(copy + "-wal", log.substr(0, size));
    auto opened = journal_file::open(copy, journal_sync::off);
    ASSERT_TRUE(opened) << size;
    EXPECT_FALSE((*opened)->set_aside()) << size;
    const auto ids = ids_of(load(**opened));
    for (std::size_t i = 0; i < ids.size(); ++i)
      EXPECT_EQ(ids[i], i + 1) << "a beginning of what was written";
    EXPECT_GE(ids.size(), most) << "the more of the log, the more of the events";
    most = std::max(most, ids.size());
  }
  EXPECT_GT(most, 5u);
}

TEST_F(JournalFile, ComesFromEveryFormerSchema) {
  const auto all = journal_migrations();
  for (std::size_t version = 0; version <= all.size(); ++version) {
    const auto old = (dir / ("v" + std::to_string(version))).string();
    sqlite::database db;
    ASSERT_EQ(db.open(old, sqlite::database::mode::create), SQLITE_OK);
    ASSERT_EQ(migrate(db, all.first(version)), SQLITE_OK);
    db.close();
    auto opened = journal_file::open(old, journal_sync::full);
    ASSERT_TRUE(opened) << version;
    EXPECT_FALSE((*opened)->set_aside()) << version;
    EXPECT_EQ(write(**opened, {make_events(1, 1)}), ec::none) << version;
  }
}

TEST_F(JournalFile, TellsEveryoneOfTheTasksOfAFileThatKnewNoAudiences) {
  sqlite::database db;
  ASSERT_EQ(db.open(path, sqlite::database::mode::create), SQLITE_OK);
  ASSERT_EQ(migrate(db, journal_migrations().first(1)), SQLITE_OK);
  ASSERT_EQ(
    db.run(
      "INSERT INTO tasks VALUES(1, 'a', 'external', 'running', 5, NULL, 0.5, 'half', '', '', '')"),
    SQLITE_OK);
  db.close();
  const auto file = open();
  auto tasks = load(*file).tasks;
  ASSERT_EQ(tasks.size(), 1u);
  auto& task = tasks[0].task;
  EXPECT_EQ(task.progress_text, "half");
  EXPECT_EQ(task.to, nullptr);
  EXPECT_TRUE(task.told);
  EXPECT_EQ(task.seq, 0u);
  task.seq = 1;
  ASSERT_EQ(write(*file, {tasks[0]}), ec::none);
  EXPECT_EQ(load(*file).tasks.at(0).task.seq, 1u);
}

TEST_F(JournalFile, TakesTheStepsOfItsSchemaInOrderAndEachWhole) {
  sqlite::database db;
  ASSERT_EQ(db.open(path, sqlite::database::mode::create), SQLITE_OK);
  std::vector<const char*> steps = {
    "CREATE TABLE t(x); INSERT INTO t VALUES(1)", "ALTER TABLE t ADD COLUMN y DEFAULT 7",
    "INSERT INTO t VALUES(2, 2); INSERT INTO no_such_table VALUES(3)"};
  EXPECT_NE(migrate(db, steps), SQLITE_OK);
  std::int64_t number = 0;
  ASSERT_EQ(db.ask("PRAGMA user_version", number), SQLITE_OK);
  EXPECT_EQ(number, 2) << "up to the step that failed";
  ASSERT_EQ(db.ask("SELECT count(*) FROM t", number), SQLITE_OK);
  EXPECT_EQ(number, 1) << "and nothing of that";
  steps[2] = "UPDATE t SET x = x + y";
  ASSERT_EQ(migrate(db, steps), SQLITE_OK);
  ASSERT_EQ(migrate(db, steps), SQLITE_OK) << "no step twice";
  ASSERT_EQ(db.ask("SELECT x FROM t", number), SQLITE_OK);
  EXPECT_EQ(number, 8);
}

TEST_F(JournalFile, SaysThatItIsFullAndTakesMoreOnceThereIsRoom) {
  const auto file = open();
  ASSERT_EQ(write(*file, {make_events(1, 1)}), ec::none);
  file->limit_pages(20);
  const auto big = make_events(2, 3, std::string(400'000, 'x'));
  const auto refused = file->write({&big, 1});
  EXPECT_EQ(refused.code, ec::storage_full);
  EXPECT_FALSE(file->perhaps_written());
  EXPECT_NE(refused.detail.find(path), std::string::npos) << refused.detail;
  EXPECT_EQ(ids_of(load(*file)), (id_list{1})) << "nothing of it";
  file->limit_pages(100'000);
  EXPECT_EQ(file->write({&big, 1}).code, ec::none);
  EXPECT_EQ(ids_of(load(*file)), (id_list{1, 2, 3}));
}

/// Runs `body` in a child; it gives an exit code.
int in_child(const std::function<int()>& body) {
  const auto child = ::fork();
  if (child == 0)
    ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST_F(JournalFile, SurvivesADiskThatIsReallyFull) {
  const auto code = in_child([&] {
    if (
      ::unshare(CLONE_NEWNS) != 0
      || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0
      || ::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=1m") != 0)
      return 77;
    auto opened = journal_file::open(path, journal_sync::full);
    if (!opened)
      return 1;
    auto& file = **opened;
    // Other things take the room.
    const auto hog = (dir / "hog").string();
    std::uint64_t written = 0;
    for (int round = 0; round < 5; ++round) {
      write_file(hog, std::string(2'000'000, 'h'));
      int refused = 0;
      for (int i = 0; i < 20; ++i)
        switch (write(file, {make_events(written + 1, written + 1, std::string(3000, 'x'))})) {
        case ec::none:
          ++written;
          break;
        case ec::storage_full:
          ++refused;
          break;
        default:
          return 2;
        }
      if (refused == 0)
        return 3;
      std::filesystem::remove(hog);
      if (write(file, {make_events(written + 1, written + 1)}) != ec::none)
        return 4;
      ++written;
    }
    opened->reset();
    opened = journal_file::open(path, journal_sync::full);
    if (!opened || (*opened)->set_aside())
      return 5;
    const auto ids = ids_of(load(**opened));
    return ids.size() == written && ids.back() == written ? 0 : 6;
  });
  if (code == 77)
    GTEST_SKIP() << "no right to mount";
  EXPECT_EQ(code, 0);
}

TEST_F(JournalFile, OpensTheFileAnewAfterAFailure) {
  EXPECT_EQ(
    in_child([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      auto opened = journal_file::open(path, journal_sync::full);
      if (!opened || write(**opened, {make_events(1, 1)}) != ec::none)
        return 1;
      // No file may grow any more: EFBIG, which is no want of room.
      rlimit limit{};
      ::getrlimit(RLIMIT_FSIZE, &limit);
      const auto before = limit.rlim_cur;
      limit.rlim_cur = 1000;
      ::setrlimit(RLIMIT_FSIZE, &limit);
      for (int i = 0; i < 3; ++i)
        if (write(**opened, {make_events(2, 2)}) != ec::storage_failed)
          return 2;
      limit.rlim_cur = before;
      ::setrlimit(RLIMIT_FSIZE, &limit);
      if (write(**opened, {make_events(3, 3)}) != ec::none)
        return 3;
      if (ids_of(load(**opened)) != id_list{1, 3})
        return 4;
      // What was in the log when it failed is written once more: the file has it without its log.
      std::filesystem::copy_file(path, path + ".alone");
      const auto alone = journal_file::open(path + ".alone", journal_sync::full);
      return alone && ids_of(load(**alone)) == id_list{1} ? 0 : 5;
    }),
    0);
}

TEST_F(JournalFile, SaysSoWhereItsFileIsTakenAway) {
  const auto file = open();
  ASSERT_EQ(write(*file, {make_events(1, 1)}), ec::none);
  std::filesystem::rename(path, path + ".elsewhere");
  EXPECT_EQ(write(*file, {make_events(2, 2)}), ec::storage_failed) << "nobody would find it";
  write_file(path, "");
  EXPECT_EQ(write(*file, {make_events(2, 2)}), ec::storage_failed) << "nor in another one";
  std::filesystem::rename(path + ".elsewhere", path);
  EXPECT_EQ(write(*file, {make_events(2, 2)}), ec::none);
  EXPECT_EQ(ids_of(load(*file)), (id_list{1, 2}));
}

/// A process that writes is killed at any instant: everything that was acknowledged is there.
class JournalFileKilled : public JournalFile, public ::testing::WithParamInterface<unsigned> {};

TEST_P(JournalFileKilled, KeepsWhatWasAcknowledged) {
  std::mt19937 random{GetParam()};
  const auto sync = static_cast<journal_sync>(GetParam() % 3);
  std::uint64_t acknowledged = 0;
  for (int life = 0; life < 8; ++life) {
    int acks[2] = {-1, -1};
    ASSERT_EQ(::pipe2(acks, O_CLOEXEC), 0);
    const auto child = ::fork();
    if (child == 0) {
      auto opened = journal_file::open(path, sync);
      if (!opened)
        ::_exit(1);
      auto next = load(**opened).ids_upto.value + 1;
      for (;;) {
        const auto last = next + random() % 5;
        if (
          write(**opened, {make_events(next, last, std::string(random() % 3000, 'x'))}) != ec::none)
          ::_exit(2);
        if (::write(acks[1], &last, sizeof last) != sizeof last)
          ::_exit(3);
        next = last + 1;
        (*opened)->tidy();
      }
    }
    ::close(acks[1]);
    // Killed somewhere behind its n-th acknowledgement.
    for (auto n = 1 + random() % 40; n > 0; --n)
      ASSERT_EQ(::read(acks[0], &acknowledged, sizeof acknowledged), ssize_t{sizeof acknowledged});
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    std::uint64_t more = 0;
    while (::read(acks[0], &more, sizeof more) == ssize_t{sizeof more})
      acknowledged = more;
    ::close(acks[0]);
    const auto ids = ids_of(reloaded());
    ASSERT_GE(ids.size(), acknowledged);
    for (std::size_t i = 0; i < ids.size(); ++i)
      ASSERT_EQ(ids[i], i + 1);
    random.discard(7);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, JournalFileKilled, ::testing::Range(0u, 6u));

} // namespace
} // namespace herald
