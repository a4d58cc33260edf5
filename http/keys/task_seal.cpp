#include "http/keys/task_seal.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/system/owned_fd.hpp"

namespace herald {

namespace {

/// Places of the digits in an id without its dashes: chance, version, chance, variant, sign.
constexpr std::size_t version_at = 12;
constexpr std::size_t variant_at = 16;
constexpr std::size_t digits = 32;

std::string with_dashes(std::string_view id) {
  std::string text;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20)
      text += '-';
    text += id[i];
  }
  return text;
}

[[noreturn]] void cannot(const std::string& file, const char* what) {
  throw std::runtime_error(file + " " + what + ": " + std::strerror(errno));
}

/// False where it is not there.
bool read_secret(const std::string& file, bits256& into) {
  const owned_fd in{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (in.get() < 0) {
    if (errno == ENOENT)
      return false;
    cannot(file, "cannot be read");
  }
  struct stat status {};
  if (::fstat(in.get(), &status) != 0)
    cannot(file, "cannot be read");
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid())
    throw std::runtime_error(file + " must be a file of the user that herald runs as");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0 && ::fchmod(in.get(), S_IRUSR | S_IWUSR) != 0)
    cannot(file, "lets others read it");
  const auto size = static_cast<ssize_t>(into.size());
  if (status.st_size != size || ::read(in.get(), into.data(), into.size()) != size)
    throw std::runtime_error(file + " must have 32 bytes; without it a new one is made");
  return true;
}

/// Whole or not at all, and never in place of one that is there.
void write_secret(const std::string& file, const bits256& secret) {
  const auto draft = file + ".new";
  ::unlink(draft.c_str());
  constexpr auto anew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const owned_fd out{::open(draft.c_str(), anew, S_IRUSR | S_IWUSR)};
  const auto size = static_cast<ssize_t>(secret.size());
  if (
    out.get() < 0 || ::write(out.get(), secret.data(), secret.size()) != size
    || ::fsync(out.get()) != 0 || ::link(draft.c_str(), file.c_str()) != 0)
    cannot(file, "cannot be written");
  ::unlink(draft.c_str());
}

} // namespace

std::string task_seal::token_of(const task_id& id) const {
  return std::string{task_token_prefix}
         + base64url(hmac_of(bytes_of(secret_), "report\n" + id.str()));
}

bool task_seal::is_token_of(std::string_view token, const task_id& id) const {
  return same_secret(token_of(id), token);
}

task_id task_seal::id_for(std::string_view key_name, const std::optional<std::string>& seed) const {
  const auto chance = seed ? hmac_of(bytes_of(secret_), "seed\n" + *seed) : random_secret();
  return task_id{signed_id(hex_of(chance), key_name)};
}

bool task_seal::is_of(const task_id& id, std::string_view key_name) const {
  std::string plain;
  for (const char c : id.str())
    if (c != '-')
      plain += c;
  return plain.size() == digits && same_secret(signed_id(plain, key_name), id.str());
}

/// Of `chance` count its first digits, apart from that of the version.
std::string task_seal::signed_id(std::string_view chance, std::string_view key_name) const {
  std::string id{chance.substr(0, variant_at)};
  id[version_at] = '8';
  const auto sign =
    hex_of(hmac_of(bytes_of(secret_), "task of\n" + std::string{key_name} + "\n" + id));
  id += '8';
  return with_dashes(id.append(sign, 0, digits - id.size()));
}

bits256 secret_in(const std::string& file) {
  bits256 secret{};
  if (read_secret(file, secret))
    return secret;
  secret = random_secret();
  write_secret(file, secret);
  return secret;
}

} // namespace herald
