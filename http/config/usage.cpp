#include "http/config/usage.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "http/config/settings.hpp"

namespace herald {

namespace {

constexpr std::size_t page_width = 100;
constexpr std::size_t help_column = 38;

constexpr std::pair<std::string_view, std::string_view> sections[] = {
  {"api", "The internal API"},
  {"stream", "The streams"},
  {"auth", "Who streams are for: tokens, and the keys that they are checked with"},
  {"gateway", "An external SSE Gateway instead of herald's own streams"},
  {"callback", "Callbacks of a gateway"},
  {"history", "The history, for streams that come back"},
  {"retain", "Last values of topics, for streams that begin"},
  {"journal", "The journal, which outlives a restart"},
  {"version", "The current version"},
  {"webhook", "Webhooks: a backend is told of streams, topics and tasks"},
  {"tasks", "Tasks"},
  {"supervision", "Supervision of the actors"},
  {"shutdown", "Shutdown"},
  {"log", "The log, on standard error"},
  {"testing", "Tests"},
  {"internal", "The SSE Gateway's protocol, /internal/send"},
  {"limits", "Limits of those who ask"}};

constexpr std::pair<std::string_view, std::string_view> other_flags[] = {
  {"--config FILE", "Reads settings from a JSON file; comments are allowed. Of several the later "
                    "beats the earlier."},
  {"--print-ports FILE", "Writes the open ports as JSON once they are open."},
  {"--check-config", "Tells whether herald would start now, and exits."},
  {"--print-config", "Prints all settings as a config file, secrets masked, and exits."},
  {"--version", "Prints the version and exits."},
  {"--help, -h", "Prints this and exits."}};

std::string default_text(const setting& s) {
  const auto value = value_of(config{}, s);
  if (const auto* truth = std::get_if<bool>(&value))
    return *truth ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value))
    return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value))
    return *text;
  std::string joined;
  for (const auto& item : std::get<std::vector<std::string>>(value))
    joined.append(joined.empty() ? "" : ",").append(item);
  return joined;
}

/// Stands for the value of a flag.
std::string placeholder(const setting& s) {
  if (s.is_bool())
    return " [BOOL]";
  if (!s.unit().empty())
    return s.unit() == "bytes" ? " BYTES" : s.unit() == "ms" ? " MILLISECONDS" : " SECONDS";
  if (std::holds_alternative<number_range>(s.rule))
    return " N";
  if (std::holds_alternative<text_rule>(s.rule))
    return s.key.ends_with("url") ? " URL" : s.key.ends_with("host") ? " HOST" : " TEXT";
  return " NAME";
}

/// Appends a flag and its help, the latter in lines of its own column.
void append_entry(std::string& page, std::string_view flag, std::string_view help) {
  std::string line = "  " + std::string{flag};
  if (line.size() >= help_column) {
    page.append(line).append("\n");
    line.clear();
  }
  line.resize(help_column, ' ');
  while (!help.empty()) {
    const auto word = help.substr(0, help.find(' '));
    if (line.size() > help_column && line.size() + 1 + word.size() > page_width) {
      page.append(line).append("\n");
      line.assign(help_column, ' ');
    }
    line.append(line.size() > help_column ? " " : "").append(word);
    help.remove_prefix(std::min(word.size() + 1, help.size()));
  }
  page.append(line).append("\n");
}

std::string_view title_of(std::string_view section) {
  for (const auto& [name, title] : sections)
    if (name == section)
      return title;
  return section;
}

} // namespace

std::string usage() {
  std::string page =
    "Usage: herald [--config FILE]... [--SETTING VALUE]...\n"
    "       herald gateway [--port N] [--callback-url URL] [--SETTING VALUE]...\n"
    "       herald key NAME --scope SCOPE... [--topic PATTERN]... prints a key for api.keys\n\n"
    "Broadcasts events to browsers over server-sent events (SSE).\n\n";
  for (const auto& [flag, help] : other_flags)
    append_entry(page, flag, help);
  page += "\nEach setting below is a flag (--stream-port 80, --stream-port=80), a variable\n"
          "(HERALD_STREAM_PORT=80) and a key of the config file ({\"stream\": {\"port\": 80}}).\n"
          "A flag beats a variable, a variable beats the file. Lists are comma-separated.\n";
  std::string_view section;
  for (const auto& s : settings()) {
    if (s.section() != section) {
      section = s.section();
      page.append("\n").append(title_of(section)).append("\n");
    }
    auto help = std::string{s.help};
    if (s.file_only()) {
      append_entry(page, s.key, help + " In the config file only.");
      continue;
    }
    if (const auto text = default_text(s); !text.empty())
      help.append(" [").append(text).append("]");
    if (!s.is_bool() && placeholder(s) == " NAME")
      help.append(" (").append(s.requirement()).append(")");
    append_entry(page, s.flag() + placeholder(s), help);
  }
  return page;
}

std::string settings_markdown() {
  std::string table = "| setting | default | unit | meaning |\n|---|---|---|---|\n";
  for (const auto& s : settings()) {
    const auto text = default_text(s);
    table.append("| `").append(s.key).append("` | ");
    table.append(text.empty() ? "" : "`" + text + "`").append(" | ");
    table.append(s.unit()).append(" | ").append(s.help);
    table.append(s.when == applies::live ? " *Live.* |\n" : " |\n");
  }
  return table;
}

} // namespace herald
