#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/delivery.hpp"
#include "messages/ids.hpp"
#include "messages/tasks.hpp"

namespace herald {

/// Who terminates a stream: herald's own endpoint, or an external SSE Gateway.
enum class transport_kind : std::uint8_t { embedded, gateway };

[[nodiscard]] std::string_view to_string(transport_kind kind);

using header_list = std::vector<std::pair<std::string, std::string>>;

/// By what right a stream is open, where herald asks for one.
struct credential {
  /// Whom its page belongs to. Empty: nobody in particular, who is a subject, too.
  std::string subject;
  /// `jti` of a token; empty: it cannot be revoked by itself.
  std::string id;
  /// None: not known, and so before any time.
  std::optional<wall_time> issued_at;
  /// What the stream may listen to: patterns.
  std::vector<std::string> topics;
  /// Whether what is for its page alone is for it; its page's versions are in any case.
  bool targeted = true;
};

using credential_ptr = std::shared_ptr<const credential>;

/// Whether a stream with these patterns may ask for `pattern`: one of them hears all that it does.
[[nodiscard]] bool covers(const std::vector<std::string>& granted, std::string_view pattern);
/// Who holds a stream, as far as its transport knows: empty is what it does not.
struct client_details {
  /// In numbers, without a port.
  std::string address;
  /// What the client calls itself (`User-Agent`), at most `max_agent_bytes` of UTF-8.
  std::string agent;
};

inline constexpr std::size_t max_agent_bytes = 256;

using client_ptr = std::shared_ptr<const client_details>;

/// To the owner of the streams: a client wants a stream. Answered with `attach_stream` or
/// `refuse_stream` to `via`, and with success or the same failure to the sender.
struct open_connection {
  request_id id;
  token stream;
  /// The request target, still percent-encoded. Only an owner that has a backend to show it to gets
  /// it as the client sent it; the registry gets no more of its query than herald reads in it.
  std::string url;
  transport_kind transport = transport_kind::embedded;
  /// What reaches the stream from now on.
  delivery_actor via;
  /// The request's headers, only where the owner has a backend to show them to.
  std::shared_ptr<const header_list> headers;
  /// The client's cursor, as it came (Last-Event-ID): it has had everything up to this event.
  std::optional<std::string> last_event_id = std::nullopt;
  /// What the stream asks to hear beside its page's events; null: everyone's. The page in it does
  /// not count.
  reach_ptr asks = nullptr;
  /// Null: herald asks nobody for a credential, and a page belongs to whoever names it.
  credential_ptr by = nullptr;
  /// Null: not known.
  client_ptr client = nullptr;
  /// When its right ends, for what reaches the stream; nothing where that knows it, or it does not
  /// end.
  std::optional<wall_time> expires_at = std::nullopt;
};

/// The same for many clients at once, in their order; nobody waits for an answer. In a storm of
/// connects it costs one message, and not one for each.
struct open_connections {
  std::vector<open_connection> all;
};

/// To the registry: takes over streams that a former life of herald has left open at an external
/// gateway. They get what is published from now on, without being told anew to observers.
struct adopt_streams {
  struct stream {
    request_id id;
    token name;
    std::string url;
    wall_time connected_at;
    delivery_actor via;
    /// As in `open_connection`; what the page has changed of it holds as well.
    reach_ptr asks = nullptr;
  };
  std::vector<stream> streams;
};

/// Why a stream is gone, in the words of the gateway's protocol.
enum class end_reason : std::uint8_t { client_closed, server_closed, error };

[[nodiscard]] std::string_view to_string(end_reason reason);

/// From a transport: the stream is gone. May come late, twice, or for a token never heard of.
struct stream_closed {
  token stream;
  end_reason reason = end_reason::client_closed;
};

/// From a transport: an event could not be delivered because the stream does not exist any more.
struct delivery_failed {
  token stream;
  std::string why;
};

/// To the owner of the streams, for a client of the gateway's protocol: sends one event to one
/// stream by its token, and/or closes it. `ec::no_such_stream` for an unknown token.
struct send_to_stream {
  token stream;
  struct message {
    /// Empty: the event goes out without a name.
    std::string name;
    std::string data;
  };
  std::optional<message> event;
  bool close = false;
};

/// The answer to `send_to_stream`.
enum class send_status : std::uint8_t {
  sent,
  /// The stream is not open yet; it gets the event, in order, once it opens.
  buffered,
};

// Facts for observers. The registry tells each to every observer, in the order in which its table
// changes.

struct connection_opened {
  request_id id;
  /// The events `version` among those that the stream had missed and has just been sent.
  std::vector<event_ptr> replayed_versions = {};
};

/// All that opened together, in their order: a storm of them wakes an observer once. Never empty.
struct connections_opened {
  std::vector<connection_opened> all;
};

struct connection_closed {
  request_id id;
  end_reason reason = end_reason::client_closed;
};

// Facts for the watcher, who is told of every stream and topic, in the order in which the table of
// streams changes.

/// A stream as the watcher is told of it.
struct stream_facts {
  token stream;
  /// Empty: herald stands in for a gateway, and the page has named itself to the backend alone.
  request_id id;
  /// Empty: nobody in particular.
  std::string subject;
  /// The patterns that it listens to, sorted.
  std::vector<std::string> topics;
  /// Of its client; empty: not known.
  std::string address;
  wall_time opened_at;
};

struct stream_change {
  enum class kind : std::uint8_t {
    opened,
    closed,
    /// A former life of herald has left it open, and it is.
    adopted,
    /// It listens to other topics from now on.
    retuned,
    /// A topic has its first stream.
    occupied,
    /// A topic has lost its last stream.
    vacated,
  };

  kind what = kind::opened;
  wall_time at;
  /// Not where it is about a topic.
  stream_facts stream = {};
  /// Why it was closed.
  std::string reason = {};
  std::string topic = {};
};

/// Never empty.
struct streams_changed {
  std::vector<stream_change> all;
};

// Queries of the API, and their answers. A cursor is where the page of connections before it has
// ended.

/// Which connections a list is of: those that fit all that is named.
struct connection_filter {
  /// A topic: who would hear an event on it. A pattern with a `*`: who has asked for that very one.
  std::string topic;
  std::string subject;
  std::string role;

  [[nodiscard]] bool all() const noexcept {
    return topic.empty() && subject.empty() && role.empty();
  }
};

/// Who is connected, in the order of connecting, from after the cursor.
struct list_connections {
  std::uint64_t after = 0;
  std::size_t limit = 100;
  connection_filter which = {};
};

struct connection_view {
  /// Empty: herald stands in for a gateway, and the page has named itself to the backend alone.
  request_id id;
  token stream;
  /// Without its query, which may hold secrets.
  std::string url;
  transport_kind transport = transport_kind::embedded;
  wall_time connected_at;
  /// Its lists are sorted.
  reach hears = {};
  client_details client = {};
  /// Routing keys that a backend has named for it; nothing where it has not.
  std::optional<std::vector<std::string>> bindings = std::nullopt;
  /// What reaches it.
  delivery_actor via = {};
  /// As that says; nothing where it does not.
  std::optional<stream_backlog> behind = std::nullopt;
};

/// What is shown of a stream's URL, of at most 256 bytes: its query may hold secrets, and has no
/// bounds to speak of.
[[nodiscard]] std::string_view shown_path(std::string_view url);

struct connection_page {
  std::vector<connection_view> connections;
  /// Connections that the filter lets through.
  std::size_t total = 0;
  /// Cursor of the next page; nothing on the last.
  std::optional<std::uint64_t> next;
};

/// Ends the stream of a request_id, or answers `ec::no_such_connection`.
struct close_connection {
  request_id id;
  /// If it is not 0, its page may have no stream for so long, whether it has one now or not:
  /// `ec::kept_away`. `ec::overloaded` where too many are kept away already.
  std::chrono::seconds stay_away{0};
};

/// Ends the streams of a subject, on all tabs and devices. Answered with how many there were.
struct close_connections {
  std::string subject;
};

/// What is not good any more: the credential of that `jti`, or, where that is empty, all of a
/// subject that were issued before a time.
struct revocation {
  std::string credential_id;
  std::string subject;
  wall_time issued_before{};

  friend bool operator==(const revocation&, const revocation&) = default;
};

/// To the registry: ends the streams with such a credential, and refuses new ones until then, by
/// when all such credentials have ended by themselves. Answered when the next life of herald will
/// know of it. `ec::overloaded`, and no effect, where as many as may be are kept already.
struct revoke_access {
  revocation what;
  wall_time until;
};

struct connections_ended {
  std::size_t count = 0;
};

/// To the registry: the page's stream hears other topics from here on. Belongs to the page: holds
/// again when it comes back with a cursor, until the history has forgotten what it missed. A
/// pattern that is both added and removed is removed. `ec::no_such_connection` where it has no
/// stream, `ec::invalid_field` where there would be too many, `ec::forbidden` where its credential
/// does not cover one that is added, `ec::overloaded` where too much is kept for pages.
struct change_topics {
  request_id id;
  std::vector<std::string> add;
  std::vector<std::string> remove;
};

/// The answer to `change_topics`.
struct topics_changed {
  /// In force from `place` in the order of events on. Sorted.
  std::vector<std::string> patterns;
  event_id place;
};

/// The patterns that streams have asked for, and how many of them each.
struct list_topics {
  std::uint64_t after = 0;
  std::size_t limit = 100;
};

struct topic_page {
  struct topic {
    std::string pattern;
    std::size_t streams = 0;
  };
  std::vector<topic> topics;
  std::size_t total = 0;
  /// Cursor of the next page; nothing on the last.
  std::optional<std::uint64_t> next;
};

} // namespace herald
