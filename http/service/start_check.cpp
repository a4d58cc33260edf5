#include "http/service/start_check.hpp"

#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>

#include <unistd.h>

#include "http/sockets/listeners.hpp"
#include "http/tokens/key_source.hpp"
#include "messages/errors.hpp"

namespace herald {

namespace {

std::optional<std::string> obstacle_of_journal(const std::string& path) {
  if (path.empty())
    return std::nullopt;
  const auto folder = std::filesystem::absolute(path).parent_path();
  std::error_code failed;
  if (!std::filesystem::is_directory(folder, failed))
    return "journal.path: there is no folder " + folder.string();
  // SQLite makes further files beside it.
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return "journal.path: " + folder.string() + " cannot be written: " + std::strerror(errno);
  if (std::filesystem::is_directory(path, failed))
    return "journal.path: " + path + " is a folder";
  if (::access(path.c_str(), R_OK | W_OK) != 0 && errno != ENOENT)
    return "journal.path: " + path + " cannot be written: " + std::strerror(errno);
  return std::nullopt;
}

std::optional<std::string> obstacle_of_keys(const auth_options& options) {
  const auto error = key_source::check_files(options);
  if (!error)
    return std::nullopt;
  const auto why = describe(error);
  return why.field + ": " + why.detail;
}

} // namespace

std::optional<std::string> obstacle_to_start(const config& settings) {
  try {
    check_port("api", settings.api.host, settings.api.port);
    // Otherwise the gateway has the streams.
    if (settings.gateway.url.empty())
      check_port("stream", settings.stream.host, settings.stream.port);
  } catch (const std::exception& e) {
    return e.what();
  }
  if (auto obstacle = obstacle_of_keys(settings.auth))
    return obstacle;
  return obstacle_of_journal(settings.journal.path);
}

} // namespace herald
