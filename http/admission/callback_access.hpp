#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "actors/telemetry/metrics.hpp"
#include "http/admission/stream_access.hpp"
#include "http/admission/stream_options.hpp"
#include "http/admission/stream_request_check.hpp"
#include "http/auth/access_findings.hpp"
#include "http/protocol/api_message.hpp"
#include "http/protocol/request_head.hpp"
#include "messages/errors.hpp"

namespace herald {

/// Asks the pages of an external gateway by what right they want a stream, as `stream_access` does
/// for pages of the stream port: by the request that the gateway's callback tells of. Where a key
/// has to be fetched, or the application to be asked, it waits.
///
/// What is limited by address is not limited here: it is the gateway that knows those. Safe from
/// any thread.
class callback_access {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Why a page has no stream. Without an answer: for now, and it is to come back.
  struct refusal {
    std::optional<api_reply> reply;
  };

  /// `auth` of the options asks for credentials; what they use outlives this.
  callback_access(stream_options options, metrics& numbers);

  /// Other origins whose pages' cookies count (`stream.cors_origins`), from now on.
  void change_origins(std::vector<std::string> origins);

  /// Gives the opening its right, or says why it has none. Waits until then, at most.
  [[nodiscard]] std::optional<refusal>
  ask(const request_head& page, stream_opening& opening, time_point until);
  /// The owner of the streams does not want one whose page has a right. Counts.
  void refused_by_owner(ec why) const;
  /// The stream of a page with this ticket did not open, by no fault of the page.
  void give_back(std::string_view ticket);

private:
  [[nodiscard]] std::optional<stream_access::refusal>
  wait_for_key(const request_head& page, stream_opening& opening, time_point until);
  [[nodiscard]] std::optional<stream_access::refusal>
  wait_for_application(const request_head& page, stream_opening& opening, time_point until);

  /// Held while a credential is looked at, never while something is waited for.
  std::mutex mutex_;
  stream_options options_;
  const access_findings findings_;
  stream_access access_;
};

} // namespace herald
