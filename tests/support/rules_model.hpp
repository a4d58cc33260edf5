#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/connections.hpp"
#include "messages/events.hpp"
#include "messages/versions.hpp"

namespace herald::testing {

/// What a browser reads off its stream.
struct wire_event {
  std::uint64_t id = 0; ///< 0: without one
  std::string text;     ///< name=data

  friend bool operator==(const wire_event&, const wire_event&) = default;
};

std::ostream& operator<<(std::ostream& out, const wire_event& e);

/// The text of the block that gives a stream its cursor, and is no event.
inline constexpr const char* opening_block = "live from here";

/// The promises about streams and observers as a sequential program that keeps everything: told
/// what the connection registry is told, in the order of its mailbox, it knows what everyone gets.
class stream_rules {
public:
  /// `first` is the id of the first event that will be published.
  stream_rules(std::uint64_t first, std::size_t history)
    : last_id_(first - 1),
      before_first_(first - 1),
      history_(history) {}

  struct stream {
    std::string id;
    bool open = true;
    /// The last event that was published before it opened.
    std::uint64_t opened_after = 0;
    std::vector<wire_event> due;
  };

  struct published {
    std::uint64_t id = 0;
    audience_ptr to;
    wire_event event;
    bool kept = true;
    service_type service = service_type::event;
  };

  struct outcome {
    bool refused = false;
    std::vector<std::uint64_t> ids;
    std::size_t recipients = 0;
  };

  void open(const open_connection& command);
  void closed(const token& stream, end_reason reason);
  /// False if the stream is not known.
  bool close(const request_id& id);
  bool send(const send_to_stream& command);
  outcome publish(const herald::publish& command);
  void observe(const std::string& observer);
  void shut_down() { shutting_down_ = true; }

  [[nodiscard]] const std::map<std::string, stream>& streams() const { return streams_; }
  [[nodiscard]] const std::vector<published>& everything() const { return everything_; }
  /// What the observer is told, from when it joined.
  [[nodiscard]] std::vector<std::string> facts(const std::string& observer) const;
  /// "request_id token" of all open streams, in the order of opening.
  [[nodiscard]] std::vector<std::string> connections() const { return order_; }
  [[nodiscard]] const std::string* holder(const std::string& id) const;

private:
  void forget(const std::string& stream);
  std::vector<std::string> replay(const open_connection& command, stream& to);

  std::map<std::string, std::string> held_; // request_id -> token
  std::map<std::string, stream> streams_;   // by token, ended ones too
  std::vector<std::string> order_;
  std::vector<published> everything_;
  std::vector<std::string> facts_;
  std::map<std::string, std::size_t> joined_;
  std::uint64_t last_id_;
  std::uint64_t before_first_;
  std::size_t history_;
  bool shutting_down_ = false;
};

/// How a fact is noted, here and by observers.
std::string describe_fact(const connection_opened& fact);
std::vector<std::string> describe_facts(const connections_opened& facts);
std::string describe_fact(const connection_closed& fact);

/// The promises about versions: told what the version store is told, it knows what is published.
class version_rules {
public:
  explicit version_rules(bool has_source) : has_source_(has_source) {}

  void opened(const connection_opened& fact);
  void fetched(const std::string& data);
  /// False if it is refused.
  bool queue(const queue_version& command);
  void shut_down() { shutting_down_ = true; }

  /// "audience data" of the next draft that is due, and takes it off; nothing if none is.
  std::optional<std::string> next_draft();
  [[nodiscard]] const std::map<std::string, pending_version>& pending() const { return pending_; }

private:
  std::map<std::string, pending_version> pending_;
  std::vector<std::string> waiting_;
  std::vector<std::string> due_;
  std::size_t taken_ = 0;
  bool has_source_;
  bool shutting_down_ = false;
};

} // namespace herald::testing
