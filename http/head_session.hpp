#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <boost/asio/ip/tcp.hpp>

#include "http/router.hpp"
#include "http/stream_head.hpp"

namespace herald {

/// Who is told of request heads.
class head_sink {
public:
  enum class failure : std::uint8_t { malformed, too_large, timed_out };

  head_sink() = default;
  head_sink(const head_sink&) = delete;
  head_sink& operator=(const head_sink&) = delete;
  virtual ~head_sink() = default;

  /// A head is complete. Gives the answer to write, or nothing if the sink has released the
  /// socket's descriptor and goes on by itself.
  virtual std::optional<api_reply>
  on_head(boost::asio::ip::tcp::socket& socket, const stream_request& request) = 0;
  /// A head was refused before it was complete.
  virtual void on_bad_head(failure why) = 0;
};

struct head_limits {
  std::size_t bytes = 8192;
  std::chrono::milliseconds time{10000};
};

/// Reads one request head from a client, within the limits, and hands it to the sink; or refuses
/// it. An answer ends the connection. Lives on the socket's io_context; the sink must outlive it.
void read_head(boost::asio::ip::tcp::socket socket, const head_limits& limits, head_sink& sink);

} // namespace herald
