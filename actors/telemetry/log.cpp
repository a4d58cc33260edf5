#include "actors/telemetry/log.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "messages/json/json_writer.hpp"
#include "messages/text/iso_time.hpp"

namespace herald::log {

namespace {

std::atomic<level> threshold{level::info};
std::atomic<format> line_format{format::text};

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

/// The sink for all lines: one write per line to standard error, whole lines only.
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

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", c);
      out += escape.data();
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
  return false;
}

} // namespace

void configure(const options& opts) {
  threshold = opts.level;
  line_format = opts.format;
  sink();
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
    return line.finish();
  }
  std::string line;
  line.append(timestamp).append(" ").append(name_of(lvl)).append(" ");
  line.append(component).append(" ").append(event);
  for (const auto& f : fields) {
    line.append(" ").append(f.key()).append("=");
    if (!f.bare() && needs_quotes(f.value()))
      append_quoted(line, f.value());
    else
      line += f.value();
  }
  return line;
}

} // namespace herald::log
