#include "tests/support/metrics_page.hpp"

#include <cstdlib>
#include <limits>
#include <string>

namespace herald::testing {

double metric(http_client& api, std::string_view series) {
  const auto page = "\n" + api.get("/metrics").body;
  const auto line = "\n" + std::string{series} + " ";
  const auto at = page.find(line);
  if (at == std::string::npos)
    return std::numeric_limits<double>::quiet_NaN();
  return std::strtod(page.c_str() + at + line.size(), nullptr);
}

} // namespace herald::testing
