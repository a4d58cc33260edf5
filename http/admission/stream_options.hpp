#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/auth/auth_options.hpp"
#include "http/auth/limit_settings.hpp"
#include "messages/formats.hpp"
#include "messages/ids.hpp"

namespace herald {

class authorizer;
class ticket_book;
class token_judge;

/// How streams are served (settings `stream`). Every limit has a metric that shows when it bites.
struct stream_settings {
  /// An address or a name; a name that has several addresses gets its first.
  std::string host = "127.0.0.1";
  /// 0 picks a free one.
  std::uint16_t port = 8081;
  /// Loops, a thread each; 0 for one per core.
  std::size_t threads = 0;
  /// A stream that was quiet for this long gets a comment; 0 for never.
  std::chrono::milliseconds heartbeat_s{15'000};
  /// All streams get an event `heartbeat` this often instead, quiet or not: pages can watch it.
  bool heartbeat_event = false;
  /// All streams are told their cursors as events, not only those of browsers and of Node.
  bool cursor_event = false;
  /// Whether pages listen for events by their names, or have one listener for all.
  frame_format format = frame_format::named;
  /// A client that acknowledges nothing, or takes nothing, for this long is given up, late by at
  /// most a quarter; 0: when the kernel does. With the heartbeat this bounds how long a stream that
  /// was cut off goes unnoticed.
  std::chrono::milliseconds unreachable_s{30'000};
  /// Clients are told to come back after this, and up to as long again.
  std::chrono::milliseconds retry_ms{3000};
  /// Pages that may open and read streams, beside those of the stream port's own host; `*`: all,
  /// without credentials.
  std::vector<std::string> cors_origins{"*"};
  /// Names that streams are reached under, beside IP addresses and localhost; empty: any.
  std::vector<std::string> hosts;

  /// Over all loops. Never more than fit into the tables of descriptors, one for each loop.
  std::size_t max_streams = 200'000;
  /// Per client (`client_of`); 0 for no limit. A hundredth of `max_streams`.
  std::size_t max_streams_per_address = 2000;
  /// Pages that may be kept away at once, as somebody asked for over the API.
  std::size_t max_kept_away = 10'000;
  /// As much as Node's HTTP server takes: three cookies that carry an identity are more than 8 KiB.
  std::size_t max_head_bytes = 16'384;
  std::chrono::milliseconds head_timeout_ms{10'000};
  /// Clients per loop that are sending a head, or taking an answer that ends them. One more crowds
  /// out the one that has been there for longest.
  std::size_t max_heads = 4096;
  /// Clients per loop whose stream is not registered yet: a storm of connects is admitted as fast
  /// as the owner of the streams registers them, and told to come back later beyond.
  std::size_t max_openings = 4096;
  /// Send to many streams in one call of the kernel, where it has io_uring and lets herald use it.
  bool io_uring = true;
  /// How far a stream may be behind, per loop.
  std::size_t log_bytes = std::size_t{8} << 20U;
  /// How much may wait for one stream alone.
  std::size_t private_queue_bytes = std::size_t{1} << 20U;
  /// Patterns of topics that a stream may ask for, in its URL and later.
  std::size_t max_topics = 64;
  /// What pages may have changed in the topics of their URLs, all together.
  std::size_t max_topic_changes_bytes = std::size_t{16} << 20U;
  /// What may wait for single streams of a loop, all of them together. What many share counts once.
  std::size_t max_private_bytes = std::size_t{64} << 20U;
  /// What all streams listen to: names, and what finding them costs.
  std::size_t max_topics_bytes = std::size_t{64} << 20U;
  /// Proxies before herald: what they say of where a request comes from counts.
  std::vector<std::string> trusted_proxies;
  /// Connections of trusted proxies begin with a header of the PROXY protocol, version 2.
  bool proxy_protocol = false;
  /// What a client may be sent again in a minute: all that is kept with the defaults, twice; 0 for
  /// no limit.
  std::size_t replay_per_minute_bytes = std::size_t{64} << 20U;
};

/// The settings, and what is none.
struct stream_options : stream_settings {
  /// How long a client waits for the owner of the streams to decide.
  std::chrono::milliseconds open_timeout{30'000};
  /// How long a stream that is being closed may take to accept what is due.
  std::chrono::milliseconds linger{5000};
  /// What clients are told about coming back on shutdown, where all of them do at once: a time
  /// between `drain_retry` and `drain_retry + drain_retry_spread` (`shutdown.retry_window_ms`).
  std::chrono::milliseconds drain_retry{1000};
  std::chrono::milliseconds drain_retry_spread{0};
  /// What a replaced stream is told, so that two pages with one request_id take long turns.
  std::chrono::milliseconds replaced_retry{60'000};

  /// herald stands in for an SSE Gateway: any path is a stream, no request_id is asked for,
  /// headers go to the owner, events have no ids.
  bool stand_in = false;
  /// The gateway's generation.
  gateway_format generation = gateway_format::v1;
  /// False for a gateway that has no backend yet: it takes no pages.
  bool configured = true;
  /// A URL may say who its page is, which a test may need and nobody else may be allowed.
  bool principals = false;
  /// Who may have a stream. Where nobody is asked, the rest does not matter; else all of it is
  /// there, and safe from any thread.
  auth_options auth{};
  /// What one client may do.
  limit_settings limits{};
  /// A judge for a loop. What it uses outlives the loop.
  std::function<std::unique_ptr<token_judge>()> make_judge = nullptr;
  std::shared_ptr<ticket_book> tickets = nullptr;
  /// Null where the application is not asked.
  std::shared_ptr<authorizer> questions = nullptr;
  /// The last place in the order of events.
  std::function<event_id()> last_place = nullptr;
  /// Ends of two `descriptor_channel`s: where connections go that want something of the API, and
  /// where they come back that want a stream next. -1: there is no such API.
  int to_api = -1;
  int from_api = -1;
};

} // namespace herald
