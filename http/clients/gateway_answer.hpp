#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "actors/gateway/gateway_link.hpp"

namespace herald {

/// Reads the answer to one send off the bytes of a connection. Pure.
///
/// What it means: 2xx delivered; 404, and 500 with the code WRITE_FAILED, gone; other 4xx refused;
/// anything else failing. The status counts even where the rest cannot be read; interim answers
/// (1xx) are passed over.
class gateway_answer {
public:
  enum class state : std::uint8_t { more, complete, malformed };

  gateway_answer();
  gateway_answer(gateway_answer&&) noexcept;
  ~gateway_answer();

  /// Makes ready for the next answer.
  void begin();

  /// Takes what has come in, in any pieces. Not to be called once the state is not `more`.
  state feed(std::string_view bytes);
  /// The gateway has hung up.
  state end();

  /// Only in state `complete`.
  [[nodiscard]] send_outcome outcome() const;
  /// Whether the connection may carry another send: it is kept alive, and nothing follows.
  [[nodiscard]] bool reusable() const;

private:
  class reader;
  std::unique_ptr<reader> reader_;
};

} // namespace herald
