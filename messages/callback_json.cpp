#include "messages/callback_json.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "messages/errors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

namespace {

using json = nlohmann::json;

/// The text of a field, or null if it is missing or no text.
const std::string* text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

/// The text of `request.url`, or null.
const std::string* url_of(const json& body) {
  const auto request = body.find("request");
  if (request == body.end() || !request->is_object())
    return nullptr;
  return text_of(*request, "url");
}

end_reason reason_of(const json& body) {
  const auto* reason = text_of(body, "reason");
  if (reason == nullptr)
    return end_reason::error;
  for (const auto known : {end_reason::client_closed, end_reason::server_closed})
    if (*reason == to_string(known))
      return known;
  return end_reason::error;
}

} // namespace

caf::expected<gateway_callback> parse_callback(std::string_view body) {
  if (body.empty())
    return fail(ec::invalid_json, "the body is empty");
  const auto parsed = json::parse(body, nullptr, false);
  if (parsed.is_discarded())
    return fail(ec::invalid_json, "the body is not JSON");
  if (!parsed.is_object())
    return fail(ec::invalid_json, "the body must be a JSON object");

  gateway_callback result;
  const auto* action = text_of(parsed, "action");
  if (action == nullptr)
    return fail(ec::invalid_field, "must be a text", "action");
  if (*action == "disconnect")
    result.action = gateway_callback::kind::disconnect;
  else if (*action != "connect")
    return fail(ec::invalid_field, "must be connect or disconnect", "action");

  const auto* stream = text_of(parsed, "token");
  if (stream == nullptr || stream->empty())
    return fail(ec::invalid_field, "must be a text that is not empty", "token");
  if (stream->size() > max_token_bytes)
    return fail(ec::invalid_field, "must be at most 256 bytes", "token");
  result.stream = token::from_text(*stream);

  const auto* url = url_of(parsed);
  if (url != nullptr)
    result.url = *url;
  else if (result.action == gateway_callback::kind::connect)
    return fail(ec::invalid_field, "must be a text", "request.url");
  if (result.action == gateway_callback::kind::disconnect)
    result.reason = reason_of(parsed);
  return result;
}

} // namespace herald
