#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

#include "http/protocol/api_message.hpp"
#include "http/server/router.hpp"
#include "messages/errors.hpp"
#include "messages/ids.hpp"

/// Arguments of API requests outside of their bodies. A value that is not allowed is
/// `ec::invalid_field` with the name of the argument.
namespace herald {

/// Entries of a page where the client does not say, and at most.
inline constexpr std::size_t default_page_limit = 100;
inline constexpr std::size_t max_page_limit = 1000;

/// What is wrong with a query for a route that takes this: the first parameter that it does not
/// know, or that comes twice.
[[nodiscard]] std::optional<failure>
query_violation(std::string_view query, const route_input& takes);

/// Which page of a list is asked for.
struct page_request {
  std::uint64_t after = 0;
  std::size_t limit = default_page_limit;
};

/// `?after=`, from the start without it, and `?limit=`, 1 to `max_page_limit`.
[[nodiscard]] caf::expected<page_request> page_arguments(const api_request& request);

/// A whole number in the query, or nothing.
[[nodiscard]] caf::expected<std::optional<std::uint64_t>>
number_argument(const api_request& request, const std::string& name);

/// A whole number from `least` to `most` in the query, or nothing.
[[nodiscard]] caf::expected<std::optional<std::uint64_t>> number_argument(
  const api_request& request, const std::string& name, std::uint64_t least, std::uint64_t most);

/// A switch in the query: "true" or "1", "false" or "0"; off if absent.
[[nodiscard]] caf::expected<bool>
switch_argument(const api_request& request, const std::string& name);

/// The path argument at `index` as a request_id.
[[nodiscard]] caf::expected<request_id>
request_id_argument(const api_request& request, std::size_t index);

} // namespace herald
