#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace herald::testing {

/// What SSE Gateways do, as gateway_facts.json beside this has it: tests of the protocol expect
/// what is there, and the Node gateway (sse_gateway.mjs) does it.
[[nodiscard]] const nlohmann::json& gateway_facts();

/// What a gateway shows a backend of a header that came with these values.
[[nodiscard]] nlohmann::json
shown_header(const std::string& name, const std::vector<std::string>& values);

/// An answer of `/internal/send`, by its name in `send.answers`.
struct send_answer {
  int status = 0;
  nlohmann::json body;

  /// Of an error.
  [[nodiscard]] std::string code() const { return body.at("error").at("code"); }
};
[[nodiscard]] send_answer send_answer_of(std::string_view what);

/// The status where a rule of `send.rules` is broken.
[[nodiscard]] int status_of_broken_order();
/// The code of the error where the rule of a field is broken, e.g. "event.data".
[[nodiscard]] std::string send_code(std::string_view field);

/// An order that breaks a rule of `/internal/send`.
struct broken_order {
  nlohmann::json order;
  /// Of the error.
  std::string code;
  std::string message;
};
/// Orders with `token` that each break one rule, in every way: the field is of each other type, or
/// missing where it is required, or empty where it must not be.
[[nodiscard]] std::vector<broken_order> broken_orders(const std::string& token);

} // namespace herald::testing
