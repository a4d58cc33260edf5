#include "messages/version_json.hpp"

#include <nlohmann/json.hpp>

namespace herald {

namespace {

using json = nlohmann::ordered_json;

std::string dump(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace

std::string version_data(const pending_version& version) {
  json document = {{"version", version.version}};
  if (version.changelog)
    document["changelog"] = *version.changelog;
  return dump(document);
}

std::string unknown_version_data(std::string_view error) {
  return dump({{"version", "unknown"}, {"error", error}});
}

} // namespace herald
