#include "messages/wire/callback_json.hpp"

#include <optional>
#include <utility>

#include "messages/errors.hpp"
#include "messages/json/json_objects.hpp"
#include "messages/json/json_text.hpp"

namespace herald {

namespace {

/// The text of `url` in the JSON of `request`; nothing where there is none.
std::optional<std::string> url_of(const std::optional<std::string>& request) {
  auto in = read_object(request.value_or("{}"));
  if (!in)
    return std::nullopt;
  auto url = in->optional_text("url");
  if (in->finish_leniently())
    return std::nullopt;
  return url;
}

end_reason reason_of(const std::optional<std::string>& json) {
  for (const auto known : {end_reason::client_closed, end_reason::server_closed})
    if (json == json_string(to_string(known)))
      return known;
  return end_reason::error;
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

  auto url = url_of(in->optional_json("request"));
  const auto reason = in->optional_json("reason");
  if (auto error = in->finish_leniently())
    return error;
  if (result.action == gateway_callback::kind::disconnect)
    result.reason = reason_of(reason);
  else if (!url)
    return fail(ec::invalid_field, "is required: a string", "request.url");
  if (url)
    result.url = std::move(*url);
  return result;
}

} // namespace herald
