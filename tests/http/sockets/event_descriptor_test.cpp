#include "http/sockets/event_descriptor.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>

namespace herald {
namespace {

bool is_raised(const event_descriptor& event) {
  pollfd polled{event.get(), POLLIN, 0};
  return ::poll(&polled, 1, 0) == 1;
}

TEST(EventDescriptor, IsRaisedUntilItIsLowered) {
  const event_descriptor event;
  EXPECT_FALSE(is_raised(event));
  event.raise();
  event.raise();
  EXPECT_TRUE(is_raised(event));
  EXPECT_TRUE(event.lower());
  EXPECT_FALSE(is_raised(event));
  EXPECT_FALSE(event.lower()) << "and does not wait";
}

TEST(EventDescriptor, GivesATokenForEachRaiseIfItIsASemaphore) {
  const event_descriptor event{EFD_SEMAPHORE};
  event.raise();
  event.raise();
  EXPECT_TRUE(event.lower());
  EXPECT_TRUE(is_raised(event));
  EXPECT_TRUE(event.lower());
  EXPECT_FALSE(event.lower());
}

} // namespace
} // namespace herald
