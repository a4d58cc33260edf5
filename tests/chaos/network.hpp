#pragma once

#include <functional>
#include <string>

namespace herald::testing {

/// A network of its own for clients, joined to this machine's by a cable whose faults are ours: a
/// namespace and a pair of veth (iproute2, root). Gone with the object.
class cabled_network {
public:
  /// Throws with the reason where this machine does not let us.
  cabled_network();
  cabled_network(const cabled_network&) = delete;
  cabled_network& operator=(const cabled_network&) = delete;
  ~cabled_network();

  /// Where servers of this machine are reached over the cable.
  [[nodiscard]] const std::string& server_address() const noexcept { return server_; }

  /// Runs this with sockets made in the network; they stay there.
  void inside(const std::function<void()>& make) const;

  /// What netem does to packets of both directions, e.g. "loss 10% delay 50ms 20ms". Empty:
  /// nothing.
  void disturb(const std::string& how);
  /// No packet passes, and nobody is told.
  void cut() { disturb("loss 100%"); }
  void mend() { disturb({}); }

private:
  std::string name_;
  std::string server_;
  std::string client_;
  int home_ = -1;
  int there_ = -1;
};

} // namespace herald::testing
