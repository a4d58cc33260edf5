#include "messages/text/characters.hpp"

#include <utf8proc.h>

namespace herald {

bool has_hidden_character(std::string_view text) {
  while (!text.empty()) {
    utf8proc_int32_t code = 0;
    const auto bytes = utf8proc_iterate(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()), // NOLINT: of another signedness
      static_cast<utf8proc_ssize_t>(text.size()), &code);
    if (bytes <= 0)
      return true;
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return true;
    default:
      text.remove_prefix(static_cast<std::size_t>(bytes));
    }
  }
  return false;
}

} // namespace herald
