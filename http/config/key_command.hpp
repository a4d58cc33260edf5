#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace herald {

/// `herald key NAME --scope SCOPE..`, by the arguments after `key`: makes a key and gives what is
/// printed, the key in one line and what `api.keys` has to say of it in the next. The key is known
/// to nobody else afterwards.
///
/// Flags take lists with commas, and may come again: `--scope`, `--topic`, `--subject`, `--role`,
/// `--request-id`, `--task`; `--publishes-per-s` and `--publish-bytes-per-s` take a number.
struct made_key {
  std::string text;
};
/// What is wrong with the arguments, in one line.
struct key_refusal {
  std::string why;
};

[[nodiscard]] std::variant<made_key, key_refusal>
make_key(std::span<const std::string_view> arguments);

} // namespace herald
