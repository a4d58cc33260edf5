#include "actors/gateway/gateway_body.hpp"

#include "messages/json/json_text.hpp"

namespace herald {

prepared_ptr prepare(const event& what) {
  auto prepared = std::make_shared<prepared_event>();
  prepared->service = what.service;
  auto& json = prepared->json;
  json.reserve(what.data.size() + what.data.size() / 8 + what.name.size() + 32);
  json += R"("event":{)";
  if (!what.name.empty()) {
    json += R"("name":)";
    append_json_string(json, what.name);
    json += ',';
  }
  json += R"("data":)";
  append_json_string(json, what.data);
  json += '}';
  return prepared;
}

void write_send_body(std::string& out, const token& to, const prepared_event* what, bool close) {
  out.clear();
  out += R"({"token":)";
  append_json_string(out, to.str());
  if (what != nullptr)
    out.append(1, ',').append(what->json);
  if (close)
    out += R"(,"close":true)";
  out += '}';
}

} // namespace herald
