#include "actors/gateway/gateway_body.hpp"

#include <utility>

#include "messages/json/json_writer.hpp"

namespace herald {

prepared_ptr prepare(const event& what) {
  auto prepared = std::make_shared<prepared_event>();
  prepared->service = what.service;
  std::string buffer;
  buffer.reserve(what.data.size() + what.data.size() / 8 + what.name.size() + 32);
  object_writer json{std::move(buffer)};
  if (!what.name.empty())
    json.text("name", what.name);
  prepared->json = json.text("data", what.data).finish();
  return prepared;
}

void write_send_body(std::string& out, const token& to, const prepared_event* what, bool close) {
  object_writer body{std::move(out)};
  body.text("token", to.str());
  if (what != nullptr)
    body.raw("event", what->json);
  if (close)
    body.boolean("close", true);
  out = body.finish();
}

} // namespace herald
