#include "tests/support/log_capture.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "actors/telemetry/log.hpp"

namespace herald::testing {

log_capture::log_capture()
  : file_(::memfd_create("log", MFD_CLOEXEC)),
    saved_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) {
  log::configure({});
  std::fflush(stderr);
  if (::dup2(file_.get(), STDERR_FILENO) < 0)
    throw std::runtime_error{"standard error cannot be caught"};
}

log_capture::~log_capture() {
  std::fflush(stderr);
  ::dup2(saved_.get(), STDERR_FILENO);
}

std::vector<std::string> log_capture::lines(std::string_view event) const {
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t got = 1; got > 0; text.append(part.data(), static_cast<std::size_t>(got)))
    got = std::max<ssize_t>(
      ::pread(file_.get(), part.data(), part.size(), static_cast<off_t>(text.size())), 0);
  std::istringstream all{text};
  std::vector<std::string> found;
  for (std::string line; std::getline(all, line);)
    if ((line + ' ').find(' ' + std::string{event} + ' ') != std::string::npos)
      found.push_back(line.substr(line.find(' ') + 1));
  return found;
}

} // namespace herald::testing
