#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "messages/json/json_text.hpp"

namespace herald {

/// Writes one JSON object, field by field.
class object_writer {
public:
  object_writer& raw(std::string_view name, std::string_view json) {
    out_ += out_.size() == 1 ? "\"" : ",\"";
    out_.append(name).append("\":").append(json);
    return *this;
  }
  object_writer& text(std::string_view name, std::string_view value) {
    raw(name, {});
    append_json_string(out_, value);
    return *this;
  }
  object_writer& text_or_null(std::string_view name, std::string_view value) {
    return value.empty() ? raw(name, "null") : text(name, value);
  }
  object_writer& number(std::string_view name, std::size_t value) {
    return raw(name, std::to_string(value));
  }

  [[nodiscard]] std::string finish() {
    out_ += '}';
    return std::move(out_);
  }

private:
  std::string out_ = "{";
};

/// An array of what `render` makes of each item.
template <class Items, class Render>
std::string array_json(const Items& items, Render render) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1)
      out += ',';
    out += render(item);
  }
  out += ']';
  return out;
}

} // namespace herald
