#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/telemetry/metrics.hpp"
#include "http/admission/stream_access.hpp"
#include "http/admission/stream_options.hpp"
#include "http/admission/stream_request_check.hpp"
#include "http/auth/access_findings.hpp"
#include "http/protocol/api_message.hpp"
#include "http/protocol/request_head.hpp"
#include "messages/errors.hpp"
#include "messages/ids.hpp"

namespace herald {

/// Asks the pages of an external gateway by what right they want a stream, as `stream_access` does
/// for pages of the stream port: by the request that the gateway's callback tells of. Where a key
/// has to be fetched, or the application to be asked, it waits.
///
/// So many wait at once (`auth.max_waiting_callbacks`); a page beyond is to come back. What is
/// limited by address is not limited here: it is the gateway that knows those. Safe from any
/// thread.
class callback_access {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Why a page has no stream. Without an answer: for now, and it is to come back.
  struct refusal {
    std::optional<api_reply> reply;
    /// It has left while it was waited for.
    bool has_left = false;
  };

  /// `auth` of the options asks for credentials; what they use outlives this.
  callback_access(stream_options options, metrics& numbers);

  /// Other origins whose pages' cookies count (`stream.cors_origins`), from now on.
  void change_origins(std::vector<std::string> origins);

  /// Gives the opening its right, or says why it has none. Waits until then, at most, and no longer
  /// than the page does, which has this stream.
  [[nodiscard]] std::optional<refusal>
  ask(const request_head& page, stream_opening& opening, const token& stream, time_point until);
  /// The page of this stream has left.
  void left(const token& stream);
  /// The owner of the streams does not want one whose page has a right. Counts.
  void refused_by_owner(ec why) const;
  /// The stream of a page with this ticket did not open, by no fault of the page.
  void give_back(std::string_view ticket);

private:
  class place;

  [[nodiscard]] static std::optional<refusal>
  for_page(std::optional<stream_access::refusal> refused);
  [[nodiscard]] std::optional<refusal> wait_for_application(
    const request_head& page, stream_opening& opening, const token& stream, time_point until);

  /// Held while a credential is looked at, never while something is waited for.
  std::mutex mutex_;
  stream_options options_;
  const access_findings findings_;
  stream_access access_;
  prometheus::Gauge& shown_;
  prometheus::Counter& refused_;
  /// Those that wait, by their streams: a connect may come again meanwhile.
  std::unordered_multimap<token, const place*> waiting_;
};

} // namespace herald
