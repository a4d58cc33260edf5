#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/protocol/api_message.hpp"
#include "http/protocol/request_head.hpp"
#include "http/server/api_options.hpp"

namespace herald {

/// cpp-httplib 0.11 as the API server uses it, and all that works around it. httplib binds,
/// accepts, routes (to the one handler that has the answer) and writes answers.
///
/// - It trusts its clients: no limit for chunked bodies or for the number of headers, lenient about
///   lengths, decompresses without bound, parses forms by itself. So it never sees what a client
///   has sent: it gets a request line that was checked, and no headers. With none it compresses
///   nothing, cuts no ranges, reads no body and changes no connection.
/// - It keeps a thread for each connection from a pool of fixed size: here whoever accepts gets the
///   descriptor.
/// - It listens with a backlog of 5, lets two servers share a port, and knows one address only:
/// here
///   each has a server of its own.
/// - It gives up accepting on errors that pass, such as no memory for one connection.
/// - It can be told to stop only once it accepts.
/// - It answers 400 to methods that it does not know, gives 204 a length, and offers ranges.
class httplib_adapter {
public:
  /// Takes a descriptor over, on the thread that accepts: must not wait.
  using taker = std::function<void(int descriptor)>;

  /// Binds, on all addresses of the host that this machine has. Throws std::runtime_error if there
  /// is none, also if another process has the port; what it says names the settings.
  httplib_adapter(const api_options& options, const taker& accepted);
  /// Stops.
  ~httplib_adapter();

  httplib_adapter(const httplib_adapter&) = delete;
  httplib_adapter& operator=(const httplib_adapter&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// What it listens on, in numbers.
  [[nodiscard]] std::vector<std::string> addresses() const;

  /// Accepts on threads of its own, from now on. Call it once.
  void start();
  /// Accepts no more. Calling it again does nothing.
  void stop();

  /// Whether httplib knows a method; others it cannot answer.
  [[nodiscard]] static bool knows(std::string_view method);

  /// The bytes of an answer whose body is moved out; nothing if httplib fails. `last` says that the
  /// connection ends with it, and `keep_alive` how long it may be idle if not. Safe from many
  /// threads at once.
  [[nodiscard]] std::optional<std::string>
  render(const request_head& request, api_reply& reply, bool last, std::chrono::seconds keep_alive);

private:
  class server;

  [[nodiscard]] bool bind_all(const api_options& options, const taker& accepted);

  std::uint16_t port_;
  /// One for each address. Any of them renders.
  std::vector<std::unique_ptr<server>> servers_;
};

} // namespace herald
