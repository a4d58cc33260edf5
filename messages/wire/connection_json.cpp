#include "messages/wire/connection_json.hpp"

#include "messages/json/json_writer.hpp"
#include "messages/text/iso_time.hpp"

namespace herald {

namespace {

std::string connection_json(const connection_view& connection) {
  return object_writer{}
    .text("request_id", connection.id.str())
    .text("token", connection.stream.str())
    .text("url", connection.url)
    .text("transport", to_string(connection.transport))
    .text("connected_at", iso_time(connection.connected_at))
    .finish();
}

} // namespace

std::string to_json(const connection_page& page) {
  return object_writer{}
    .raw("connections", array_json(page.connections, connection_json))
    .number("total", page.total)
    .text_or_null("next", page.next ? std::to_string(*page.next) : std::string{})
    .finish();
}

} // namespace herald
