#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tests/support/raw_client.hpp"

namespace herald::testing {

/// A client of the API on 127.0.0.1 that keeps its connection, and makes another one when the
/// server has closed it. Answers have status 0 where none came.
class http_client {
public:
  using reply = raw_client::reply;

  explicit http_client(std::uint16_t port) : port_(port) {}

  reply get(std::string_view target) { return send("GET", target); }
  reply del(std::string_view target) { return send("DELETE", target); }
  /// `headers` are whole lines.
  reply post(std::string_view target, std::string_view body, std::string_view headers = {}) {
    return send("POST", target, body, headers);
  }
  reply send(
    std::string_view method, std::string_view target, std::string_view body = {},
    std::string_view headers = {});

  /// The two halves of `send`, for clients that have other things to do in between. One request at
  /// a time. False if it cannot be sent.
  bool ask(
    std::string_view method, std::string_view target, std::string_view body = {},
    std::string_view headers = {});
  reply answer();

  /// How many connections it has made.
  [[nodiscard]] std::size_t connections() const noexcept { return connections_; }

private:
  std::uint16_t port_;
  std::optional<raw_client> connection_;
  std::size_t connections_ = 0;
  bool head_only_ = false;
};

/// The body of an answer as JSON; a discarded value, which equals nothing, if it is none.
[[nodiscard]] nlohmann::json json_of(const http_client::reply& reply);

} // namespace herald::testing
