#pragma once

#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <caf/actor_system.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

#include "http/sockets/socket_loop.hpp"

namespace herald {

/// A thread on which actors live together with the sockets that they wait for: neither has to wake
/// another thread for the other, and many connections take one thread. Nothing on it may block.
///
/// For actors that are spawned with it as their `shell_options::unit`. Outlives them: its end waits
/// for them to be done.
class actor_loop final : public caf::execution_unit {
public:
  /// As of `socket_loop`.
  actor_loop(caf::actor_system& system, bool io_uring);
  actor_loop(const actor_loop&) = delete;
  actor_loop& operator=(const actor_loop&) = delete;
  ~actor_loop() override;

  /// For sockets and timers of the actors that live here.
  [[nodiscard]] socket_loop& sockets() noexcept { return sockets_; }

  /// Runs an actor that lives here, soon; passes others on to CAF's scheduler. Safe from any
  /// thread.
  void exec_later(caf::resumable* job) override;

private:
  void resume(caf::resumable* job);

  socket_loop sockets_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

} // namespace herald
