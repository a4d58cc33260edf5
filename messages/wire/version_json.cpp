#include "messages/wire/version_json.hpp"

#include "messages/json/json_writer.hpp"

namespace herald {

std::string version_data(const pending_version& version) {
  object_writer out;
  out.text("version", version.version);
  if (version.changelog)
    out.text("changelog", *version.changelog);
  return out.finish();
}

std::string unknown_version_data(std::string_view error) {
  return object_writer{}.text("version", "unknown").text("error", error).finish();
}

} // namespace herald
