#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "actors/gateway/gateway_options.hpp"
#include "actors/history/retention_limits.hpp"
#include "actors/journal/journal_options.hpp"
#include "actors/supervision/supervision_options.hpp"
#include "actors/tasks/task_options.hpp"
#include "actors/telemetry/log.hpp"
#include "actors/versions/version_settings.hpp"
#include "actors/webhooks/webhook_settings.hpp"
#include "http/admission/stream_options.hpp"
#include "http/auth/auth_options.hpp"
#include "http/clients/callback_settings.hpp"
#include "http/keys/access_settings.hpp"
#include "http/server/api_options.hpp"
#include "messages/history.hpp"

namespace herald {

struct shutdown_settings {
  std::chrono::milliseconds grace_s{10'000};
  std::chrono::milliseconds retry_window_ms{10'000};
};

struct testing_settings {
  bool enabled = false;
};

/// Everything that can be set: each section is the struct that the part takes which it sets, and
/// has the defaults. `config.stream.port` is the setting `stream.port`; the table
/// (setting_table.hpp) gives each its rule and its help. A setting is added in its section, and by
/// a row there; flag, variable, `--help` and the documentation follow from the row.
///
/// Times are milliseconds, also those that are given in seconds (`_s`).
struct config {
  api_settings api;
  stream_settings stream;
  auth_options auth;
  gateway_settings gateway;
  callback_settings callback;
  history_limits history;
  retention_limits retain;
  journal_settings journal;
  version_settings version;
  webhook_settings webhook;
  task_settings tasks;
  supervision_options supervision;
  shutdown_settings shutdown;
  herald::log::options log;
  testing_settings testing;
  internal_settings internal;
  limit_settings limits;
};

/// Stands for a secret in what `--print-config` prints; not accepted as one.
inline constexpr const char* masked_secret = "***";

/// A secret, and the setting that names a file which has it. What the file says counts.
struct secret_file {
  std::string_view secret;
  std::string_view file;
};
inline constexpr std::array secret_files = {
  secret_file{"callback.secret", "callback.secret_file"},
  secret_file{"auth.authorize_url", "auth.authorize_url_file"},
  secret_file{"callback.url", "callback.url_file"},
  secret_file{"version.url", "version.url_file"},
  secret_file{"webhook.url", "webhook.url_file"},
  secret_file{"internal.secret", "internal.secret_file"},
};

/// A rule that settings break together.
struct violation {
  /// The setting to change, e.g. "gateway.url".
  std::string key;
  /// The rule in words, naming every setting that it speaks of.
  std::string rule;
};

/// The first rule between settings that is broken, or nothing. Rules of one setting alone are
/// checked where it is read.
[[nodiscard]] std::optional<violation> validate(const config& c);

} // namespace herald
