#include "actors/journal/journal_copy.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/sqlite/storage_errors.hpp"
#include "actors/sqlite/stored_time.hpp"
#include "actors/system/owned_fd.hpp"

namespace herald {

namespace {

/// A MiB of a journal that herald has made: what waits to be written waits no longer than that
/// takes.
constexpr int piece_pages = 64;
constexpr std::size_t max_name_bytes = 200;

std::string_view file_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.'
         || c == '_' || c == '-';
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

constexpr failure good() {
  return {ec::none, {}, {}};
}

failure taken(const std::string& name) {
  return {ec::name_taken, "there is a file " + name + " already", "name"};
}

/// The disk has it, whatever happens.
bool sync_path(const std::string& path, int flags) {
  const owned_fd opened{::open(path.c_str(), flags | O_CLOEXEC)};
  return opened.get() >= 0 && ::fsync(opened.get()) == 0;
}

} // namespace

std::string_view copy_name_violation(std::string_view name, std::string_view path) {
  if (name.empty() || name.size() > max_name_bytes)
    return "must have 1 to 200 characters";
  if (
    !std::all_of(name.begin(), name.end(), is_name_character) || name.front() == '.'
    || name.front() == '-')
    return "must be letters, digits, '_', and, but for the first, '.' and '-'";
  const auto own = file_of(path);
  constexpr std::array parts = {"", "-wal", "-shm", "-journal", "-lock", "-copy"};
  if (name.starts_with(own) && std::count(parts.begin(), parts.end(), name.substr(own.size())) != 0)
    return "is a name of the journal itself";
  return {};
}

journal_copy::journal_copy(std::string path, std::string name)
  : path_(std::move(path)),
    folder_(path_.substr(0, path_.rfind('/') + 1)),
    draft_(path_ + "-copy"),
    name_(std::move(name)) {
  if (!name_.empty())
    return;
  const auto made = std::string{file_of(path_)}.append(".backup-").append(file_timestamp());
  name_ = made;
  for (int n = 2; exists(folder_ + name_); ++n)
    name_ = made + "-" + std::to_string(n);
}

journal_copy::~journal_copy() {
  if (has_draft_)
    ::unlink(draft_.c_str());
}

failure journal_copy::begin(sqlite::database& from) {
  if (const auto broken = copy_name_violation(name_, path_); !broken.empty())
    return {ec::invalid_field, std::string{broken}, "name"};
  if (exists(folder_ + name_))
    return taken(name_);
  if (auto why = make_draft(); why.code != ec::none)
    return why;
  // What is half done is of no use, and the file is written to the disk as a whole, in the end.
  for (const auto* how : {"PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF"})
    if (const auto code = to_.run(how); code != SQLITE_OK)
      return failed(code);
  const auto code = copying_.begin(from, to_);
  return code == SQLITE_OK ? good() : failed(code);
}

/// One that is there was left by a crash: nobody else has the journal.
failure journal_copy::make_draft() {
  if (::unlink(draft_.c_str()) != 0 && errno != ENOENT)
    return cannot("cannot be copied", errno);
  const owned_fd made{::open(draft_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (made.get() < 0)
    return cannot("cannot be copied", errno);
  has_draft_ = true;
  const auto code = to_.open(draft_, sqlite::database::mode::existing);
  return code == SQLITE_OK ? good() : failed(code);
}

failure journal_copy::copy_piece(bool& done) {
  auto code = copying_.step(piece_pages);
  if (code == SQLITE_OK)
    return good();
  if (code != SQLITE_DONE)
    return failed(code);
  code = copying_.finish();
  if (code != SQLITE_OK)
    return failed(code);
  done = true;
  return keep();
}

failure journal_copy::keep() {
  to_.close();
  struct stat found {};
  if (!sync_path(draft_, O_RDONLY) || ::stat(draft_.c_str(), &found) != 0)
    return cannot("cannot be copied", errno);
  bytes_ = static_cast<std::uint64_t>(found.st_size);
  const auto to = folder_ + name_;
  if (::renameat2(AT_FDCWD, draft_.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0)
    return errno == EEXIST ? taken(name_) : cannot("cannot be copied", errno);
  has_draft_ = false;
  if (!sync_path(folder_.empty() ? "." : folder_, O_RDONLY | O_DIRECTORY))
    return cannot("is copied, but perhaps not on the disk", errno);
  return good();
}

failure journal_copy::cannot(std::string_view what, int system_error) const {
  const bool full = sqlite::is_out_of_room(system_error);
  std::string words = "journal ";
  words.append(path_).append(" ").append(what).append(": ").append(std::strerror(system_error));
  return {full ? ec::storage_full : ec::storage_failed, std::move(words), {}};
}

failure journal_copy::failed(int code) const {
  const auto number = to_.system_error();
  if (number != 0)
    return cannot("cannot be copied", number);
  const bool full = (code & 0xff) == SQLITE_FULL;
  return {
    full ? ec::storage_full : ec::storage_failed,
    "journal " + path_ + " cannot be copied: " + to_.what(),
    {}};
}

} // namespace herald
