#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "messages/connections.hpp"
#include "messages/errors.hpp"
#include "messages/events.hpp"
#include "messages/history.hpp"
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

/// What the registry of a world keeps, small enough to run out of it.
struct rules_limits {
  std::size_t history = 6;
  std::chrono::milliseconds max_age{std::chrono::hours{1}};
  std::size_t values = 4;
  std::size_t values_replayed = 2;
  std::size_t topics = 5;
};

/// The promises about streams and observers as a sequential program that keeps everything: told
/// what the connection registry is told, in the order of its mailbox, it knows what everyone gets.
class stream_rules {
public:
  /// `first` is the id of the first event that will be published.
  stream_rules(std::uint64_t first, const rules_limits& limits)
    : last_id_(first - 1),
      before_first_(first - 1),
      limits_(limits) {}

  using duration = std::chrono::milliseconds;

  struct stream {
    std::string id;
    bool open = true;
    /// The last event that was published before it opened.
    std::uint64_t opened_after = 0;
    reach hears;
    std::vector<wire_event> due;
  };

  struct published {
    std::uint64_t id = 0;
    audience_ptr to;
    wire_event event;
    bool kept = true;
    service_type service = service_type::event;
    duration ttl{0};
    duration at{0};
  };

  struct outcome {
    /// `none` where it is not refused.
    ec refused = ec::none;
    std::vector<std::uint64_t> ids;
    std::size_t recipients = 0;
  };

  struct topics_outcome {
    ec refused = ec::none;
    std::vector<std::string> patterns;
    std::uint64_t place = 0;
  };

  struct past {
    std::vector<wire_event> events;
    std::uint64_t last = 0;
    bool gap = false;
  };

  void open(const open_connection& command);
  void closed(const token& stream, end_reason reason);
  /// False if the stream is not known.
  bool close(const request_id& id);
  /// How many there were.
  std::size_t close_all(const std::string& subject);
  bool send(const send_to_stream& command);
  outcome publish(const herald::publish& command);
  topics_outcome change(const change_topics& command);
  void observe(const std::string& observer);
  void shut_down() { shutting_down_ = true; }
  /// Time passes, more than messages take.
  void pass(duration time) { now_ += time; }

  [[nodiscard]] past look_back(const list_events& query) const;
  [[nodiscard]] const std::map<std::string, stream>& streams() const { return streams_; }
  [[nodiscard]] const std::vector<published>& everything() const { return everything_; }
  /// What the observer is told, from when it joined.
  [[nodiscard]] std::vector<std::string> facts(const std::string& observer) const;
  /// "request_id token" of the open streams that fit, in the order of opening.
  [[nodiscard]] std::vector<std::string> connections(const connection_filter& which = {}) const;
  [[nodiscard]] const std::string* holder(const std::string& id) const;

private:
  /// What was added to the topics of a page, and what was removed.
  struct topic_changes {
    std::set<std::string> added;
    std::set<std::string> removed;
    /// When the page lost its stream, if it has none.
    std::optional<duration> away_since;
  };
  /// What is kept of what was said, and the id before it.
  struct kept_past {
    std::uint64_t floor = 0;
    std::vector<const published*> events;
  };
  /// Where a stream goes on that has this cursor.
  struct return_place {
    bool known = false;
    std::uint64_t cursor = 0;
    std::optional<std::uint64_t> gap;
  };

  void forget(const std::string& stream);
  [[nodiscard]] bool over(const published& what) const {
    return what.ttl.count() != 0 && now_ - what.at >= what.ttl;
  }
  [[nodiscard]] kept_past kept() const;
  [[nodiscard]] return_place place_of(const std::string& cursor) const;
  reach hears_at_open(const open_connection& command);
  void page_left(const std::string& id);
  std::vector<std::string> begin(const open_connection& command, stream& to);
  /// Gives a stream the last values of topics that `hears` and `heard` does not, of ids above
  /// `after` and up to `upto`. Whether there are more than may be given.
  bool give_values(
    stream& to, const std::vector<std::string>& hears, const std::vector<std::string>& heard,
    std::uint64_t after, std::uint64_t upto);
  [[nodiscard]] bool has_room(const herald::publish& command);

  std::map<std::string, std::string> held_; // request_id -> token
  std::map<std::string, stream> streams_;   // by token, ended ones too
  std::vector<std::string> order_;
  std::vector<published> everything_;
  std::map<std::string, published> values_;      // by topic
  std::map<std::string, topic_changes> changes_; // by request_id
  std::vector<std::string> facts_;
  std::map<std::string, std::size_t> joined_;
  std::uint64_t last_id_;
  std::uint64_t before_first_;
  rules_limits limits_;
  duration now_{0};
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
  void closed(const connection_closed& fact) { waiting_.erase(fact.id.str()); }
  void fetched(const std::string& data);
  /// False if it is refused.
  bool queue(const queue_version& command);
  void shut_down() { shutting_down_ = true; }

  /// "audience data" of the next draft that is due, and takes it off; nothing if none is.
  std::optional<std::string> next_draft();
  [[nodiscard]] const std::map<std::string, pending_version>& pending() const { return pending_; }

private:
  std::map<std::string, pending_version> pending_;
  std::set<std::string> waiting_;
  std::vector<std::string> due_;
  std::size_t taken_ = 0;
  bool has_source_;
  bool shutting_down_ = false;
};

} // namespace herald::testing
