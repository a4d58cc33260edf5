#include <set>
#include <string>

#include <gtest/gtest.h>

#include "actors/gateway/gateway_queue.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

struct silent final : gateway_queue::listener {
  void sent(service_type) override {}
  void failed(const token&, service_type, std::string_view) override { ++failures; }
  void lost(service_type, gateway_queue::loss) override {}
  void retried() override {}
  void close_lost() override {}
  void gone(const token&, std::string_view) override {}
  void ended(const token&) override {}
  void settled(const delivery_settled&) override {}
  void gateway_down(std::string_view) override {}
  void gateway_up() override {}

  int failures = 0;
};

class GatewayQueueStreams : public ::testing::Test {
protected:
  using names = std::set<std::string>;

  static reach_ptr listens(std::vector<std::string> patterns, bool broadcast = true) {
    reach made;
    made.patterns = std::move(patterns);
    made.broadcast = broadcast;
    return std::make_shared<const reach>(std::move(made));
  }

  static audience_ptr on(const char* topic) {
    audience to;
    to.topics.emplace_back(topic);
    return std::make_shared<const audience>(std::move(to));
  }

  void attach(const char* name, const reach_ptr& hears = nullptr) {
    queue.attach(token::from_text(name), now, false, hears);
  }

  /// Who is sent an event.
  names sent_to(const delivery_audience* some) {
    event made;
    made.data = "x";
    delivery one{std::make_shared<const event>(std::move(made)), std::nullopt, nullptr};
    if (some != nullptr)
      one.some = std::make_shared<const delivery_audience>(*some);
    queue.deliver(std::make_shared<const std::vector<delivery>>(1, std::move(one)), 0, now);
    names result;
    while (const auto next = queue.next(now)) {
      EXPECT_TRUE(result.insert(next->to.str()).second) << "twice to " << next->to.str();
      queue.finish(*next, {send_result::delivered, {}}, now);
    }
    EXPECT_EQ(queue.check(), std::nullopt);
    return result;
  }

  names sent_to(const delivery_audience& some) { return sent_to(&some); }

  /// What is sent when rights are looked at.
  std::vector<std::string> sent_at(wall_time when) {
    queue.end_rights(when, now);
    std::vector<std::string> sent;
    while (const auto next = queue.next(now)) {
      sent.push_back(
        next->to.str() + " " + (next->what ? next->what->json : "") + (next->close ? "end" : ""));
      queue.finish(*next, {send_result::delivered, {}}, now);
    }
    EXPECT_EQ(queue.check(), std::nullopt);
    return sent;
  }

  static gateway_options options() {
    gateway_options how;
    how.expiry_notice = 20s;
    how.expiry_grace = 10s;
    return how;
  }

  silent out;
  gateway_queue::time_point now{1h};
  gateway_queue queue{options(), out, [] {
                        return 0.5;
                      }};
};

TEST_F(GatewayQueueStreams, GetBroadcastsUnlessTheyWantNone) {
  attach("plain");
  attach("quiet", listens({"a"}, false));
  attach("both", listens({"a"}));
  EXPECT_EQ(sent_to(nullptr), (names{"plain", "both"}));
}

TEST_F(GatewayQueueStreams, GetAnEventOfTheirTopicsOnce) {
  attach("plain");
  attach("exact", listens({"a/b", "a/*", "*"}, false));
  attach("other", listens({"a"}));
  EXPECT_EQ(sent_to({on("a/b"), {}, {}}), (names{"exact"}));
}

TEST_F(GatewayQueueStreams, AreNamedForTheirPageAndLeftOutByTheirToken) {
  attach("page");
  attach("one", listens({"t"}));
  attach("two", listens({"t"}));
  const auto name = [](const char* text) {
    return token::from_text(text);
  };
  EXPECT_EQ(sent_to({on("t"), name("page"), {name("two")}}), (names{"page", "one"}));
  EXPECT_EQ(sent_to({on("t"), name("one"), {}}), (names{"one", "two"}));
  EXPECT_EQ(sent_to({on("t"), name("gone"), {name("gone")}}), (names{"one", "two"}));
  const auto everyone =
    std::make_shared<const audience>(audience{{}, {}, {}, {}, {request_id{"somebody"}}});
  EXPECT_EQ(sent_to({everyone, {}, {name("one")}}), (names{"page", "two"}));
}

TEST_F(GatewayQueueStreams, SayHowFarBehindTheyAre) {
  attach("one");
  const auto one = token::from_text("one");
  EXPECT_EQ(queue.backlog_of(one), stream_backlog{});
  EXPECT_EQ(queue.backlog_of(token::from_text("unknown")), std::nullopt);
  const auto what = std::make_shared<const event>();
  const auto bytes = prepare(*what)->json.size();
  queue.deliver(
    std::make_shared<const std::vector<delivery>>(2, delivery{what, std::nullopt, nullptr}), 0,
    now);
  EXPECT_EQ(queue.backlog_of(one), (stream_backlog{2, 2 * bytes, {}, false}));
  const auto under_way = queue.next(now);
  ASSERT_TRUE(under_way);
  EXPECT_EQ(queue.backlog_of(one)->events, 2u) << "it is not answered";
  queue.finish(*under_way, {send_result::delivered, {}}, now);
  queue.close(one, nullptr, now);
  EXPECT_EQ(queue.backlog_of(one), (stream_backlog{1, bytes, {}, false})) << "an order is no event";
}

TEST_F(GatewayQueueStreams, HearWhatTheyWereLastChangedTo) {
  attach("one", listens({"a"}));
  queue.change(token::from_text("one"), listens({"b"}, false));
  queue.change(token::from_text("unknown"), listens({"a"}));
  EXPECT_EQ(sent_to({on("a"), {}, {}}), names{});
  EXPECT_EQ(sent_to({on("b"), {}, {}}), (names{"one"}));
  EXPECT_EQ(sent_to(nullptr), names{});
  queue.change(token::from_text("one"), nullptr);
  EXPECT_EQ(sent_to(nullptr), (names{"one"}));
}

TEST_F(GatewayQueueStreams, LeaveNothingBehindForWhoeverComesNext) {
  attach("one", listens({"a"}, false));
  queue.remove(token::from_text("one"));
  attach("two");
  EXPECT_EQ(sent_to({on("a"), {}, {}}), names{});
  EXPECT_EQ(sent_to(nullptr), (names{"two"}));
  queue.close(token::from_text("two"), nullptr, now);
  EXPECT_EQ(sent_to(nullptr), (names{"two"})) << "the order to end alone";
}

TEST_F(GatewayQueueStreams, AreToldBeforeTheirRightEndsAndClosedBehindIt) {
  using lines = std::vector<std::string>;
  const wall_time noon{12h};
  attach("a");
  attach("b");
  queue.limit(token::from_text("a"), noon - 1h, noon);
  queue.limit(token::from_text("nobody"), noon - 1h, noon - 30min);
  EXPECT_EQ(queue.right_due(), noon - 20s);
  EXPECT_EQ(sent_at(noon - 21s), lines{});
  EXPECT_EQ(
    sent_at(noon - 20s), lines{R"(a {"name":"expired","data":"{\"expires_in_ms\":20000}"})"});
  EXPECT_EQ(sent_at(noon), lines{});
  EXPECT_EQ(queue.right_due(), noon + 5s) << "half of the grace, as chance has it";
  EXPECT_EQ(sent_at(noon + 5s), lines{"a end"});
  EXPECT_EQ(queue.right_due(), std::nullopt);
}

TEST_F(GatewayQueueStreams, HaveNoRightThatEndsOnceTheyHaveEnded) {
  const wall_time noon{12h};
  attach("a");
  queue.limit(token::from_text("a"), noon - 1h, noon);
  queue.remove(token::from_text("a"));
  EXPECT_EQ(queue.right_due(), std::nullopt);
  attach("b");
  queue.limit(token::from_text("b"), noon - 1h, noon);
  queue.limit(token::from_text("b"), noon - 1h, noon + 1h);
  EXPECT_EQ(queue.right_due(), noon + 1h - 20s) << "the last word counts";
}

} // namespace
} // namespace herald
