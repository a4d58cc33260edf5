#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/protocol/api_message.hpp"
#include "http/protocol/request_head.hpp"
#include "http/server/api_options.hpp"

namespace herald {

/// Keeps web pages away from the API: whoever reaches its port may use it, and every page that runs
/// on a machine reaches what that machine does. Safe from many threads at once.
class request_guard {
public:
  struct refusal {
    /// The label of the metric.
    const char* reason = "";
    api_reply reply;
  };

  /// `on_loopback`: nobody but this machine reaches the API, so that a page which comes under
  /// another name has had its own name point here (DNS rebinding).
  request_guard(const api_settings& settings, bool on_loopback)
    : request_guard(settings.origins, settings.hosts, "api.hosts", on_loopback) {}
  /// The same where `hosts` are those of another setting, which `hosts_setting` names.
  request_guard(
    const std::vector<std::string>& origins, std::vector<std::string> hosts,
    const char* hosts_setting, bool on_loopback);

  /// Refuses a request of a page whose origin is not listed (403), or for a host that is not the
  /// API's (421).
  [[nodiscard]] std::optional<refusal> check(const request_head& request) const;

private:
  [[nodiscard]] bool comes_from_unlisted_page(const request_head& request) const;
  [[nodiscard]] bool is_for_another_host(const request_head& request) const;

  const std::vector<std::string> origins_;
  const std::vector<std::string> hosts_;
  const char* hosts_setting_;
  const bool checks_hosts_;
};

/// Whether a body of this request may be read: it says that it is JSON or ndjson, or nothing. The
/// type of forms, which `curl -d` sends, counts as nothing unless a browser sends it.
[[nodiscard]] bool says_json(const request_head& request);

} // namespace herald
