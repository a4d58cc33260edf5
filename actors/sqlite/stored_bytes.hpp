#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace herald {

/// Appends a number as the journal stores it: unsigned, little-endian.
template <class Number>
void append_number(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xffU);
}

/// Takes what it reads off the front of a text; once something is missing, all is.
class byte_reader {
public:
  explicit byte_reader(std::string_view from) : rest_(from) {}

  template <class Number>
  Number number() {
    std::uint64_t value = 0;
    const auto bytes = text(sizeof(Number));
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return static_cast<Number>(value);
  }

  std::string_view text(std::size_t size) {
    good_ = good_ && size <= rest_.size();
    if (!good_)
      return {};
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

private:
  std::string_view rest_;
  bool good_ = true;
};

} // namespace herald
