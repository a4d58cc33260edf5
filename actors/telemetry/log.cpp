#include "actors/telemetry/log.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>

#include <unistd.h>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "actors/telemetry/line_queue.hpp"
#include "messages/json/json_writer.hpp"
#include "messages/text/iso_time.hpp"
#include "messages/text/utf8.hpp"

namespace herald::log {

namespace {

std::atomic<level> threshold{level::info};
std::atomic<format> line_format{format::text};
/// Null until lines are written behind. Never deleted: its thread may stand still in a write.
std::atomic<line_queue*> behind = nullptr;

std::string_view name_of(level lvl) {
  switch (lvl) {
  case level::debug:
    return "debug";
  case level::info:
    return "info";
  case level::warning:
    return "warning";
  case level::error:
    return "error";
  }
  return "error";
}

/// The sink for lines that are written at once: one write per line to standard error, whole lines
/// only.
spdlog::logger& sink() {
  static const auto logger = [] {
    auto made = spdlog::stderr_logger_mt("herald");
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

/// The character at the start of a text where terminals and viewers obey it instead of showing it:
/// C1 controls, marks of the direction of writing, separators of lines and paragraphs. Otherwise 0.
unsigned obeyed(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  if (byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f)
    return byte(1);
  if (byte(0) == 0xd8 && byte(1) == 0x9c)
    return 0x061c;
  if (byte(0) != 0xe2 || (byte(1) != 0x80 && byte(1) != 0x81))
    return 0;
  const auto code = 0x2000U + (byte(1) & 0x3fU) * 64U + (byte(2) & 0x3fU);
  const bool is_obeyed = code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e)
                         || (code >= 0x2066 && code <= 0x2069);
  return is_obeyed ? code : 0;
}

void append_escape(std::string& out, unsigned code) {
  std::array<char, 8> escape{};
  std::snprintf(escape.data(), escape.size(), "\\u%04x", code & 0xffffU);
  out += escape.data();
}

/// A line with what would be obeyed escaped; in either format that stands in quotes.
std::string shown(std::string_view line) {
  std::string out;
  out.reserve(line.size());
  while (!line.empty()) {
    const auto code = obeyed(line);
    if (code != 0)
      append_escape(out, code);
    else
      out += line.front();
    line.remove_prefix(code == 0 ? 1 : code < 0x800 ? 2 : 3);
  }
  return out;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7f) {
      append_escape(out, c);
    } else {
      out += static_cast<char>(c);
    }
  }
  out += '"';
}

bool needs_quotes(std::string_view text) {
  if (text.empty())
    return true;
  for (const unsigned char c : text)
    if (c <= 0x20 || c == 0x7f || c == '"' || c == '=' || c == '\\')
      return true;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (obeyed(text.substr(i)) != 0)
      return true;
  return false;
}

} // namespace

void configure(const options& opts) {
  threshold = opts.level;
  line_format = opts.format;
  sink();
}

void write_behind(const options& opts) {
  const auto tell_lost = [](std::uint64_t count) {
    const auto now = iso_time(std::chrono::system_clock::now());
    return render(line_format, level::warning, now, "log", "lines_lost", {{"count", count}});
  };
  behind = new line_queue(STDERR_FILENO, {opts.max_queue_lines, opts.max_queue_bytes}, tell_lost);
}

bool drain(std::chrono::milliseconds longest) {
  const auto* queue = behind.load();
  return queue == nullptr || queue->drain(longest);
}

std::uint64_t lines_lost() noexcept {
  const auto* queue = behind.load();
  return queue == nullptr ? 0 : queue->lost();
}

bool enabled(level lvl) noexcept {
  return lvl >= threshold.load(std::memory_order_relaxed);
}

void write(
  level lvl, std::string_view component, std::string_view event,
  std::initializer_list<field> fields) {
  if (!enabled(lvl))
    return;
  const auto line =
    render(line_format, lvl, iso_time(std::chrono::system_clock::now()), component, event, fields);
  if (auto* queue = behind.load(std::memory_order_acquire))
    queue->push(line);
  else
    sink().log(spdlog::level::info, line);
}

std::string render(
  format fmt, level lvl, std::string_view timestamp, std::string_view component,
  std::string_view event, std::initializer_list<field> fields) {
  if (fmt == format::json) {
    object_writer line;
    line.text("time", timestamp).text("level", name_of(lvl));
    line.text("component", component).text("event", event);
    for (const auto& f : fields)
      f.bare() ? line.raw(f.key(), f.value()) : line.text(f.key(), f.value());
    return shown(line.finish());
  }
  std::string line;
  line.append(timestamp).append(" ").append(name_of(lvl)).append(" ");
  line.append(component).append(" ").append(event);
  for (const auto& f : fields) {
    line.append(" ").append(f.key()).append("=");
    if (!f.bare() && needs_quotes(f.value()))
      append_quoted(line, valid_utf8(f.value()));
    else
      line += valid_utf8(f.value());
  }
  return shown(line);
}

} // namespace herald::log
