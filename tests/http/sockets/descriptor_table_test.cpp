#include "http/sockets/descriptor_table.hpp"

#include <array>
#include <thread>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/sanitizer.hpp"

namespace herald {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

/// Where threads have tables of their own.
class OwnDescriptorTable : public ::testing::Test {
protected:
  void SetUp() override {
    if (testing::built_with == testing::sanitizer::thread)
      GTEST_SKIP() << "not under ThreadSanitizer";
  }
};

TEST(DescriptorTable, IsRaisedToTheHardLimit) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(raise_descriptor_limit(), limit.rlim_max);
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, limit.rlim_max);
}

TEST_F(OwnDescriptorTable, HasTheStandardStreamsAndWhatIsKept) {
  std::array<int, 2> pipe{};
  std::array<int, 2> other{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  ASSERT_EQ(::pipe(other.data()), 0);
  std::thread{[&] {
    // Out of order, to be sorted.
    ASSERT_TRUE(take_own_descriptors({other[1], pipe[1]}));
    EXPECT_TRUE(is_open(STDERR_FILENO));
    EXPECT_TRUE(is_open(pipe[1]));
    EXPECT_TRUE(is_open(other[1]));
    EXPECT_FALSE(is_open(pipe[0]));
    EXPECT_FALSE(is_open(other[0]));
    ::close(other[1]);
  }}.join();
  // Nothing of this has reached the table of the process.
  for (const auto fd : {pipe[0], pipe[1], other[0], other[1]}) {
    EXPECT_TRUE(is_open(fd));
    ::close(fd);
  }
}

TEST_F(OwnDescriptorTable, HoldsItsOwnNumberOfDescriptors) {
  int in_thread = -1;
  std::thread{[&] {
    ASSERT_TRUE(take_own_descriptors({}));
    in_thread = ::open("/dev/null", O_RDONLY);
  }}.join();
  EXPECT_EQ(in_thread, STDERR_FILENO + 1) << "numbers start anew";
}

} // namespace
} // namespace herald
