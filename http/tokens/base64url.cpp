#include "http/tokens/base64url.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include <cjose/base64.h>

#include "http/auth/digests.hpp"

namespace herald {

namespace {

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
  if (text.size() % 4 == 1 || !std::all_of(text.begin(), text.end(), is_base64url))
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
