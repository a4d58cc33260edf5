#include "http/config/config.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "http/protocol/http_url.hpp"
#include "messages/tasks.hpp"

namespace herald {

namespace {

/// An event's worst case on the wire: each byte of its data is a line break, and each line gets a
/// "data: " of its own. The log must hold one such event, and then some.
constexpr std::size_t wire_growth = 8;

bool is_wildcard(const std::string& host) {
  return host == "0.0.0.0" || host == "::";
}

/// `--print-config` was fed back without the secrets that it masks.
std::optional<violation> mask_violation(const config& c) {
  const auto masked = [](const std::string& key) {
    return violation{key, key + " is masked (\"***\"); give the value itself"};
  };
  const auto has_masked_query = [](const std::string& url) {
    return url.ends_with(std::string{"?"} + masked_secret);
  };
  if (c.callback.secret == masked_secret)
    return masked("callback.secret");
  if (has_masked_query(c.callback.url))
    return masked("callback.url");
  if (has_masked_query(c.version.url))
    return masked("version.url");
  if (has_masked_query(c.auth.authorize_url))
    return masked("auth.authorize_url");
  if (has_masked_query(c.webhook.url))
    return masked("webhook.url");
  if (c.internal.secret == masked_secret)
    return masked("internal.secret");
  for (const auto& [name, command] : c.tasks.commands)
    for (const auto& [variable, value] : command.env)
      if (value == masked_secret)
        return masked(std::string{"tasks.commands."}.append(name).append(".env.").append(variable));
  return std::nullopt;
}

std::optional<violation> mode_violation(const config& c) {
  if (!c.gateway.url.empty() && !c.callback.url.empty())
    return violation{
      "gateway.url",
      "gateway.url (use an external gateway) and callback.url (be one) exclude each other"};
  if (!c.gateway.url.empty() && c.gateway.one_port)
    return violation{
      "gateway.url",
      "gateway.url (use an external gateway) and gateway.one_port (be one) exclude each other"};
  if (!c.gateway.url.empty() && c.callback.secret.empty() && !is_loopback(c.api.host))
    return violation{
      "callback.secret", "callback.secret must be set where gateway.url is and api.host ("
                           + c.api.host + ") is not a loopback address"};
  return std::nullopt;
}

/// Whether others than this herald decide who has a stream: a backend, behind a gateway or as one.
bool leaves_streams_to_others(const config& c) {
  return !c.gateway.url.empty() || !c.callback.url.empty() || c.gateway.one_port;
}

/// Who may hear is nothing to forget on the way to a network.
std::optional<violation> stream_access_violation(const config& c) {
  const bool others = leaves_streams_to_others(c);
  if (others && c.gateway.url.empty() && c.auth.asks())
    return violation{
      "auth.mode", "auth.mode is for streams that herald lets in itself; with callback.url or "
                   "gateway.one_port a backend does"};
  if (!others && c.auth.mode == auth_mode::by_host && !is_loopback(c.stream.host))
    return violation{
      "auth.mode", "auth.mode must be none, optional or required where stream.host ("
                     + c.stream.host + ") is not a loopback address"};
  return std::nullopt;
}

/// Keys alone say who made a token, not for whom.
std::optional<violation> auth_violation(const config& c) {
  const auto& auth = c.auth;
  const bool has_jwks = !auth.jwks_file.empty() || !auth.jwks_url.empty();
  if (!auth.takes_tokens())
    return std::nullopt;
  if (auth.issuer.empty())
    return violation{
      "auth.issuer", "auth.issuer must be set where keys of tokens are (auth.secret_file, "
                     "auth.jwks_file, auth.jwks_url)"};
  if (auth.audience.empty())
    return violation{
      "auth.audience", "auth.audience must be set where keys of tokens are (auth.secret_file, "
                       "auth.jwks_file, auth.jwks_url)"};
  if (!auth.jwks_file.empty() && !auth.jwks_url.empty())
    return violation{"auth.jwks_file", "auth.jwks_file and auth.jwks_url exclude each other"};
  const auto hmac = std::count(auth.algorithms.begin(), auth.algorithms.end(), "HS256");
  if (!auth.secret_file.empty() && hmac == 0)
    return violation{
      "auth.algorithms", "auth.algorithms must name HS256 where auth.secret_file is set"};
  if (has_jwks && static_cast<std::size_t>(hmac) == auth.algorithms.size())
    return violation{
      "auth.algorithms", "auth.algorithms must name RS256, ES256 or EdDSA where auth.jwks_file or "
                         "auth.jwks_url is set"};
  return std::nullopt;
}

/// A connect that waits has a thread of the API, and others want some.
std::optional<violation> waiting_violation(const config& c) {
  if (
    c.gateway.url.empty() || !c.auth.asks() || c.auth.max_waiting_callbacks < c.api.max_connections)
    return std::nullopt;
  return violation{
    "auth.max_waiting_callbacks",
    "auth.max_waiting_callbacks must be less than api.max_connections where gateway.url is set"};
}

/// A question has all that a page brings: its cookies, its token.
std::optional<violation> authorize_violation(const config& c) {
  const auto url = parse_http_url(c.auth.authorize_url);
  if (!url)
    return std::nullopt;
  if (!c.auth.asks())
    return violation{
      "auth.mode", "auth.mode must be optional or required where auth.authorize_url is set"};
  if (!url->tls && !is_loopback(url->host) && !c.auth.authorize_plain)
    return violation{
      "auth.authorize_url",
      "auth.authorize_url must be https, or auth.authorize_plain=true written "
      "down, where its host ("
        + url->host + ") is not a loopback address"};
  return std::nullopt;
}

/// Who reaches the API may do everything, unless there are keys: that is to be meant.
std::optional<violation> open_violation(const config& c) {
  if (is_loopback(c.api.host) || !c.api.keys.empty() || c.api.open)
    return std::nullopt;
  return violation{
    "api.host", "api.keys must be set, or api.open=true written down, where api.host (" + c.api.host
                  + ") is not a loopback address"};
}

violation too_small(const std::string& key, const std::string& least) {
  return {key, key + " must be at least " + least};
}

std::optional<violation> gateway_violation(const config& c) {
  if (c.gateway.max_stream_bytes < c.api.max_event_bytes)
    return too_small("gateway.max_stream_bytes", "api.max_event_bytes");
  if (c.gateway.max_queue_bytes < c.gateway.max_stream_bytes)
    return too_small("gateway.max_queue_bytes", "gateway.max_stream_bytes");
  return std::nullopt;
}

std::optional<violation> endpoint_violation(const config& c) {
  const bool hosts_meet =
    c.api.host == c.stream.host || is_wildcard(c.api.host) || is_wildcard(c.stream.host);
  if (c.api.port != 0 && c.api.port == c.stream.port && hosts_meet)
    return violation{"stream.port", "stream.port and api.port must differ"};
  if (c.stream.log_bytes < wire_growth * c.api.max_event_bytes)
    return too_small(
      "stream.log_bytes", std::to_string(wire_growth) + " times api.max_event_bytes");
  if (c.stream.proxy_protocol && c.stream.trusted_proxies.empty())
    return violation{
      "stream.proxy_protocol",
      "stream.proxy_protocol needs stream.trusted_proxies: nobody else is believed"};
  if (c.stream.private_queue_bytes < c.api.max_event_bytes)
    return too_small("stream.private_queue_bytes", "api.max_event_bytes");
  if (c.stream.max_private_bytes < c.stream.private_queue_bytes)
    return too_small("stream.max_private_bytes", "stream.private_queue_bytes");
  return std::nullopt;
}

std::optional<violation> webhook_violation(const config& c) {
  if (!c.webhook.url.empty() && c.webhook.keys.empty())
    return violation{"webhook.secret_file", "webhook.secret_file must be set where webhook.url is"};
  if (c.webhook.min_backoff_ms > c.webhook.max_backoff_ms)
    return violation{
      "webhook.min_backoff_ms",
      "webhook.min_backoff_ms must not be more than webhook.max_backoff_ms"};
  return std::nullopt;
}

std::optional<violation> command_violation(const config& c) {
  for (const auto& [name, command] : c.tasks.commands) {
    const auto key = "tasks.commands." + name;
    for (const auto* builtin : builtin_task_types)
      if (name == builtin)
        return violation{key, key + " has the name of a built-in task type"};
  }
  return std::nullopt;
}

std::optional<violation> supervision_violation(const config& c) {
  for (const auto& [name, child] : c.supervision.children) {
    if (child.min_backoff_ms <= child.max_backoff_ms)
      continue;
    const auto path = "supervision.children." + name;
    const auto key = path + ".min_backoff_ms";
    auto text = key;
    text.append(" must not be more than ").append(path).append(".max_backoff_ms");
    return violation{key, std::move(text)};
  }
  return std::nullopt;
}

} // namespace

std::optional<violation> validate(const config& c) {
  if (auto broken = mask_violation(c))
    return broken;
  if (auto broken = mode_violation(c))
    return broken;
  if (auto broken = auth_violation(c))
    return broken;
  if (auto broken = stream_access_violation(c))
    return broken;
  if (auto broken = authorize_violation(c))
    return broken;
  if (auto broken = waiting_violation(c))
    return broken;
  if (auto broken = open_violation(c))
    return broken;
  if (c.api.max_event_bytes > c.api.max_body_bytes)
    return violation{
      "api.max_event_bytes", "api.max_event_bytes must not be more than api.max_body_bytes"};
  // Of the two ways to a stream one is in use; the settings of the other do not matter.
  if (auto broken = c.gateway.url.empty() ? endpoint_violation(c) : gateway_violation(c))
    return broken;
  if (auto broken = webhook_violation(c))
    return broken;
  if (auto broken = supervision_violation(c))
    return broken;
  return command_violation(c);
}

} // namespace herald
