#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <variant>

#include "http/auth/access_right.hpp"

namespace herald {

/// Says what tokens are good for, to one thread: each loop of the stream port has one of its own,
/// and asks it for each client with a token. Never waits.
class token_judge {
public:
  enum class refusal : std::uint8_t {
    /// It is not good, now or ever.
    invalid,
    /// It may be: its key is not known, and cannot be had now. The client is to come back.
    later,
    /// It may be: its key is not known, and is being fetched.
    soon,
  };
  using verdict = std::variant<access_right, refusal>;

  /// A fetch is over: a token that was `soon` is to be judged again. Where that is `final`, the
  /// fetch has brought all keys that there are.
  using fetch_over = std::function<void(bool final)>;

  token_judge() = default;
  token_judge(const token_judge&) = delete;
  token_judge& operator=(const token_judge&) = delete;
  virtual ~token_judge() = default;

  /// With `refusal::soon`, and no other, `over` is called, once, from another thread; if it is
  /// empty nothing is `soon`.
  [[nodiscard]] virtual verdict judge(std::string_view token, wall_time now, fetch_over over) = 0;
};

/// Where there are no keys no token is good.
class no_tokens final : public token_judge {
public:
  [[nodiscard]] verdict judge(std::string_view, wall_time, fetch_over) override {
    return refusal::invalid;
  }
};

} // namespace herald
