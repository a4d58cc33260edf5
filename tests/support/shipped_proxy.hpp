#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tests/support/child_program.hpp"
#include "tests/support/herald_process.hpp"

namespace herald::testing {

/// A proxy that herald ships a file for, as a process.
struct shipped_proxy {
  std::unique_ptr<child_program> program;
  std::uint16_t port = 0;
};

/// Starts one on a port of 127.0.0.1 that `start` gets, and waits until it listens there. Somebody
/// may take a free port before it does: then another is tried, up to four. A failure of the test,
/// and no program that runs, where none could be had.
[[nodiscard]] shipped_proxy start_proxy(
  const std::string& name,
  const std::function<std::unique_ptr<child_program>(std::uint16_t port)>& start);

/// Each event comes through it as it is published, and so does the end of herald, which is over
/// then.
void expect_events_through(std::uint16_t proxy, herald_process& herald);

/// Where herald is away a page is told to come back, in a way that a browser shows to its
/// EventSource; others get `status`.
void expect_to_be_told_to_come_back(std::uint16_t proxy, int status);

} // namespace herald::testing
