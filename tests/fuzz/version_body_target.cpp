// Bodies of `POST /api/versions`, and the event that comes of one.

#include <string>

#include <nlohmann/json.hpp>

#include "messages/wire/version_json.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

HERALD_FUZZ_TARGET(version_body, input) {
  const auto order = parse_version(input, {});
  if (!order)
    return;
  require(!order->version.empty(), "a version is empty");
  require(!request_id_violation(order->id.str()), "a request_id breaks its rule");
  const auto data = version_data({order->version, order->changelog});
  require(data.find_first_of("\r\n") == std::string::npos, "the event has a line break");
  const auto event = nlohmann::json::parse(data);
  require(event.at("version") == order->version, "the version changes on the way");
  require(event.contains("changelog") == order->changelog.has_value(), "a changelog comes or goes");
  if (order->changelog)
    require(event.at("changelog") == *order->changelog, "the changelog changes on the way");
}

} // namespace herald::fuzz
