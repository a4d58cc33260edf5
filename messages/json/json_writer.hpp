#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "messages/json/json_text.hpp"

namespace herald {

/// Writes one JSON object, field by field. Names and texts may hold any bytes, as in
/// `append_json_string`; `raw` wants a value that is JSON.
class object_writer {
public:
  object_writer() = default;
  /// Writes into the memory of `buffer`.
  explicit object_writer(std::string buffer) : out_(std::move(buffer)) { out_ = "{"; }

  object_writer& raw(std::string_view name, std::string_view json) {
    if (out_.size() > 1)
      out_ += ',';
    append_json_string(out_, name);
    out_.append(1, ':').append(json);
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
  object_writer& boolean(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
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
