#include "http/tokens/base64url.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>

#include <cjose/base64.h>

namespace herald {

namespace {

constexpr std::string_view alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct free_memory {
  void operator()(void* memory) const { std::free(memory); }
};

std::string to_base64url(const std::uint8_t* bytes, std::size_t size) {
  char* text = nullptr;
  std::size_t length = 0;
  if (!cjose_base64url_encode(bytes, size, &text, &length, nullptr))
    return {};
  const std::unique_ptr<char, free_memory> owner{text};
  return {text, length};
}

} // namespace

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.empty())
    return std::string{};
  // cjose ends the process where padding stands in the wrong place.
  if (text.find_first_not_of(alphabet) != std::string_view::npos || text.size() % 4 == 1)
    return std::nullopt;
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  if (!cjose_base64url_decode(text.data(), text.size(), &bytes, &size, nullptr))
    return std::nullopt;
  const std::unique_ptr<std::uint8_t, free_memory> owner{bytes};
  // It takes any bits behind the last byte.
  if (to_base64url(bytes, size) != text)
    return std::nullopt;
  return std::string{reinterpret_cast<const char*>(bytes), size};
}

} // namespace herald
