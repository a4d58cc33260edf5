#include "actors/gateway_body.hpp"

#include <utility>

namespace herald {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_escaped(std::string& out, unsigned char c) {
  switch (c) {
  case '"':
    out += "\\\"";
    return;
  case '\\':
    out += "\\\\";
    return;
  case '\n':
    out += "\\n";
    return;
  case '\r':
    out += "\\r";
    return;
  case '\t':
    out += "\\t";
    return;
  default:
    out += "\\u00";
    out += hex_digits[c >> 4U];
    out += hex_digits[c & 0xfU];
  }
}

bool needs_escape(unsigned char c) {
  return c < 0x20 || c == '"' || c == '\\';
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!needs_escape(static_cast<unsigned char>(text[i])))
      continue;
    out.append(text.substr(start, i - start));
    append_escaped(out, static_cast<unsigned char>(text[i]));
    start = i + 1;
  }
  out.append(text.substr(start));
  out += '"';
}

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
