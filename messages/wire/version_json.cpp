#include "messages/wire/version_json.hpp"

#include "messages/json/json_objects.hpp"
#include "messages/json/json_writer.hpp"

namespace herald {

caf::expected<queue_version> parse_version(std::string_view body, const event_limits& limits) {
  return parse_object(body, [&](json_reader& in) {
    queue_version order;
    order.id = in.id("request_id");
    order.version = in.text("version");
    order.changelog = in.nullable_text("changelog");
    if (order.version.empty())
      in.blame(ec::invalid_field, "must not be empty", "version");
    const auto bytes = version_data({order.version, order.changelog}).size();
    const bool by_changelog = order.changelog && order.changelog->size() > order.version.size();
    limit_event(in, bytes, limits, by_changelog ? "changelog" : "version");
    return order;
  });
}

std::string version_data(const pending_version& version) {
  object_writer out;
  out.text("version", version.version);
  if (version.changelog)
    out.text("changelog", *version.changelog);
  return out.finish();
}

std::string unknown_version_data(std::string_view error) {
  return object_writer{}.text("version", "unknown").text("error", error).finish();
}

} // namespace herald
