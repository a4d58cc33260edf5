#include "http/sockets/tcp_progress.hpp"

#include <cstdlib>
#include <fstream>

// The kernel's own header, as netinet/tcp.h knows only the beginning of tcp_info; a file cannot
// have both.
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace herald {

std::optional<tcp_progress> tcp_progress_of(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return std::nullopt;
  return tcp_progress{
    info.tcpi_bytes_acked, info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0,
    std::chrono::milliseconds{info.tcpi_last_ack_recv}};
}

std::optional<std::size_t> outstanding_bytes(int fd) {
  int bytes = 0;
  if (::ioctl(fd, SIOCOUTQ, &bytes) != 0)
    return std::nullopt;
  return static_cast<std::size_t>(bytes);
}

bool is_outstanding(int fd) {
  return outstanding_bytes(fd).value_or(1) != 0;
}

std::optional<std::size_t> established_chains() {
  long long entries = 0;
  // Negative where a namespace shares the table of the first one (networking/ip-sysctl.rst).
  if (std::ifstream{"/proc/sys/net/ipv4/tcp_ehash_entries"} >> entries && entries != 0)
    return static_cast<std::size_t>(std::llabs(entries));
  return std::nullopt;
}

} // namespace herald
