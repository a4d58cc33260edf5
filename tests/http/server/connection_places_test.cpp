#include "http/server/connection_places.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

class ConnectionPlaces : public ::testing::Test {
protected:
  bool shows(const std::string& line) {
    return numbers.render().find("\n" + line + "\n") != std::string::npos;
  }

  static client_address address(std::uint8_t last) {
    client_address result{};
    result[15] = last;
    return result;
  }

  metrics numbers;
};

TEST_F(ConnectionPlaces, AreGivenUpToTheLimitAndItsReserve) {
  connection_places places{{8, 2, 0, 100}, numbers};
  std::vector<connection_places::place> taken;
  for (int i = 0; i < 8; ++i) {
    auto place = places.take(address(1));
    ASSERT_TRUE(place);
    EXPECT_FALSE(place->beyond());
    EXPECT_EQ(places.crowded(), i == 7) << "the last eighth";
    taken.push_back(std::move(*place));
  }
  EXPECT_EQ(places.beyond(), 0u);
  for (int i = 0; i < 2; ++i) {
    taken.push_back(*places.take(address(1)));
    EXPECT_TRUE(taken.back().beyond());
    EXPECT_EQ(places.scarce(), i == 1);
  }
  EXPECT_EQ(places.beyond(), 2u);
  EXPECT_FALSE(places.take(address(2)));
  EXPECT_TRUE(shows("herald_api_connections_open 10"));
  taken.pop_back();
  EXPECT_TRUE(places.take(address(2))) << "given back";
  taken.clear();
  EXPECT_TRUE(places.empty());
  EXPECT_TRUE(shows("herald_api_connections_open 0"));
}

TEST_F(ConnectionPlaces, AreBoundedByAddress) {
  connection_places places{{8, 0, 2, 100}, numbers};
  auto first = places.take(address(1));
  {
    const auto second = places.take(address(1));
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(places.take(address(1)));
    EXPECT_TRUE(places.take(address(2)));
  }
  EXPECT_TRUE(places.take(address(1)));
}

TEST_F(ConnectionPlaces, AreNotBoundedWithoutAnAddress) {
  connection_places places{{8, 0, 1, 100}, numbers};
  const auto first = places.take(std::nullopt);
  EXPECT_TRUE(places.take(std::nullopt));
  EXPECT_TRUE(places.take(address(1)));
}

TEST_F(ConnectionPlaces, CountBytesOfAll) {
  connection_places places{{8, 0, 0, 100}, numbers};
  auto one = places.take(address(1));
  {
    auto two = places.take(address(1));
    one->hold(60);
    two->hold(70);
    EXPECT_EQ(places.bytes_beyond(), 30u);
    EXPECT_TRUE(shows("herald_api_request_bytes 130"));
    one->hold(10);
    EXPECT_EQ(one->held(), 10u);
    EXPECT_EQ(places.bytes_beyond(), 0u);
  }
  EXPECT_TRUE(shows("herald_api_request_bytes 10"));
}

TEST_F(ConnectionPlaces, TellOnceTheLastHasGone) {
  connection_places places{{8, 0, 0, 100}, numbers};
  { const auto before = places.take(address(1)); }
  EXPECT_FALSE(places.emptied().lower()) << "nobody has asked";
  {
    const auto one = places.take(address(1));
    places.announce_end();
    { const auto two = places.take(address(1)); }
    EXPECT_FALSE(places.emptied().lower());
  }
  EXPECT_TRUE(places.emptied().lower());
}

} // namespace
} // namespace herald
