#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "actors/system/jitter.hpp"
#include "http/admission/client_limits.hpp"
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
  using time_point = std::chrono::steady_clock::time_point;

  /// How full the loop is, and when.
  struct load {
    /// Streams that are open, or wait for their registration, or are being closed.
    std::size_t streams = 0;
    /// Of `streams`: wait for their registration.
    std::size_t openings = 0;
    /// The loop takes no more.
    bool draining = false;
    time_point at{};
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
    /// As which subject it is counted; nothing where it is none.
    std::optional<client_address> subject = std::nullopt;
    /// It may have one if the application says so, which is to be asked with these headers:
    /// `decide_by` takes what it says.
    std::optional<header_list> question = std::nullopt;
  };

  /// `room` is for how many streams the loop has descriptors. Options, limits and metrics outlive
  /// this.
  stream_admission(
    const stream_options& options, stream_limits& limits, client_limits& clients,
    const stream_metrics& numbers, std::size_t room, std::uint64_t seed);

  /// The options have changed: origins and hosts are made anew from them.
  void reconfigure();

  /// Decides about a request that comes from `peer`: a stream, or a whole answer. `over` is called
  /// when a key has been fetched that the client waits for.
  [[nodiscard]] std::variant<admitted, api_reply> decide(
    const request_head& request, const ip_address& peer, const load& now,
    token_judge::fetch_over over = {});
  /// Decides about a client that has waited for a key: the answer that it gets, or nothing, and its
  /// opening has its right. `final`: all keys that there are have come. Its lease stays held.
  [[nodiscard]] std::optional<api_reply>
  decide_again(const request_head& request, admitted& client, bool final, time_point now);

  /// The same for a client about which the application was asked.
  [[nodiscard]] std::optional<api_reply>
  decide_by(const authorize_verdict& said, admitted& client, time_point now);
  /// The answer to a client about which the application cannot be asked now. Counts.
  [[nodiscard]] api_reply no_room_to_ask(bool accepts_stream);

  /// Whether the peer is a proxy whose word counts.
  [[nodiscard]] bool trusts(const ip_address& peer) const { return trusted_.contain(peer); }

  /// Counts a client that was refused before its request was read (`request_sink::on_refusal`).
  /// Gives the headers by which pages may read the answer.
  header_list refuse_unread(ec why);

  // Who is refused for now is told a time to come back, another one for each client. One that
  // accepts a stream reads it in a stream that ends at once, others in `Retry-After` of a 503; in
  // stand-in mode all do, as behind the gateway.

  /// The answer for a reason of the loop's own: not now, and not before `wait` is over. Counts.
  [[nodiscard]] api_reply
  busy(stream_metrics::refusal why, bool accepts_stream, std::chrono::milliseconds wait = {});

  /// What a client is answered whom the owner of the streams, or its backend with this status, does
  /// not want. One that is kept away gets 204. What is no fault of the client (5xx) is for now.
  /// Counts.
  [[nodiscard]] api_reply
  refused_by_owner(const failure& why, int upstream_status, bool accepts_stream);

private:
  /// A client's own limit, which is reached.
  struct over_limit {
    stream_metrics::refusal why;
    std::chrono::milliseconds wait{};
  };

  [[nodiscard]] std::optional<over_limit> over_its_address(
    const request_head& request, const stream_opening& wanted,
    const std::optional<client_address>& client, time_point now);
  [[nodiscard]] std::optional<api_reply> over_its_subject(admitted& client, time_point now);
  [[nodiscard]] std::variant<admitted, api_reply> ask_for_right(
    const request_head& request, const ip_address& peer, admitted client, time_point now,
    token_judge::fetch_over over);
  [[nodiscard]] std::optional<api_reply> asked(
    const request_head& request, const ip_address& peer, admitted& client, time_point now,
    token_judge::fetch_over over);
  api_reply
  refused_access(const stream_access::refusal& why, const admitted& client, time_point now);
  api_reply refused_for_now(const over_limit& why, const stream_opening& wanted);
  api_reply not_now(const failure& why, std::chrono::milliseconds wait = {});
  [[nodiscard]] std::chrono::milliseconds time_to_come_back(std::chrono::milliseconds wait);
  void spread(api_reply& reply, std::chrono::milliseconds wait = {});

  const stream_options& options_;
  stream_limits& limits_;
  client_limits& clients_;
  const stream_metrics& metrics_;
  stream_rules rules_;
  const network_list trusted_;
  stream_access access_;
  const std::size_t room_;
  jitter jitter_;
};

} // namespace herald
