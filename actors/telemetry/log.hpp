#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace herald::log {

enum class level : std::uint8_t { debug, info, warning, error };
enum class format : std::uint8_t { json, text };

/// What goes where: lines at or above `level`, one each, to standard error (settings `log`).
struct options {
  log::level level = log::level::info;
  log::format format = log::format::text;
  /// Bounds of the lines that wait to be written; see `write_behind`.
  std::size_t max_queue_lines = 4096;
  std::size_t max_queue_bytes = 1'048'576;
};

/// Sets the log up for the process, before the first line; the level at any time.
void configure(const options& opts);

/// From now on lines are written by a thread of their own: no other thread waits for whoever reads
/// standard error. Call it once, while the process has one thread. A process that ends waits for
/// its lines by `drain` and for nothing else: the thread is not joined.
void write_behind(const options& opts);

/// Waits until all lines are written, at most for so long. False if some are not.
bool drain(std::chrono::milliseconds longest);

/// Lines that were lost so far: too many waited, or they could not be written.
[[nodiscard]] std::uint64_t lines_lost() noexcept;

/// A key=value of a log line. Never a payload, never a secret.
class field {
public:
  field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  field(std::string_view key, const char* value) : key_(key), value_(value) {}
  template <class Number, class = std::enable_if_t<std::is_arithmetic_v<Number>>>
  field(std::string_view key, Number value)
    : key_(key),
      value_(std::to_string(value)),
      bare_(true) {}
  field(std::string_view key, bool value)
    : key_(key),
      value_(value ? "true" : "false"),
      bare_(true) {}

  [[nodiscard]] std::string_view key() const noexcept { return key_; }
  [[nodiscard]] const std::string& value() const noexcept { return value_; }
  /// A number or truth value: needs no quotes.
  [[nodiscard]] bool bare() const noexcept { return bare_; }

private:
  std::string_view key_;
  std::string value_;
  bool bare_ = false;
};

[[nodiscard]] bool enabled(level lvl) noexcept;

/// Writes one line: component (`registry`), stable event id (`connection_replaced`), fields. Safe
/// from any thread.
void write(
  level lvl, std::string_view component, std::string_view event,
  std::initializer_list<field> fields);

inline void debug(
  std::string_view component, std::string_view event, std::initializer_list<field> fields = {}) {
  if (enabled(level::debug))
    write(level::debug, component, event, fields);
}

inline void
info(std::string_view component, std::string_view event, std::initializer_list<field> fields = {}) {
  write(level::info, component, event, fields);
}

inline void warning(
  std::string_view component, std::string_view event, std::initializer_list<field> fields = {}) {
  write(level::warning, component, event, fields);
}

inline void error(
  std::string_view component, std::string_view event, std::initializer_list<field> fields = {}) {
  write(level::error, component, event, fields);
}

/// A line as it is written, without its line break; for tests and for `write`.
[[nodiscard]] std::string render(
  format fmt, level lvl, std::string_view timestamp, std::string_view component,
  std::string_view event, std::initializer_list<field> fields);

} // namespace herald::log
