#include "tests/support/metrics_page.hpp"

#include <cstdlib>
#include <limits>
#include <string>

namespace herald::testing {

namespace {

double value_in(const std::string& page, std::string_view series) {
  const auto line = "\n" + std::string{series} + " ";
  const auto at = ("\n" + page).find(line);
  if (at == std::string::npos)
    return std::numeric_limits<double>::quiet_NaN();
  return std::strtod(page.c_str() + at + line.size() - 1, nullptr);
}

} // namespace

double metric(http_client& api, std::string_view series) {
  return value_in(api.get("/metrics").body, series);
}

double metric(const metrics& numbers, std::string_view series) {
  return value_in(numbers.render(), series);
}

} // namespace herald::testing
