#include "messages/wire/callback_json.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <boost/algorithm/hex.hpp>

#include "messages/errors.hpp"
#include "messages/json/json_objects.hpp"
#include "messages/json/json_writer.hpp"
#include "messages/text/ascii.hpp"
#include "messages/text/utf8.hpp"

namespace herald {

namespace {

/// Of the JSON of `request`; nothing if there is none.
std::optional<std::string> url_of(std::string_view request) {
  auto in = read_object_leniently(request, {"url"});
  return in ? in->optional_text("url") : std::nullopt;
}

/// Whether a header may stand in a request: another reader must not see two in it.
bool is_header(const std::string& name, const std::string& value) {
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
  };
  const auto is_no_name = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == ':' || c == '\x7f';
  };
  return !name.empty() && std::none_of(name.begin(), name.end(), is_no_name)
         && std::none_of(value.begin(), value.end(), is_control);
}

end_reason reason_of(const std::optional<std::string>& json) {
  for (const auto known : {end_reason::client_closed, end_reason::server_closed})
    if (json == json_string(to_string(known)))
      return known;
  return end_reason::error;
}

struct header_values {
  std::string name;
  std::vector<std::string_view> values;
};

std::vector<header_values> grouped(const header_list& headers) {
  std::vector<header_values> groups;
  for (const auto& [name, value] : headers) {
    auto key = ascii_lower(name);
    auto place = std::find_if(
      groups.begin(), groups.end(), [&](const header_values& g) { return g.name == key; });
    if (place == groups.end())
      place = groups.insert(place, header_values{std::move(key), {}});
    place->values.push_back(value);
  }
  return groups;
}

/// The headers of which Node's HTTP server drops all but the first.
constexpr std::array<std::string_view, 18> first_counts = {
  "age",           "authorization", "content-length", "content-type",        "etag",
  "expires",       "from",          "host",           "if-modified-since",   "if-unmodified-since",
  "last-modified", "location",      "max-forwards",   "proxy-authorization", "referer",
  "retry-after",   "server",        "user-agent",
};

std::string joined(const std::vector<std::string_view>& values, std::string_view separator) {
  std::string all{values.front()};
  for (auto next = values.begin() + 1; next != values.end(); ++next)
    all.append(separator).append(*next);
  return all;
}

/// A header as Node's HTTP server shows it to a gateway: backends know no other form.
std::string header_json(const header_values& header) {
  const auto& [name, values] = header;
  if (name == "set-cookie")
    return array_json(values, json_string);
  if (std::find(first_counts.begin(), first_counts.end(), name) != first_counts.end())
    return json_string(values.front());
  return json_string(joined(values, name == "cookie" ? "; " : ", "));
}

} // namespace

caf::expected<gateway_callback> parse_callback(std::string_view body) {
  if (body.empty())
    return fail(ec::invalid_json, "the body is empty");
  auto in = read_object(body);
  if (!in)
    return in.error();
  gateway_callback result;
  const auto action = in->text("action");
  if (action == "disconnect")
    result.action = gateway_callback::kind::disconnect;
  else if (action != "connect")
    in->blame(ec::invalid_field, "must be connect or disconnect", "action");

  const auto stream = in->text("token");
  if (stream.empty())
    in->blame(ec::invalid_field, "must not be empty", "token");
  else if (stream.size() > max_token_bytes)
    in->blame(ec::invalid_field, "must be at most 256 bytes", "token");
  result.stream = token::from_text(stream);

  auto request = in->optional_json("request");
  const auto reason = in->optional_json("reason");
  if (auto error = in->finish_leniently())
    return error;
  if (result.action == gateway_callback::kind::disconnect) {
    result.reason = reason_of(reason);
    return result;
  }
  auto url = url_of(request.value_or("{}"));
  if (!url)
    return fail(ec::invalid_field, "is required: a string", "request.url");
  result.url = std::move(*url);
  result.request = std::move(*request);
  return result;
}

caf::expected<header_list> page_headers(std::string_view request) {
  auto page = read_object_leniently(request, {"headers"});
  const auto json = page ? page->optional_json("headers") : std::nullopt;
  if (!json || *json == "null")
    return header_list{};
  auto in = read_object(*json, max_page_headers);
  if (!in)
    return fail(
      ec::invalid_field,
      "must be an object of no more than " + std::to_string(max_page_headers) + " texts",
      "request.headers");
  header_list headers;
  for (auto& [name, value] : in->all_texts()) {
    if (!is_header(name, value))
      return fail(
        ec::invalid_field, "must have names and texts without control characters",
        "request.headers");
    headers.emplace_back(std::move(name), std::move(value));
  }
  return headers;
}

std::string connect_answer_json(const open_connection& taken) {
  const auto hex = [](const std::string& text) {
    return boost::algorithm::hex_lower(text);
  };
  const auto hears = taken.asks ? *taken.asks : reach{};
  std::vector<std::string> bindings;
  if (hears.broadcast)
    bindings.emplace_back("broadcast");
  bindings.push_back("connection." + hex(taken.id.str()));
  object_writer out;
  out.text("request_id", hex(taken.id.str()) + '~' + taken.stream.str());
  if (!hears.subject.empty()) {
    out.text("subject", hears.subject);
    bindings.push_back("subject." + hex(hears.subject));
  }
  if (!hears.roles.empty())
    out.text("role", hears.roles.front());
  for (const auto& role : hears.roles)
    bindings.push_back("role." + hex(role));
  out.raw(
    "bindings", array_json(bindings, [](const std::string& key) { return json_string(key); }));
  return out.finish();
}

caf::expected<identity_ptr> parse_connect_answer(std::string_view body) {
  const auto begin = std::min(body.find_first_not_of(" \t\r\n"), body.size());
  if (!body.substr(begin).starts_with('{'))
    return identity_ptr{};
  auto in = read_object_leniently(body, {"subject", "role", "roles", "bindings"});
  if (!in)
    return in.error();
  const auto check = [&in](const std::string& text, std::string_view name) {
    if (const auto broken = principal_violation(text))
      in->blame(ec::invalid_field, std::string{*broken}, name);
  };
  stream_identity who;
  auto subject = in->nullable_text("subject");
  auto role = in->nullable_text("role");
  auto roles = in->optional_texts("roles", max_answer_roles, true);
  who.bindings = in->optional_texts("bindings", max_answer_bindings, true);
  if (!subject && !role && !roles && !who.bindings && !in->finish_leniently())
    return identity_ptr{};
  who.subject = std::move(subject).value_or("");
  if (!who.subject.empty())
    check(who.subject, "subject");
  who.roles = std::move(roles).value_or(std::vector<std::string>{});
  for (const auto& one : who.roles)
    check(one, "roles");
  if (role) {
    check(*role, "role");
    who.roles.push_back(std::move(*role));
  }
  if (auto error = in->finish_leniently())
    return error;
  std::sort(who.roles.begin(), who.roles.end());
  who.roles.erase(std::unique(who.roles.begin(), who.roles.end()), who.roles.end());
  return std::make_shared<const stream_identity>(std::move(who));
}

callback_client client_of_callback(std::string_view request) {
  callback_client client;
  auto in = read_object_leniently(request, {"url", "headers"});
  if (!in)
    return client;
  const auto url = in->optional_text("url").value_or("");
  client.path = shown_path(url);
  auto headers =
    read_object_leniently(in->optional_object("headers").value_or("{}"), {"user-agent"});
  if (headers)
    client.agent = utf8_front(headers->optional_text("user-agent").value_or(""), max_agent_bytes);
  return client;
}

std::string render_callback(const call_backend& call) {
  object_writer out;
  out.text("action", to_string(call.action));
  if (call.action == callback_action::disconnect)
    out.text("reason", to_string(call.reason));
  return out.text("token", call.stream.str())
    .raw("request", call.request ? *call.request : "{}")
    .finish();
}

std::string render_callback_request(std::string_view url, const header_list& headers) {
  object_writer shown;
  for (const auto& header : grouped(headers))
    shown.raw(header.name, header_json(header));
  return object_writer{}.text("url", url).raw("headers", shown.finish()).finish();
}

} // namespace herald
