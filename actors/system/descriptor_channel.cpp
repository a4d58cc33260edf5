#include "actors/system/descriptor_channel.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace herald {

namespace {

/// Of the bytes of a parcel: a head, rendered anew, and what came with it.
constexpr std::size_t largest_parcel = std::size_t{256} * 1024;

/// Room for one descriptor beside the bytes of a message.
union control_block {
  cmsghdr align;
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

std::optional<descriptor_channel::parcel> receive_from(int exit, int flags) {
  std::string bytes(largest_parcel, '\0');
  while (true) {
    iovec part{bytes.data(), bytes.size()};
    control_block control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const auto count = ::recvmsg(exit, &message, flags | MSG_CMSG_CLOEXEC);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return std::nullopt;
    const auto* const header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS)
      continue; // this process has no room for the descriptor; the client sees its end
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor_channel::parcel{
      owned_fd{descriptor}, bytes.substr(0, static_cast<std::size_t>(count))};
  }
}

} // namespace

descriptor_channel::descriptor_channel() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::system_error{errno, std::generic_category(), "socketpair"};
  entrance_ = owned_fd{ends[0]};
  exit_ = owned_fd{ends[1]};
  const int room = 2 * static_cast<int>(largest_parcel);
  ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

bool descriptor_channel::send(int entrance, int descriptor, std::string_view bytes) {
  if (bytes.empty() || bytes.size() > largest_parcel)
    return false;
  iovec part{const_cast<char*>(bytes.data()), bytes.size()}; // NOLINT: sendmsg only reads
  control_block control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  auto* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  return ::sendmsg(entrance, &message, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

std::optional<descriptor_channel::parcel> descriptor_channel::receive() const {
  return receive_from(exit_.get(), 0);
}

std::optional<descriptor_channel::parcel> descriptor_channel::take(int exit) {
  return receive_from(exit, MSG_DONTWAIT);
}

void descriptor_channel::close() const {
  ::shutdown(exit_.get(), SHUT_RDWR);
}

} // namespace herald
