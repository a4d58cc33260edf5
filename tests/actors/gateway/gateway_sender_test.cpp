#include "actors/gateway/gateway_sender.hpp"

#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/actor_test.hpp"
#include "tests/support/audiences.hpp"
#include "tests/support/history_ranges.hpp"
#include "tests/support/log_capture.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// What a scripted gateway was sent, and how it answers, by token.
struct script {
  std::vector<std::string> sent;
  /// Answers for the next sends to a token; delivered when there are none.
  std::map<std::string, std::deque<send_result>> answers;
  /// Throws at the next send.
  bool broken = false;
  /// Does not answer.
  bool silent = false;
};

class scripted_link final : public gateway_link {
public:
  scripted_link(script& s, handler done) : script_(s), done_(std::move(done)) {}

  void post(std::string_view body) override {
    if (std::exchange(script_.broken, false))
      throw std::runtime_error("broken link");
    const auto sent = json::parse(body);
    const std::string to = sent["token"];
    auto text = to;
    if (sent.contains("event"))
      text += ":" + sent["event"]["data"].get<std::string>();
    else if (!sent.contains("close"))
      text += "?";
    if (sent.contains("close"))
      text += "!";
    script_.sent.push_back(text);
    if (script_.silent)
      return;
    auto& answers = script_.answers[to];
    if (answers.empty()) {
      done_({});
      return;
    }
    const auto result = answers.front();
    answers.pop_front();
    done_({result, "scripted"});
  }

private:
  script& script_;
  handler done_;
};

event_ptr event_of(const std::string& data) {
  event made;
  made.name = "e";
  made.data = data;
  return std::make_shared<const event>(std::move(made));
}

deliver version_to(const char* name) {
  event made;
  made.name = "version";
  made.data = "1";
  made.service = service_type::version;
  std::vector<delivery> batch{
    {std::make_shared<const event>(std::move(made)), token::from_text(name)}};
  return {std::make_shared<const std::vector<delivery>>(std::move(batch)), 0};
}

deliver to_all(const std::vector<std::string>& data, ticket_id ticket = 0) {
  std::vector<delivery> batch;
  for (const auto& d : data)
    batch.push_back({event_of(d), std::nullopt});
  return {std::make_shared<const std::vector<delivery>>(std::move(batch)), ticket};
}

attach_stream attach(const char* name) {
  return {token::from_text(name)};
}

using texts = std::vector<std::string>;

class GatewaySender : public testing::actor_test {
protected:
  GatewaySender() {
    owner = mock<stream_owner_actor>(
      [](const open_connection&) { ADD_FAILURE() << "unexpected open_connection"; },
      [](const open_connections&) { ADD_FAILURE() << "unexpected open_connections"; },
      [this](const stream_closed& fact) {
        EXPECT_EQ(fact.reason, end_reason::server_closed);
        ended.push_back(fact.stream.str());
      },
      [this](const delivery_failed& fact) { failed.push_back(fact.stream.str()); },
      [this](const delivery_settled& fact) { settled.push_back(fact); },
      [](const send_to_stream&) -> send_status {
        ADD_FAILURE() << "unexpected send_to_stream";
        return send_status::sent;
      });
    options.random_factor = 0;
  }

  gateway_sender_actor spawn(script& behind, std::size_t index = 0) {
    gateway_shard_parts parts{
      options, owner,
      [&behind](gateway_link::handler done) {
        return std::make_unique<scripted_link>(behind, std::move(done));
      },
      [] {
        return 0.5;
      }};
    return own(spawn_supervised<gateway_sender_actor, gateway_sender>(
      system(), {"gateway-sender-0", {}, &numbers},
      gateway_sender::builder(index, std::move(parts), numbers)));
  }

  bool shows(const std::string& line) {
    return ("\n" + numbers.render()).find("\n" + line + "\n") != std::string::npos;
  }

  // Declared first: outlived by the actors.
  metrics numbers;
  script gateway;
  gateway_options options;
  stream_owner_actor owner;
  texts failed;
  texts ended;
  std::vector<delivery_settled> settled;
};

TEST_F(GatewaySender, SendsEachBatchInItsOrderToEveryAttachedStream) {
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  tell(shard, attach("b"));
  tell(shard, to_all({"1", "2"}, 7));
  EXPECT_EQ(gateway.sent, (texts{"a:1", "b:1", "a:2", "b:2"}));
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].ticket, 7u);
  EXPECT_EQ(settled[0].delivered, 4u);
  EXPECT_TRUE(shows("sse_gateway_events_sent_total{service=\"event\",status=\"success\"} 4"));
}

TEST_F(GatewaySender, SaysHowFarBehindItsStreamsAre) {
  gateway.silent = true;
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  tell(shard, to_all({"1", "2"}));
  const auto found =
    ask<stream_backlogs>(shard, get_backlogs{{token::from_text("unknown"), token::from_text("a")}});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->of.size(), 2u);
  EXPECT_EQ(found->of[0], std::nullopt);
  EXPECT_EQ(found->of[1].value().events, 2u);
  EXPECT_EQ(found->of[1]->unacknowledged, std::nullopt) << "the gateway does not say";
}

TEST_F(GatewaySender, SendsWhatAStreamHasMissedFirst) {
  auto shard = spawn(gateway);
  const auto block = std::make_shared<history_block>(3);
  block->append({event_of("1"), audience_of_page(request_id{"me"})});
  block->append({event_of("2"), audience_of_page(request_id{"you"})});
  block->append({event_of("3"), {}});
  inject(
    shard,
    attach_stream{
      token::from_text("a"), missed_events{{}, testing::range_of({block}), plain_reach("me"), {}}});
  inject(shard, to_all({"4"}));
  drain();
  EXPECT_EQ(gateway.sent, (texts{"a:1", "a:3", "a:4"}));
}

TEST_F(GatewaySender, SendsLastValuesWhereAStreamBeginsToHearThem) {
  const auto shard = spawn(gateway);
  tell(shard, attach("a"));
  tell(shard, to_all({"1"}));
  tell(shard, change_reach{token::from_text("a"), nullptr, {event_of("v"), event_of("w")}, {}});
  tell(shard, to_all({"2"}));
  EXPECT_EQ(gateway.sent, (texts{"a:1", "a:v", "a:w", "a:2"}));
}

TEST_F(GatewaySender, AStreamThatIsAttachedAgainHearsWhatThatSays) {
  const auto shard = spawn(gateway);
  tell(shard, attach("a"));
  auto again = attach("a");
  reach hears;
  hears.broadcast = false;
  again.hears = std::make_shared<const reach>(std::move(hears));
  tell(shard, again);
  tell(shard, to_all({"1"}));
  EXPECT_EQ(gateway.sent, texts{});
}

TEST_F(GatewaySender, ProbesAStreamOfAFormerLife) {
  auto shard = spawn(gateway);
  gateway.answers["a"] = {send_result::gone};
  tell(shard, attach_stream{token::from_text("a"), {}, true});
  EXPECT_EQ(failed, (texts{"a"}));
}

TEST_F(GatewaySender, TakesMessagesWhileASendIsUnderWay) {
  auto shard = spawn(gateway);
  gateway.silent = true;
  tell(shard, attach("a"));
  tell(shard, to_all({"1", "2"}));
  tell(shard, attach("b"));
  tell(shard, to_all({"3"}, 7));
  EXPECT_EQ(gateway.sent, (texts{"a:1"})) << "one at a time";
  EXPECT_TRUE(shows("herald_gateway_queue_events{shard=\"0\"} 4"));
  tell(shard, stream_closed{token::from_text("b"), end_reason::client_closed});
  EXPECT_TRUE(shows("herald_gateway_queue_events{shard=\"0\"} 3"));
}

TEST_F(GatewaySender, AnswersATicketInTimeWhileASendIsUnderWay) {
  auto shard = spawn(gateway);
  gateway.silent = true;
  tell(shard, attach("a"));
  tell(shard, attach("b"));
  auto order = to_all({"1"}, 7);
  order.answer_by = system().clock().now() + std::chrono::milliseconds{50};
  tell(shard, std::move(order));
  advance(std::chrono::milliseconds{49});
  EXPECT_TRUE(settled.empty());
  advance(std::chrono::milliseconds{1});
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].delivered, 0u);
  EXPECT_EQ(settled[0].pending, 2u);
}

TEST_F(GatewaySender, TakesMessagesBetweenTwoSends) {
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  inject(shard, to_all({"1", "2", "3"}));
  inject(shard, attach("b"));
  inject(shard, to_all({"4"}));
  drain();
  EXPECT_EQ(gateway.sent, (texts{"a:1", "b:4", "a:2", "a:3", "a:4"}));
}

TEST_F(GatewaySender, KeepsOneStreamsTroubleFromOtherShards) {
  script other;
  auto stuck = spawn(gateway);
  auto healthy = spawn(other, 1);
  gateway.answers["a"] = {send_result::timed_out};
  tell(stuck, attach("a"));
  tell(healthy, attach("b"));
  inject(stuck, to_all({"1"}));
  inject(healthy, to_all({"1"}));
  drain();
  EXPECT_EQ(other.sent, (texts{"b:1"}));
  EXPECT_EQ(gateway.sent, (texts{"a:1"}));
  advance(100ms);
  EXPECT_EQ(gateway.sent, (texts{"a:1", "a:1"}));
}

TEST_F(GatewaySender, TriesAgainInTheOrderOfTheStream) {
  auto shard = spawn(gateway);
  gateway.answers["a"] = {send_result::failing, send_result::timed_out, send_result::delivered};
  tell(shard, attach("a"));
  tell(shard, to_all({"1"}));
  tell(shard, to_all({"2"}));
  EXPECT_EQ(gateway.sent, (texts{"a:1"}));
  advance(100ms);
  EXPECT_EQ(gateway.sent, (texts{"a:1", "a:1"}));
  advance(200ms);
  EXPECT_EQ(gateway.sent, (texts{"a:1", "a:1", "a:1", "a:2"}));
  EXPECT_TRUE(shows("herald_gateway_retries_total 2"));
}

TEST_F(GatewaySender, TellsTheOwnerOfAStreamThatIsGoneWhileOthersGetTheEvent) {
  auto shard = spawn(gateway);
  gateway.answers["a"] = {send_result::gone};
  tell(shard, attach("a"));
  tell(shard, attach("b"));
  tell(shard, to_all({"1"}, 7));
  tell(shard, to_all({"2"}));
  EXPECT_EQ(gateway.sent, (texts{"a:1", "b:1", "b:2"}));
  EXPECT_EQ(failed, (texts{"a"}));
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].delivered, 1u);
}

TEST_F(GatewaySender, ClosesWithTheFarewellInOneSend) {
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  inject(shard, to_all({"1"}));
  inject(shard, close_stream{token::from_text("a"), close_reason::replaced, event_of("bye")});
  inject(shard, to_all({"2"}));
  drain();
  EXPECT_EQ(gateway.sent, (texts{"a:1", "a:bye!"}));
  EXPECT_TRUE(failed.empty());
  EXPECT_TRUE(ended.empty());
}

TEST_F(GatewaySender, LosesWhatCannotBeSentInTimeAndKeepsTheStream) {
  const testing::log_capture log;
  auto shard = spawn(gateway);
  gateway.answers["a"] = std::deque<send_result>(1000, send_result::unreachable);
  tell(shard, attach("a"));
  tell(shard, to_all({"1"}, 7));
  EXPECT_TRUE(shows("herald_gateway_up 0"));
  ASSERT_EQ(log.lines("gateway_down").size(), 1u);
  EXPECT_EQ(
    log.lines("gateway_down")[0].find("warning gateway-sender gateway_down shard=0 why="), 0u);
  for (int i = 0; i < 60; ++i)
    advance(100ms);
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].delivered, 0u);
  EXPECT_TRUE(failed.empty());
  EXPECT_TRUE(shows("herald_gateway_lost_total{reason=\"expired\"} 1"));
  gateway.answers.clear();
  gateway.sent.clear();
  advance(1s);
  EXPECT_EQ(gateway.sent, (texts{"a?"})) << "asked whether it is back";
  EXPECT_TRUE(shows("herald_gateway_up 1"));
  tell(shard, to_all({"2"}));
  EXPECT_EQ(gateway.sent, (texts{"a?", "a:2"}));
}

TEST_F(GatewaySender, ProbesQuietStreamsAndTellsOfForgottenOnes) {
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  tell(shard, attach("b"));
  gateway.answers["b"] = {send_result::gone};
  for (int i = 0; i < 100; ++i)
    advance(1s);
  EXPECT_EQ(gateway.sent, (texts{"a?", "b?"}));
  EXPECT_EQ(failed, (texts{"b"}));
  EXPECT_TRUE(shows("herald_gateway_probes_total{result=\"gone\"} 1"));
}

TEST_F(GatewaySender, TakesAnyAnswerToAProbeForASignOfLife) {
  // What is refused is said in the log.
  const testing::log_capture log;
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  tell(shard, attach("b"));
  gateway.answers["a"] = {send_result::refused};
  gateway.answers["b"] = {send_result::failing};
  for (int i = 0; i < 100; ++i)
    advance(1s);
  EXPECT_EQ(gateway.sent, (texts{"a?", "b?"}));
  EXPECT_TRUE(shows("herald_gateway_probes_total{result=\"alive\"} 1"));
  EXPECT_TRUE(shows("herald_gateway_probes_total{result=\"failed\"} 1"));
}

TEST_F(GatewaySender, ForgetsAStreamThatTheGatewayHasClosed) {
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  tell(shard, stream_closed{token::from_text("a"), end_reason::client_closed});
  tell(shard, to_all({"1"}, 7));
  EXPECT_TRUE(gateway.sent.empty());
  EXPECT_EQ(settled.size(), 1u);
}

TEST_F(GatewaySender, AnswersAFlushOnceNothingWaits) {
  auto shard = spawn(gateway);
  EXPECT_TRUE(ask<void>(shard, flush{}));
  gateway.answers["a"] = {send_result::failing};
  tell(shard, attach("a"));
  tell(shard, to_all({"1"}));
  caf::scoped_actor asker{system(), true};
  auto pending = asker->request(shard, caf::infinite, flush{});
  drain();
  EXPECT_FALSE(asker->has_next_message());
  advance(100ms);
  EXPECT_EQ(gateway.sent, (texts{"a:1", "a:1"}));
  ASSERT_TRUE(asker->has_next_message());
  pending.receive([] {}, [](const caf::error&) { ADD_FAILURE() << "flush failed"; });
}

TEST_F(GatewaySender, KeepsItsQueuesWhenItsInsideIsRebuilt) {
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  gateway.broken = true;
  tell(shard, to_all({"1", "2"}, 7));
  EXPECT_EQ(gateway.sent, (texts{"a:1", "a:2"}));
  EXPECT_EQ(settled.size(), 1u);
}

TEST_F(GatewaySender, SaysAtOnceWhatIsLostAndWhyAndTheRestASecondLater) {
  options.max_stream_events = 1;
  gateway.silent = true;
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  testing::log_capture log;
  tell(shard, to_all({"1", "2", "3"}));
  const std::string first = "error gateway-sender events_lost shard=0 version=0 task=0 event=2 "
                            "closes=0 expired=0 stream_full=2 shard_full=0 last_trouble=\"\"";
  EXPECT_EQ(log.lines("events_lost"), (texts{first}));
  gateway.silent = false;
  tell(shard, version_to("a"));
  EXPECT_EQ(log.lines("events_lost").size(), 1u);
}

TEST_F(GatewaySender, LogsALossThatNothingFollows) {
  options.max_stream_events = 0;
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  testing::log_capture log;
  tell(shard, to_all({"1"}));
  tell(shard, version_to("a"));
  EXPECT_EQ(log.lines("events_lost").size(), 1u) << "one line a second";
  advance(1s);
  const auto lines = log.lines("events_lost");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[1].find(" version=1 task=0 event=0 "), std::string::npos) << lines[1];
}

TEST_F(GatewaySender, CountsLossesByWhatIsFull) {
  options.max_stream_events = 0;
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  tell(shard, to_all({"1"}));
  EXPECT_TRUE(shows("herald_gateway_lost_total{reason=\"stream_full\"} 1"));
  options.max_stream_events = 10;
  options.max_queue_events = 0;
  auto other = spawn(gateway, 1);
  tell(other, attach("b"));
  tell(other, to_all({"1", "2"}));
  EXPECT_TRUE(shows("herald_gateway_lost_total{reason=\"shard_full\"} 2"));
}

TEST_F(GatewaySender, NamesTheTroubleThatALossCameOf) {
  gateway.answers["a"].assign(20, send_result::failing);
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  testing::log_capture log;
  tell(shard, to_all({"1"}));
  for (int i = 0; i < 100 && log.lines("events_lost").empty(); ++i)
    advance(options.retry_ms / 10);
  const auto lines = log.lines("events_lost");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("error ")) << lines[0];
  EXPECT_NE(lines[0].find(" event=1 "), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find(" expired=1 "), std::string::npos) << lines[0];
  EXPECT_TRUE(lines[0].ends_with(" last_trouble=scripted")) << lines[0];
}

TEST_F(GatewaySender, SaysThatAVersionCouldNotBeSent) {
  gateway.answers["a"] = {send_result::gone};
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  testing::log_capture log;
  tell(shard, version_to("a"));
  EXPECT_EQ(
    log.lines("versions_not_sent"),
    (texts{"error gateway-sender versions_not_sent shard=0 count=1 last_token=a why=scripted"}));
}

/// The owner knows nothing of the stream by then, and takes the report for an old one.
TEST_F(GatewaySender, SaysSoToWhereTheGatewayTellsOfTheEndBeforeItAnswers) {
  gateway.silent = true;
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  testing::log_capture log;
  tell(shard, version_to("a"));
  tell(shard, stream_closed{token::from_text("a"), end_reason::error});
  EXPECT_EQ(
    log.lines("versions_not_sent"), (texts{"error gateway-sender versions_not_sent shard=0 count=1 "
                                           "last_token=a why=\"the stream has ended\""}));
}

TEST_F(GatewaySender, SaysThatTheGatewayRefusesAVersion) {
  gateway.answers["a"] = {send_result::refused};
  auto shard = spawn(gateway);
  tell(shard, attach("a"));
  testing::log_capture log;
  tell(shard, version_to("a"));
  EXPECT_EQ(
    log.lines("event_refused"), (texts{"error gateway-sender event_refused token=a why=scripted"}));
  EXPECT_EQ(log.lines("versions_not_sent").size(), 1u);
}

/// An event between an attach and its close would go to a page that nobody has let in.
TEST_F(GatewaySender, EndsAStreamWithoutARightByOneOrder) {
  const auto shard = spawn(gateway);
  end_unregistered(token::from_text("a"), {shard});
  inject(shard, to_all({"1"}));
  drain();
  EXPECT_EQ(gateway.sent, (texts{"a!"}));
  EXPECT_EQ(ended, (texts{"a"}));
}

TEST_F(GatewaySender, TellsTheOwnerOfAKnownStreamThatHasNoRightAnyMore) {
  const auto shard = spawn(gateway);
  tell(shard, attach("a"));
  end_unregistered(token::from_text("a"), {shard});
  inject(shard, to_all({"1"}));
  drain();
  EXPECT_EQ(gateway.sent, (texts{"a!"}));
  EXPECT_EQ(ended, (texts{"a"}));
}

TEST_F(GatewaySender, GivesAStreamNothingWhoseRightIsOver) {
  const auto shard = spawn(gateway);
  const auto block = std::make_shared<history_block>(1);
  block->append({event_of("1"), {}});
  attach_stream late{
    token::from_text("a"), missed_events{{}, testing::range_of({block}), plain_reach("me"), {}}};
  late.expires_at = std::chrono::system_clock::now() - 1h;
  inject(shard, std::move(late));
  inject(shard, to_all({"2"}));
  drain();
  EXPECT_EQ(gateway.sent, (texts{"a!"}));
  EXPECT_EQ(ended, (texts{"a"}));
}

TEST_F(GatewaySender, ForgetsARightThatHasNoEndAnyMore) {
  options.probe_interval_s = 0ms;
  const auto shard = spawn(gateway);
  auto first = attach("a");
  first.expires_at = std::chrono::system_clock::now() + 1h;
  tell(shard, first);
  tell(shard, attach("a"));
  advance(1s);
  EXPECT_FALSE(scheduler().clock().has_pending_timeout());
}

/// The clock may be set, or the machine sleep: no timer would say so.
TEST_F(GatewaySender, LooksAtRightsEverySecond) {
  options.probe_interval_s = 0ms;
  const auto shard = spawn(gateway);
  auto limited = attach("a");
  limited.expires_at = std::chrono::system_clock::now() + 1h;
  tell(shard, limited);
  for (int i = 0; i < 3; ++i) {
    const auto before = system().clock().now();
    ASSERT_TRUE(scheduler().clock().trigger_timeout());
    drain();
    EXPECT_LE(system().clock().now() - before, 1s);
  }
  EXPECT_EQ(gateway.sent, texts{});
}

TEST_F(GatewaySender, CountsNoNoticeAsAnEvent) {
  options.expiry_notice = 2h;
  options.expiry_grace = 1h;
  const auto shard = spawn(gateway);
  auto limited = attach("a");
  limited.expires_at = std::chrono::system_clock::now() - 1min;
  tell(shard, limited);
  ASSERT_EQ(gateway.sent.size(), 1u);
  EXPECT_NE(gateway.sent[0].find("expires_in_ms"), std::string::npos);
  EXPECT_TRUE(shows("sse_gateway_events_sent_total{service=\"event\",status=\"success\"} 0"));
  EXPECT_TRUE(shows("sse_gateway_send_duration_seconds_count{service=\"event\"} 0"));
}

TEST(GatewayShards, AreEvenAndStable) {
  std::vector<int> counts(8);
  for (std::uint64_t i = 0; i < 8000; ++i) {
    const auto name = token::from_bits(0, i);
    EXPECT_EQ(shard_of(name, 8), shard_of(name, 8));
    ++counts[shard_of(name, 8)];
  }
  for (const auto count : counts)
    EXPECT_NEAR(count, 1000, 200);
}

} // namespace
} // namespace herald
