#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/access/authorize_answer.hpp"
#include "http/access/presented_credential.hpp"
#include "http/access/token_judge.hpp"
#include "http/admission/stream_metrics.hpp"
#include "http/admission/stream_options.hpp"
#include "http/admission/stream_request_check.hpp"
#include "http/auth/access_findings.hpp"
#include "http/protocol/api_message.hpp"
#include "http/protocol/request_head.hpp"
#include "messages/errors.hpp"

namespace herald {

/// Asks the clients of a loop by what right they want a stream, counts what is found, and logs who
/// is refused. For the loop's thread.
///
/// Nothing of a credential comes into an answer, a log line or a label. Clients are told one text
/// for whatever is wrong with a credential (RFC 6750).
class stream_access {
public:
  /// What a client waits for that has no stream yet.
  enum class awaited : std::uint8_t { nothing, key, application };

  /// Why a client has no stream. Without an answer: for now, and it is to come back, or where it
  /// waits for a key, to be asked about again, or for the application, which is to be asked.
  struct refusal {
    stream_metrics::refusal why = stream_metrics::refusal::unauthorized;
    std::optional<api_reply> reply = std::nullopt;
    awaited awaits = awaited::nothing;
    /// It has presented something that is not good.
    bool failed = false;
  };

  /// The options, of which `auth` asks for credentials, and metrics outlive this; `component` is
  /// who logs, and a literal.
  stream_access(
    const stream_options& options, const access_findings& numbers,
    std::string_view component = "stream-endpoint");
  ~stream_access();
  stream_access(const stream_access&) = delete;
  stream_access& operator=(const stream_access&) = delete;

  /// The options have changed.
  void reconfigure();

  /// Gives the opening its right, or says why it has none. Of its URL the path is left: a query may
  /// hold a ticket. A ticket is used, unless the client wants a head alone. `over`, which may be
  /// empty, is for a client that waits for a key.
  [[nodiscard]] std::optional<refusal> ask(
    const request_head& request, stream_opening& opening, wall_time now,
    token_judge::fetch_over over = {});

  /// Whether the client presents anything, good or not.
  [[nodiscard]] bool presents(const request_head& request, const stream_opening& opening) const;
  /// Does not look at what the client presents: too much from there was not good.
  [[nodiscard]] refusal refuse_limited(const stream_opening& opening, wall_time now);
  /// Gives the opening what the application says, or says why it has no right.
  [[nodiscard]] std::optional<refusal>
  take(const authorize_verdict& said, stream_opening& opening, wall_time now);

  /// Counts a client that has a right, and whom the owner of the streams does not want for what
  /// that right says.
  void refused_by_owner(ec why) const;

  /// Says that the client's token is not good: all keys are known, and its own is none of them.
  [[nodiscard]] refusal refuse_token(const stream_opening& opening, wall_time now);

private:
  struct bad {
    access_findings::finding what;
    refusal how;
  };
  using judgement = std::variant<access_right, bad>;

  [[nodiscard]] judgement judge(
    const presented_credential& presented, const request_head& request,
    const stream_opening& opening, wall_time now, token_judge::fetch_over over);
  [[nodiscard]] judgement
  judge_token(std::string_view token, wall_time now, token_judge::fetch_over over);
  [[nodiscard]] judgement
  judge_ticket(std::string_view ticket, const stream_opening& opening, wall_time now) const;
  [[nodiscard]] bool
  asks_application(presented_credential::way how, const stream_opening& opening) const;
  [[nodiscard]] refusal
  wait_for_application(const request_head& request, const stream_opening& opening, wall_time now);
  [[nodiscard]] std::optional<refusal>
  give(access_right right, stream_opening& opening, wall_time now);
  [[nodiscard]] static bad other_site();
  [[nodiscard]] bool is_same_site(const request_head& request) const;
  [[nodiscard]] refusal refuse(const bad& found, const stream_opening& opening, wall_time now);
  void tell(const bad& found, const stream_opening& opening, wall_time now);
  [[nodiscard]] std::optional<std::string>
  topic_not_granted(const stream_opening& opening, const std::vector<std::string>& granted) const;

  const stream_options& options_;
  const access_findings& metrics_;
  const std::string_view component_;
  /// Null where nobody is asked.
  std::unique_ptr<token_judge> judge_;
  /// As browsers write them, without `*`.
  std::vector<std::string> origins_;
  /// Log lines in this second, and refusals without one since the last.
  wall_time second_{};
  std::size_t lines_ = 0;
  std::size_t unlogged_ = 0;
};

} // namespace herald
