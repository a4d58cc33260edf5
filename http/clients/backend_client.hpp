#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <caf/expected.hpp>
#include <caf/fwd.hpp>

#include "actors/supervision/shell.hpp"
#include "actors/telemetry/metrics.hpp"
#include "http/clients/callback_settings.hpp"
#include "messages/backend.hpp"

namespace herald {

/// The settings, and what is none.
struct backend_client_options : callback_settings {
  /// How long a disconnect may wait for a connection; nobody waits for it. Then it is dropped.
  std::chrono::milliseconds disconnect_queue_time{60'000};
  /// A connection that was idle for longer is not used again. Below the 5 s of most servers.
  std::chrono::milliseconds idle_time{4000};
  /// The body of an answer may take this long after its head. Nobody waits for it but the next
  /// callback over this connection; one that takes longer costs the connection.
  std::chrono::milliseconds body_time{1000};
  /// As of `socket_loop`.
  bool io_uring = true;
};

/// Calls the backend behind a gateway: many callbacks at once over kept-alive connections, on one
/// thread of its own. The status decides, as soon as it is there: a page waits for it, and not for
/// the body behind it. Over TLS, and after a redirect within the backend's host, they are
/// `curl_client`'s. A callback is made once. Only where a kept connection turns out to have been
/// closed by the backend before any byte of an answer, it is made again, over a new connection.
///
/// No child of the supervisor, but of the actor that uses it (`spawn_backend_caller`): its steps
/// are each of one callback. One that throws is logged, its callback times out, and the thread goes
/// on.
///
/// Destroying it ends its thread; callbacks that are not answered by then never are. Destroy it on
/// another thread than its own, before whatever the `done` of a call uses (the actor system).
class backend_client {
public:
  using answer_handler = std::function<void(const backend_answered&)>;
  using body_handler = std::function<void(const connect_answer_read&)>;

  /// `ec::invalid_field` with the field `callback.url` for a URL that it cannot call.
  static caf::expected<std::shared_ptr<backend_client>>
  make(backend_client_options options, metrics& numbers);

  ~backend_client();
  backend_client(const backend_client&) = delete;
  backend_client& operator=(const backend_client&) = delete;

  /// Makes a callback; the call's listener is left alone. `done` is called once, on the client's
  /// thread: it must not wait. `read`, likewise, is called at most once: before `done` where the
  /// body of a 2xx has come with its head, else when it has come. Safe from any thread.
  void call(call_backend what, answer_handler done, body_handler read = {});

private:
  class engine;

  explicit backend_client(std::unique_ptr<engine> inside);

  std::unique_ptr<engine> engine_;
};

/// An actor that passes callbacks on to the client and their answers on to the listeners. Once the
/// client is gone it answers that the backend is unreachable.
supervised<backend_caller_actor> spawn_backend_caller(
  caf::actor_system& system, shell_options shell, std::weak_ptr<backend_client> client);

} // namespace herald
