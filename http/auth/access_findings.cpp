#include "http/auth/access_findings.hpp"

#include "http/auth/auth_metrics.hpp"

namespace herald {

access_findings::access_findings(metrics& numbers, std::string_view port) {
  constexpr std::array names = {
    "ok",     "anonymous", "missing", "invalid", "insufficient_scope", "other_subject", "two_ways",
    "origin", "later",     "limited", "refused",
  };
  static_assert(names.size() == findings);
  for (std::size_t i = 0; i < findings; ++i)
    found_.at(i) = &auth_counter(numbers, names.at(i), port);
}

} // namespace herald
