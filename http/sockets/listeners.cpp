#include "http/sockets/listeners.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "http/sockets/host_address.hpp"

namespace herald {

namespace {

constexpr int backlog = 4096;
constexpr int keepalive_interval_s = 5;
constexpr int first_word_s = 1;
/// To find a port that is free on all addresses of a host.
constexpr int most_attempts = 16;

/// Of Linux 6.15; the headers here are older than the kernels that herald may run on.
constexpr int tcp_rto_max_ms = 44;
constexpr int retransmissions = 8;
/// The kernel takes no others.
constexpr std::chrono::milliseconds least_rto_max{1000};
constexpr std::chrono::milliseconds most_rto_max{120000};

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

/// Options that listeners hand down to the sockets of their clients.
void set_client_options(int fd, std::chrono::milliseconds give_up_after) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (give_up_after.count() == 0)
    return;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(give_up_after).count();
  // Not the means to give clients up, but the end of the last word to those that are.
  const auto end = give_up_after + last_word;
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(end.count()));
  // Pauses that double would notice the end of an outage only after as long again, and leave a
  // single try to the second half of the time.
  const auto pause = std::clamp(give_up_after / retransmissions, least_rto_max, most_rto_max);
  set_option(fd, IPPROTO_TCP, tcp_rto_max_ms, static_cast<int>(pause.count()));
  // Of use where heartbeats are rarer than this: they keep a connection alive as well.
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(seconds));
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_s);
}

/// Without descriptor, and with `errno`, where the address cannot be had.
owned_fd bind_to(const host_address& where, bool shared) {
  owned_fd fd{
    ::socket(where.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
  if (fd.get() < 0)
    return fd;
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (shared) {
    set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    set_option(fd.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, first_word_s);
  }
  if (::bind(fd.get(), where.get(), where.size) != 0)
    return owned_fd{};
  return fd;
}

/// Holds a port on all addresses of a host.
struct held_port {
  /// Those that this machine has, each with the port.
  std::vector<host_address> addresses;
  /// Bound, and not listening.
  std::vector<owned_fd> probes;
};

/// Without SO_REUSEPORT a port at which anybody listens is refused. Leaves `errno` if it is, with
/// no addresses.
held_port try_to_hold(const std::vector<host_address>& addresses, std::uint16_t port) {
  held_port held;
  for (auto where : addresses) {
    where.port() = htons(port);
    auto probe = bind_to(where, false);
    if (probe.get() < 0 && is_address_missing(errno))
      continue;
    if (probe.get() < 0)
      return {};
    // Where any port will do, the first address decides.
    where.size = sizeof where.storage;
    ::getsockname(probe.get(), where.get(), &where.size);
    port = ntohs(where.port());
    held.addresses.push_back(where);
    held.probes.push_back(std::move(probe));
  }
  return held;
}

[[noreturn]] void
fail_at(std::string_view section, const std::string& host, std::uint16_t port, int error) {
  const std::string name{section};
  throw std::system_error{
    error, std::generic_category(),
    name + ".host, " + name + ".port: cannot listen on " + host + " port " + std::to_string(port)};
}

held_port hold(std::string_view section, const std::string& host, std::uint16_t port) {
  const auto addresses = resolve_host(host, std::string{section} + ".host");
  // A port that is free on one address may be taken on the next.
  for (int attempt = 1;; ++attempt) {
    auto held = try_to_hold(addresses, port);
    if (!held.addresses.empty())
      return held;
    if (port != 0 || errno != EADDRINUSE || attempt == most_attempts)
      fail_at(section, host, port, errno);
  }
}

} // namespace

void check_port(std::string_view section, const std::string& host, std::uint16_t port) {
  static_cast<void>(hold(section, host, port));
}

listeners listen_on(
  const std::string& host, std::uint16_t port, std::size_t count,
  std::chrono::milliseconds give_up_after) {
  // Held until ours listen.
  auto held = hold("stream", host, port);
  listeners result;
  result.port = ntohs(held.addresses.front().port());
  for (std::size_t i = 0; i < count; ++i) {
    auto& set = result.sets.emplace_back();
    for (const auto& where : held.addresses) {
      const auto& bound = set.emplace_back(bind_to(where, true));
      if (bound.get() < 0 || ::listen(bound.get(), backlog) != 0)
        fail_at("stream", host, port, errno);
      set_client_options(bound.get(), give_up_after);
    }
  }
  return result;
}

} // namespace herald
