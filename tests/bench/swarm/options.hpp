#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace herald::bench {

/// How events are published.
enum class pacing : std::uint8_t {
  /// Not at all.
  none,
  /// The next one once all streams have the last one.
  closed,
  /// At fixed times, whether or not the last one has arrived.
  rate,
  /// As fast as the server answers.
  flat,
};

/// Who opens streams, and how.
struct stream_settings {
  std::size_t count = 1000;
  std::uint16_t port = 0;
  /// `%d` stands for the number of the stream, each `%R` for a number below `keys`, see
  /// `scattered_key`: streams together have each of them equally often.
  std::string path = "/";
  /// 0: there are none.
  std::uint64_t keys = 0;
  std::vector<std::string> headers;
  /// `%L` in the path and the headers stands for one of these, for each stream the next.
  std::vector<std::string> lines;
  /// Of the requests: streams of HTTP/1.1 are chunked, and so are decoded here, others are bare.
  std::string http = "1.1";
  /// Receiving threads, each with a descriptor table of its own; more are used where the limit of
  /// descriptors asks for it.
  std::size_t threads = 1;
  /// Opened per second; 0: as fast as `in_flight` lets.
  double ramp = 0;
  /// At most this many that are not open yet.
  std::size_t in_flight = 256;
  double open_timeout_s = 60;
  /// Closed and opened again per second while events flow.
  double churn = 0;
  /// The first so many streams read only `slow_rate` bytes per second.
  std::size_t slow_readers = 0;
  std::size_t slow_rate = 1024;
  /// Their SO_RCVBUF; 0: the kernel's.
  int slow_buffer = 0;
  /// Rest between two looks at the sockets, so that a look finds more.
  std::size_t nap_us = 0;
};

/// What is published, and when.
struct publish_settings {
  pacing mode = pacing::none;
  std::uint16_t port = 0;
  std::string target = "/";
  std::vector<std::string> headers;
  /// Kept-alive connections.
  std::size_t connections = 1;
  /// Templates; a connection sends all of them, one after the other, for each event.
  std::vector<std::string> bodies;
  /// %R in them is a number below this, another one for each event; 0: there are none.
  std::uint64_t keys = 0;
  /// What %K stands for: one after the other.
  std::vector<std::string> tokens;
  /// Template of an event's data, padded to `data_size`.
  std::string data = R"({"t":%T,"seq":%S,"p":"%P"})";
  std::size_t data_size = 200;
  /// Events of one request.
  std::size_t batch = 1;
  /// Several events as the lines of a body, not as a JSON array.
  bool lines = false;
  /// Events per second.
  double rate = 0;
  /// At most this many events that not all streams have; 0: any number.
  std::size_t window = 0;
  double warmup_s = 1;
  double duration_s = 10;
  /// Ends after this many measured events; 0: by `duration_s`.
  std::size_t events = 0;
  /// How long to wait for an event that does not arrive.
  double patience_s = 10;
  /// Streams that each event is for; 0: all. Which ones is not checked, only how many get it.
  std::uint64_t reach = 0;
};

/// An SSE Gateway in place of a server that streams are opened at.
struct gateway_settings {
  /// Where it listens; 0: there is none.
  std::uint16_t port = 0;
  /// Where it tells of its streams, on 127.0.0.1; port 0: nowhere.
  std::uint16_t callback_port = 0;
  std::string callback_target;
  /// Where the callbacks of a real gateway are taken, and its tokens kept for %K; 0: nowhere.
  std::uint16_t backend_port = 0;
};

struct options {
  std::string label;
  /// Streams that are opened, get a few events and are closed before anything is looked at, so that
  /// what a server needs once is not counted for each stream.
  std::size_t rehearse = 0;
  gateway_settings gateway;
  stream_settings streams;
  publish_settings publish;
  /// Watched with their descendants.
  std::vector<pid_t> servers;
  /// Take part, but are not measured.
  std::vector<pid_t> beside;
  /// Calm time between opening and publishing.
  double settle_s = 2;
};

/// Reads the command line. Throws `std::invalid_argument` for what does not fit.
[[nodiscard]] options read_options(const std::vector<std::string>& arguments);

/// The text of `--help`.
[[nodiscard]] std::string usage();

} // namespace herald::bench
