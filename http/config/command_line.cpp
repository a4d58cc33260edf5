#include "http/config/command_line.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "http/clients/webhook_signature.hpp"
#include "http/config/config_file.hpp"
#include "http/config/key_command.hpp"
#include "http/config/settings.hpp"
#include "http/config/usage.hpp"
#include "messages/text/spelling.hpp"

namespace herald {

namespace {

using complaint = std::optional<std::string>;

constexpr std::size_t longest_file = std::size_t{4} << 20U;

/// Ends the run with one line, whatever the user's text holds.
early_exit bad_config(const std::string& what) {
  std::string line = "herald: ";
  for (const unsigned char c : what)
    line += c < 0x20 || c == 0x7f ? '?' : static_cast<char>(c);
  return {exit_bad_config, line + "\n", true};
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 60;
  const bool cut = text.size() > longest;
  return "\"" + std::string{text.substr(0, longest)} + (cut ? "...\"" : "\"");
}

std::string not_this(const setting& s, std::string_view text) {
  if (s.file_only() || s.hide != secrecy::open)
    return {};
  return ", not " + excerpt(text);
}

/// A request: all that the arguments ask for.
struct request {
  enum class action { run, help, version, check, print };

  action what = action::run;
  std::vector<std::string> config_files;
  std::string print_ports_file;
  /// `herald gateway`: be an SSE Gateway, told so as the gateway is.
  bool as_gateway = false;
  struct assignment {
    const setting* target;
    std::string_view text;
  };
  std::vector<assignment> assignments;
};

const setting* find_flag(std::string_view flag) {
  for (const auto& s : settings())
    if (s.flag() == flag)
      return &s;
  return nullptr;
}

std::string nearest_flag(std::string_view flag) {
  std::vector<std::string> flags;
  for (const auto& s : settings())
    if (!s.file_only())
      flags.push_back(s.flag());
  for (const auto* other :
       {"--config", "--print-ports", "--check-config", "--print-config", "--version", "--help"})
    flags.emplace_back(other);
  return closest_spelling(flag, flags);
}

/// Takes the arguments one after the other.
class argument_reader {
public:
  explicit argument_reader(std::span<const std::string_view> arguments) : left_(arguments) {}

  /// Reads all; says what is wrong with the first that is not good.
  complaint read_into(request& r) {
    if (!left_.empty() && left_.front() == "gateway") {
      r.as_gateway = true;
      left_ = left_.subspan(1);
    }
    while (!left_.empty()) {
      const auto argument = left_.front();
      left_ = left_.subspan(1);
      if (argument == "--help" || argument == "-h") {
        r.what = request::action::help;
        return std::nullopt;
      }
      if (auto wrong = read_one(r, argument))
        return wrong;
    }
    return std::nullopt;
  }

private:
  complaint read_one(request& r, std::string_view argument) {
    const auto equals = std::min(argument.find('='), argument.size());
    flag_ = argument.substr(0, equals);
    given_ = equals < argument.size() ? std::optional{argument.substr(equals + 1)} : std::nullopt;
    if (!flag_.starts_with("--"))
      return excerpt(argument) + ": not a flag; flags are --SECTION-NAME VALUE, see --help";
    if (flag_ == "--help") // with a value; without one it has been taken already
      return std::string{flag_} + ": takes no value";
    if (flag_ == "--version")
      return choose(r, request::action::version);
    if (flag_ == "--check-config")
      return choose(r, request::action::check);
    if (flag_ == "--print-config")
      return choose(r, request::action::print);
    if (flag_ == "--config")
      return take_file(r.config_files.emplace_back());
    if (flag_ == "--print-ports")
      return take_file(r.print_ports_file);
    if (const auto* s = find_flag(r.as_gateway && flag_ == "--port" ? "--stream-port" : flag_))
      return take_setting(r, *s);
    return std::string{flag_} + ": no such flag; the nearest is " + nearest_flag(flag_);
  }

  complaint choose(request& r, request::action what) {
    if (given_)
      return std::string{flag_} + ": takes no value";
    r.what = what;
    return std::nullopt;
  }

  complaint take_file(std::string& into) {
    if (auto wrong = need_value("a file"))
      return wrong;
    if (given_->empty())
      return std::string{flag_} + ": must be a file, not \"\"";
    into = *given_;
    return std::nullopt;
  }

  complaint take_setting(request& r, const setting& s) {
    if (s.file_only())
      return std::string{flag_} + ": " + std::string{s.key} + " can be set in the config file only";
    if (s.is_bool() && !given_) {
      const bool follows = !left_.empty() && (left_.front() == "true" || left_.front() == "false");
      if (!follows)
        given_ = "true";
    }
    if (auto wrong = need_value(s.requirement()))
      return wrong;
    r.assignments.push_back({&s, *given_});
    return std::nullopt;
  }

  /// Takes the next argument as the value, unless it came with the flag.
  complaint need_value(const std::string& requirement) {
    if (given_)
      return std::nullopt;
    if (left_.empty())
      return std::string{flag_} + ": needs a value: " + requirement;
    if (left_.front().starts_with("--"))
      return std::string{flag_} + ": needs a value: " + requirement + "; one that starts with --"
             + " is written " + std::string{flag_} + "=VALUE";
    given_ = left_.front();
    left_ = left_.subspan(1);
    return std::nullopt;
  }

  std::span<const std::string_view> left_;
  std::string_view flag_;
  std::optional<std::string_view> given_;
};

/// Builds the settings from their sources, the weakest first.
class config_builder {
public:
  complaint add_file(const std::string& name) {
    errno = 0;
    std::ifstream file{name, std::ios::binary};
    std::string text(longest_file + 1, '\0');
    if (file)
      file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.eof() && (file.bad() || file.gcount() == 0))
      return "--config: " + name + " cannot be read: " + std::strerror(errno);
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > longest_file)
      return "--config: " + name + " must not be longer than 4 MiB";
    if (auto wrong = apply_config_file(options.settings, text))
      return name + ": " + *wrong;
    return std::nullopt;
  }

  /// What a gateway is where nobody says otherwise.
  void be_gateway() {
    auto& c = options.settings;
    c.gateway.one_port = true;
    // What the lock files of front ends have.
    c.gateway.format = gateway_format::mid;
    // Both families, unless the kernel has the older one alone.
    const bool has_ipv6 = std::ifstream{"/proc/net/if_inet6"}.is_open();
    c.stream.host = has_ipv6 ? "::" : "0.0.0.0";
    c.stream.port = 3000;
    c.api.port = 0;
  }

  /// Takes a variable that the gateway has; an empty one says nothing.
  complaint add_gateway_variable(std::string_view variable) {
    static constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"PORT", "stream.port"},
      {"CALLBACK_URL", "callback.url"},
      {"HEARTBEAT_INTERVAL_SECONDS", "stream.heartbeat_s"}};
    const auto equals = std::min(variable.find('='), variable.size());
    const auto text = variable.substr(std::min(equals + 1, variable.size()));
    for (const auto& [name, key] : known)
      if (name == variable.substr(0, equals) && !text.empty())
        return set(std::string{name}, *find_setting(key), text);
    return std::nullopt;
  }

  complaint add_variable(std::string_view variable) {
    const auto equals = std::min(variable.find('='), variable.size());
    const std::string name{variable.substr(0, equals)};
    if (!name.starts_with("HERALD_"))
      return std::nullopt;
    const auto text = variable.substr(std::min(equals + 1, variable.size()));
    for (const auto& s : settings())
      if (s.variable() == name) {
        // Kubernetes and Docker links: a service "herald-stream" injects exactly this.
        if (name.ends_with("_PORT") && text.starts_with("tcp://")) {
          options.warnings.push_back(name + " is a service link of the orchestrator; ignored");
          return std::nullopt;
        }
        return set(name, s, text);
      }
    std::vector<std::string> known;
    for (const auto& s : settings())
      known.push_back(s.variable());
    options.warnings.push_back(
      name + " is not a setting; ignored; the nearest is " + closest_spelling(name, known));
    return std::nullopt;
  }

  complaint add_flag(const request::assignment& a) {
    return set(a.target->flag(), *a.target, a.text);
  }

  /// Reads the secrets that are in files of their own.
  complaint read_secrets() {
    for (const auto& [secret, file] : secret_files) {
      const auto name = std::get<std::string>(value_of(options.settings, *find_setting(file)));
      if (name.empty())
        continue;
      errno = 0;
      std::ifstream in{name, std::ios::binary};
      std::string line;
      if (!std::getline(in, line) || line.empty())
        return std::string{file} + ": " + name
               + " cannot be read: " + (errno != 0 ? std::strerror(errno) : "it is empty");
      if (line.ends_with('\r'))
        line.pop_back();
      const auto& target = *find_setting(secret);
      if (const auto wrong = assign_text(options.settings, target, line))
        return std::string{file} + ": " + std::string{secret} + " " + *wrong;
    }
    return read_webhook_keys(options.settings.webhook);
  }

  complaint check() const {
    const auto broken = validate(options.settings);
    if (!broken)
      return std::nullopt;
    const auto written = written_as_.find(broken->key);
    return (written == written_as_.end() ? "" : written->second + ": ") + broken->rule;
  }

  run_options options;

private:
  static complaint read_webhook_keys(webhook_settings& webhook) {
    const auto& name = webhook.secret_file;
    if (name.empty())
      return std::nullopt;
    const auto wrong = [&name](const std::string& what) {
      return "webhook.secret_file: " + name + ' ' + what;
    };
    errno = 0;
    std::ifstream in{name, std::ios::binary};
    if (!in)
      return wrong(std::string{"cannot be read: "} + std::strerror(errno));
    constexpr std::size_t most_keys = 2;
    for (std::string line; std::getline(in, line);) {
      if (line.ends_with('\r'))
        line.pop_back();
      if (line.empty())
        continue;
      auto key = webhook_key(line);
      if (!key || webhook.keys.size() == most_keys)
        return wrong(std::string{"must have one or two lines, each "} + webhook_secret_rule);
      webhook.keys.push_back(std::move(*key));
    }
    if (webhook.keys.empty())
      return wrong("is empty");
    return std::nullopt;
  }

  complaint set(const std::string& written_as, const setting& s, std::string_view text) {
    if (const auto wrong = assign_text(options.settings, s, text))
      return written_as + ": " + std::string{s.key} + " " + *wrong + not_this(s, text);
    written_as_[std::string{s.key}] = written_as;
    return std::nullopt;
  }

  /// Settings that a flag or a variable has set, and which.
  std::map<std::string, std::string> written_as_;
};

complaint
build(config_builder& builder, const request& r, std::span<const std::string_view> environment) {
  if (r.as_gateway)
    builder.be_gateway();
  for (const auto& file : r.config_files)
    if (auto wrong = builder.add_file(file))
      return wrong;
  for (const auto variable : environment)
    if (auto wrong = builder.add_variable(variable))
      return wrong;
  if (r.as_gateway)
    for (const auto variable : environment)
      if (auto wrong = builder.add_gateway_variable(variable))
        return wrong;
  for (const auto& assignment : r.assignments)
    if (auto wrong = builder.add_flag(assignment))
      return wrong;
  if (auto wrong = builder.read_secrets())
    return wrong;
  return builder.check();
}

} // namespace

parse_result load_config(
  std::span<const std::string_view> arguments, std::span<const std::string_view> environment) {
  if (!arguments.empty() && arguments.front() == "key") {
    const auto made = make_key(arguments.subspan(1));
    if (const auto* refused = std::get_if<key_refusal>(&made))
      return bad_config(refused->why);
    return early_exit{0, std::get<made_key>(made).text};
  }
  request r;
  if (const auto wrong = argument_reader{arguments}.read_into(r))
    return bad_config(*wrong);
  if (r.what == request::action::help)
    return early_exit{0, usage()};
  if (r.what == request::action::version)
    return early_exit{0, "herald " HERALD_VERSION "\n"};
  config_builder builder;
  if (const auto wrong = build(builder, r, environment))
    return bad_config(*wrong);
  if (r.what == request::action::print)
    return early_exit{0, print_config(builder.options.settings)};
  builder.options.only_check = r.what == request::action::check;
  builder.options.print_ports_file = std::move(r.print_ports_file);
  return std::move(builder.options);
}

parse_result load_config(int argc, const char* const* argv, const char* const* environment) {
  const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  std::vector<std::string_view> variables;
  for (; environment != nullptr && *environment != nullptr; ++environment)
    variables.emplace_back(*environment);
  return load_config(arguments, variables);
}

} // namespace herald
