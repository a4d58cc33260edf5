#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <variant>

#include "http/access/token_judge.hpp"
#include "http/tokens/key_source.hpp"
#include "http/tokens/token_checker.hpp"

namespace herald {

/// The judge of a loop where there are keys. Keys and checker are shared by all of them, and
/// outlive them.
class checked_tokens final : public token_judge {
public:
  checked_tokens(key_source& keys, token_checker& checker) : keys_(keys), checker_(checker) {}

  [[nodiscard]] verdict judge(std::string_view token, wall_time now, fetch_over over) override {
    auto found = checker_.check(token, now);
    if (auto* right = std::get_if<access_right>(&found))
      return std::move(*right);
    const auto& why = std::get<token_refusal>(found);
    if (why.what == token_refusal::kind::invalid)
      return refusal::invalid;
    const bool waits = static_cast<bool>(over);
    switch (keys_.miss(why.key_id, std::move(over))) {
    case key_outlook::none:
      return refusal::invalid;
    case key_outlook::soon:
      return waits ? refusal::soon : refusal::later;
    case key_outlook::later:
      break;
    }
    return refusal::later;
  }

private:
  key_source& keys_;
  token_checker& checker_;
};

} // namespace herald
