#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "http/protocol/request_parser.hpp"
#include "http/server/api_options.hpp"
#include "http/server/api_socket.hpp"
#include "messages/errors.hpp"

namespace herald {

/// Reads one API request off a connection, head and body, and never more than it may have: what is
/// too large is refused before it is kept. Unless a request is complete the connection cannot go
/// on.
class request_reader {
public:
  enum class outcome : std::uint8_t {
    complete, ///< head and body are there
    refused,  ///< is to be answered with `refusal`
    gone,     ///< the client is, or has sent nothing
  };

  request_reader(api_socket& socket, const api_options& options)
    : socket_(socket),
      options_(options) {}

  /// Call it once, when the first byte is there.
  outcome read();

  /// As far as it was read.
  [[nodiscard]] const request_head& head() const noexcept { return parser_.head(); }
  [[nodiscard]] std::string& body() noexcept { return parser_.body(); }
  [[nodiscard]] const failure& refusal() const noexcept { return refusal_; }

private:
  outcome read_while(request_parser::state wanted, std::chrono::milliseconds time);
  outcome refuse(failure why);
  outcome refuse_late(request_parser::state wanted);

  api_socket& socket_;
  const api_options& options_;
  request_parser parser_{request_limits{}};
  failure refusal_;
};

} // namespace herald
