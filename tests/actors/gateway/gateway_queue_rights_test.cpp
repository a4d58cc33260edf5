#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actors/gateway/gateway_queue.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using texts_of_rights = std::vector<std::string>;

/// Writes down how streams and events end.
struct heard_ends final : gateway_queue::listener {
  void sent(service_type) override { ++counted; }
  void failed(const token&, service_type, std::string_view) override { ++counted; }
  void lost(service_type, gateway_queue::loss) override { ++counted; }
  void retried() override {}
  void close_lost() override { ++lost_closes; }
  void gone(const token& stream, std::string_view) override {
    told.push_back(stream.str() + " gone");
  }
  void ended(const token& stream) override { told.push_back(stream.str() + " ended"); }
  void settled(const delivery_settled&) override {}
  void gateway_down(std::string_view) override {}
  void gateway_up() override {}

  int counted = 0;
  int lost_closes = 0;
  texts_of_rights told;
};

class GatewayQueueRights : public ::testing::Test {
protected:
  static token name(const char* text) { return token::from_text(text); }

  void attach(const char* stream) { queue.attach(name(stream), now); }

  /// An event for all, or for one.
  void deliver(std::optional<token> only = std::nullopt) {
    event made;
    made.data = "x";
    delivery one{std::make_shared<const event>(std::move(made)), only};
    queue.deliver(std::make_shared<const std::vector<delivery>>(1, std::move(one)), 0, now);
  }

  /// Makes the send that is due, and says what it was.
  std::string send(send_result result = send_result::delivered) {
    EXPECT_EQ(queue.check(), std::nullopt);
    const auto which = queue.next(now);
    if (!which)
      return "";
    auto text = which->to.str() + (which->what ? ":" + which->what->json : "");
    queue.finish(*which, {result, "why"}, now);
    EXPECT_EQ(queue.check(), std::nullopt);
    return which->close ? text + "!" : text;
  }

  /// The right of an open stream ends.
  void end_right(const char* stream) {
    queue.limit(name(stream), noon - 1h, noon - 30min);
    queue.end_rights(noon - 30min, now);
    EXPECT_NE(send(), "") << "it is told";
    queue.end_rights(noon, now);
  }

  static gateway_options options() {
    gateway_options how;
    how.expiry_notice = 20s;
    how.expiry_grace = 10s;
    how.random_factor = 0;
    how.probe_interval_s = 0s;
    how.max_stream_events = 2;
    return how;
  }

  static constexpr wall_time noon{12h};
  heard_ends out;
  gateway_queue::time_point now{1h};
  gateway_queue queue{options(), out, [] {
                        return 0.5;
                      }};
};

TEST_F(GatewayQueueRights, AreOverWhenTheirGraceIs) {
  EXPECT_FALSE(queue.is_over(noon, noon + 9999ms));
  EXPECT_TRUE(queue.is_over(noon, noon + 10s));
  EXPECT_TRUE(queue.is_over(wall_time::min(), noon));
}

TEST_F(GatewayQueueRights, AStreamThatHasNoneIsClosedAndHearsNothing) {
  queue.turn_away(name("a"), now);
  deliver();
  EXPECT_EQ(send(), "a!");
  EXPECT_EQ(send(), "");
  EXPECT_EQ(out.told, texts_of_rights{"a ended"});
  EXPECT_EQ(queue.streams(), 0u);
  EXPECT_EQ(out.counted, 0);
}

TEST_F(GatewayQueueRights, AKnownStreamThatHasNoneAnyMoreHearsNothingElseForIt) {
  reach hears;
  hears.broadcast = false;
  queue.attach(name("a"), now, false, std::make_shared<const reach>(std::move(hears)));
  queue.limit(name("a"), noon - 1h, noon);
  queue.turn_away(name("a"), now);
  queue.turn_away(name("a"), now);
  deliver();
  EXPECT_EQ(queue.right_due(), std::nullopt);
  EXPECT_EQ(send(), "a!");
  EXPECT_EQ(out.told, texts_of_rights{"a ended"});
}

/// Its disconnect callback may be lost.
TEST_F(GatewayQueueRights, ThatEndAreToldToTheOwnerHoweverTheCloseGoes) {
  for (const auto how : {send_result::delivered, send_result::gone, send_result::refused}) {
    out.told.clear();
    attach("a");
    end_right("a");
    EXPECT_EQ(out.told, texts_of_rights{}) << "it is open still";
    EXPECT_EQ(send(how), "a!");
    const auto expected = how == send_result::delivered ? "a ended" : "a gone";
    EXPECT_EQ(out.told, texts_of_rights{expected});
    EXPECT_EQ(queue.streams(), 0u);
  }
}

TEST_F(GatewayQueueRights, AnEndThatTheOwnerHasOrderedIsNotToldToIt) {
  attach("a");
  queue.close(name("a"), nullptr, now);
  EXPECT_EQ(send(), "a!");
  EXPECT_EQ(out.told, texts_of_rights{});
  attach("a");
  queue.close(name("a"), nullptr, now);
  attach("a");
  EXPECT_EQ(send(), "a!");
  EXPECT_EQ(out.told, texts_of_rights{"a ended"}) << "it has come again meanwhile";
}

/// Its page would hear nothing, and stay.
TEST_F(GatewayQueueRights, TheOrderToCloseIsGivenUntilItIsTaken) {
  attach("a");
  end_right("a");
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(send(send_result::unreachable), "a!");
    now += 1s;
  }
  EXPECT_EQ(out.lost_closes, 0);
  EXPECT_EQ(send(), "a!");
  EXPECT_EQ(out.told, texts_of_rights{"a ended"});
}

TEST_F(GatewayQueueRights, TheOrderToCloseIsLeftToTheNextLifeAtTheEnd) {
  attach("a");
  end_right("a");
  EXPECT_EQ(send(send_result::unreachable), "a!");
  now += options().retry_ms;
  queue.hurry(true);
  EXPECT_EQ(send(), "");
  EXPECT_EQ(out.lost_closes, 1);
  EXPECT_EQ(out.told, texts_of_rights{}) << "the gateway has it";
}

TEST_F(GatewayQueueRights, ThatHaveNoEndReplaceThoseThatHad) {
  attach("a");
  queue.limit(name("a"), noon - 1h, noon);
  queue.limit(name("a"), noon - 1h, std::nullopt);
  EXPECT_EQ(queue.right_due(), std::nullopt);
}

TEST_F(GatewayQueueRights, AreForgottenWhenTheirStreamIsClosed) {
  attach("a");
  queue.limit(name("a"), noon - 1h, noon);
  queue.close(name("a"), nullptr, now);
  EXPECT_EQ(queue.right_due(), std::nullopt);
  queue.limit(name("a"), noon - 1h, noon);
  EXPECT_EQ(queue.right_due(), std::nullopt);
  queue.end_rights(noon + 1h, now);
  EXPECT_EQ(send(), "a!");
  EXPECT_EQ(out.counted, 0);
}

TEST_F(GatewayQueueRights, ANoticeIsNoEventAndSaysWhatIsLeftWhenItIsSent) {
  attach("a");
  queue.limit(name("a"), noon - 1h, noon);
  queue.end_rights(noon - 20s, now);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.backlog_of(name("a")), stream_backlog{});
  now += 3s;
  EXPECT_FALSE(queue.next(now)->what->published);
  EXPECT_EQ(send(), R"(a:{"name":"expired","data":"{\"expires_in_ms\":17000}"})");
  EXPECT_EQ(send(), "");
  EXPECT_EQ(out.counted, 0);
}

TEST_F(GatewayQueueRights, ANoticeThatCannotBeSentIsForgotten) {
  for (const auto how : {send_result::refused, send_result::unreachable}) {
    attach("a");
    queue.limit(name("a"), noon - 1h, noon);
    queue.end_rights(noon - 20s, now);
    EXPECT_NE(send(how), "");
    now += options().retry_ms;
    EXPECT_EQ(send().find("expired"), std::string::npos);
    EXPECT_EQ(queue.streams(), 1u);
    EXPECT_EQ(out.counted + out.lost_closes, 0);
    queue.remove(name("a"));
  }
}

TEST_F(GatewayQueueRights, ANoticeNeedsRoom) {
  attach("a");
  deliver(name("a"));
  deliver(name("a"));
  queue.limit(name("a"), noon - 1h, noon);
  queue.end_rights(noon - 20s, now);
  EXPECT_EQ(send(), R"(a:{"data":"x"})");
  EXPECT_EQ(send(), R"(a:{"data":"x"})");
  EXPECT_EQ(send(), "");
}

} // namespace
} // namespace herald
