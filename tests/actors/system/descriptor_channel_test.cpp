#include "actors/system/descriptor_channel.hpp"

#include <array>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "http/sockets/descriptor_table.hpp"
#include "tests/support/sanitizer.hpp"

namespace herald {
namespace {

TEST(DescriptorChannel, HandsADescriptorOverFromAnotherTable) {
  if (testing::built_with == testing::sanitizer::thread)
    GTEST_SKIP() << "threads have no tables of their own under ThreadSanitizer";
  const descriptor_channel channel;
  const std::string read(50'000, 'x');
  std::thread sender{[&] {
    ASSERT_TRUE(take_own_descriptors({channel.entrance()}));
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    EXPECT_TRUE(descriptor_channel::send(channel.entrance(), ends[0], read));
    EXPECT_EQ(::write(ends[1], "hello", 5), 5);
  }};
  sender.join();
  const auto got = channel.receive();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->bytes, read);
  std::array<char, 8> text{};
  EXPECT_EQ(::read(got->descriptor.get(), text.data(), text.size()), 5);
  EXPECT_STREQ(text.data(), "hello");
}

TEST(DescriptorChannel, GivesOneOfThoseWhoDoNotWaitWhatIsThere) {
  const descriptor_channel channel;
  EXPECT_FALSE(descriptor_channel::take(channel.exit())) << "nothing yet";
  ASSERT_TRUE(descriptor_channel::send(channel.entrance(), STDERR_FILENO, "x"));
  const auto got = descriptor_channel::take(channel.exit());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->bytes, "x");
  EXPECT_FALSE(descriptor_channel::take(channel.exit()));
}

TEST(DescriptorChannel, NeverWaitsToSend) {
  const descriptor_channel channel;
  const std::string much(100'000, 'x');
  int sent = 0;
  while (sent < 1000 && descriptor_channel::send(channel.entrance(), STDERR_FILENO, much))
    ++sent;
  EXPECT_GT(sent, 0);
  EXPECT_LT(sent, 1000);
}

TEST(DescriptorChannel, EndsWhoWaits) {
  const descriptor_channel channel;
  std::thread waits{[&] {
    EXPECT_FALSE(channel.receive());
  }};
  channel.close();
  waits.join();
  EXPECT_FALSE(descriptor_channel::send(channel.entrance(), STDERR_FILENO, "x"));
}

} // namespace
} // namespace herald
