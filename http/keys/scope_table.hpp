#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "http/keys/scope.hpp"

namespace herald {

/// By what a request may pass.
enum class pass : std::uint8_t {
  open,            ///< nothing: it tells nobody anything
  any_key,         ///< a key, whatever its scopes
  key,             ///< a key with the scope
  task,            ///< a key with the scope, or the token of the task that the path names
  internal_secret, ///< `internal.secret`, or a key with the scope
  callback_secret, ///< `callback.secret`
};

/// What a route asks for.
struct route_scope {
  std::string_view method;
  /// As the router has it.
  std::string_view pattern;
  pass by = pass::key;
  scope needs = scope::admin;
  /// Whether what it does is worth a line of the log each time: it ends or changes what is
  /// another's, or gives rights. Publishing and reporting are counted alone.
  bool audited = false;
};

/// The one table of routes and what they ask for.
[[nodiscard]] std::span<const route_scope> scope_table();

/// The row of a route, by the method and the pattern that the router has. One that is not in the
/// table asks for `admin`, and is audited. A request without a route (an empty pattern) passes by
/// any key: it is told that there is nothing.
[[nodiscard]] route_scope scope_of(std::string_view method, std::string_view pattern);

} // namespace herald
