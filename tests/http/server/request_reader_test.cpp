#include "http/server/request_reader.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

#include <sys/socket.h>

#include <gtest/gtest.h>

#include "actors/system/owned_fd.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

TEST(RequestReader, GivesAHeadAndABodyEachATimeOfItsOwn) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  api_socket socket{ends[0]};
  const owned_fd client{ends[1]};
  const std::atomic<std::size_t> most = 100;
  reading_rules rules;
  rules.max_body_bytes = &most;
  rules.head_timeout = 1h;
  rules.body_timeout = 10h;
  request_reader reader{rules};
  const auto read_after = [&](const std::string& text) {
    EXPECT_EQ(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
    return reader.read(socket);
  };
  EXPECT_EQ(reader.deadline(), std::nullopt);
  const auto begun = api_socket::clock::now();
  EXPECT_EQ(read_after("POST / HTTP/1.1\r\nHost: h\r\n"), request_reader::outcome::unfinished);
  ASSERT_TRUE(reader.deadline());
  EXPECT_LT(*reader.deadline(), begun + 5h);
  EXPECT_EQ(read_after("Content-Length: 2\r\n\r\n1"), request_reader::outcome::unfinished);
  EXPECT_GE(*reader.deadline(), begun + 10h);
  EXPECT_EQ(read_after("2"), request_reader::outcome::complete);
  EXPECT_EQ(reader.body(), "12");
}

} // namespace
} // namespace herald
