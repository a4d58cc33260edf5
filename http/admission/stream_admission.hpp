#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "actors/system/jitter.hpp"
#include "http/admission/client_origin.hpp"
#include "http/admission/stream_access.hpp"
#include "http/admission/stream_limits.hpp"
#include "http/admission/stream_metrics.hpp"
#include "http/admission/stream_options.hpp"
#include "http/admission/stream_request_check.hpp"
#include "http/protocol/api_message.hpp"
#include "http/protocol/request_head.hpp"
#include "messages/errors.hpp"

namespace herald {

/// Decides which clients of a loop may have a stream, says why to those that may not, and counts
/// them. For the loop's thread.
class stream_admission {
public:
  /// How full the loop is.
  struct load {
    /// Streams that are open, or wait for their registration, or are being closed.
    std::size_t streams = 0;
    /// Of `streams`: wait for their registration.
    std::size_t openings = 0;
    /// The loop takes no more.
    bool draining = false;
  };
  /// A client that may have a stream, if the owner of the streams agrees. Its lease is to be given
  /// back to the limits.
  struct admitted {
    stream_limits::lease lease = 0;
    stream_opening opening;
    /// Whom it is counted to; nothing where it is nobody.
    std::optional<client_address> client = std::nullopt;
    /// It may have one if a key that is being fetched says so: `decide_again` is to be asked.
    bool awaits_key = false;
  };

  /// `room` is for how many streams the loop has descriptors. Options, limits and metrics outlive
  /// this.
  stream_admission(
    const stream_options& options, stream_limits& limits, const stream_metrics& numbers,
    std::size_t room, std::uint64_t seed);

  /// The options have changed: origins and hosts are made anew from them.
  void reconfigure();

  /// Decides about a request that comes from `peer`: a stream, or a whole answer. `over` is called
  /// when a key has been fetched that the client waits for.
  [[nodiscard]] std::variant<admitted, api_reply> decide(
    const request_head& request, const ip_address& peer, const load& now,
    token_judge::fetch_over over = {});
  /// Decides about a client that has waited for a key: the answer that it gets, or nothing, and the
  /// opening has its right. `final`: all keys that there are have come.
  [[nodiscard]] std::optional<api_reply>
  decide_again(const request_head& request, stream_opening& wanted, bool final);

  /// Whether the peer is a proxy whose word counts.
  [[nodiscard]] bool trusts(const ip_address& peer) const { return trusted_.contain(peer); }

  /// Counts a client that was refused before its request was read (`request_sink::on_refusal`).
  /// Gives the headers by which pages may read the answer.
  header_list refuse_unread(ec why);

  // Who is refused for now is told a time to come back, another one for each client. One that
  // accepts a stream reads it in a stream that ends at once, others in `Retry-After` of a 503; in
  // stand-in mode all do, as behind the gateway.

  /// The answer for a reason of the loop's own: not now. Counts.
  [[nodiscard]] api_reply busy(stream_metrics::refusal why, bool accepts_stream);

  /// What a client is answered whom the owner of the streams, or its backend with this status, does
  /// not want. One that is kept away gets 204. What is no fault of the client (5xx) is for now.
  /// Counts.
  [[nodiscard]] api_reply
  refused_by_owner(const failure& why, int upstream_status, bool accepts_stream);

private:
  api_reply refused_access(const stream_access::refusal& why, const stream_opening& wanted);
  api_reply not_now(const failure& why);
  [[nodiscard]] std::chrono::milliseconds time_to_come_back();
  void spread(api_reply& reply);

  const stream_options& options_;
  stream_limits& limits_;
  const stream_metrics& metrics_;
  stream_rules rules_;
  const network_list trusted_;
  stream_access access_;
  const std::size_t room_;
  jitter jitter_;
};

} // namespace herald
