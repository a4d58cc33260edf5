// Checks the checker: servers with known faults, and what the load client must say of them.

#include "tests/bench/swarm/run.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "tests/bench/selftest/faulty_server.hpp"
#include "tests/support/free_port.hpp"

namespace herald::bench {
namespace {

using namespace std::chrono_literals;
using behaviour = faulty_server::behaviour;
using delivery = faulty_server::delivery;

options events_for(const faulty_server& server, std::size_t streams, std::size_t events) {
  options wanted;
  wanted.streams.count = streams;
  wanted.streams.port = server.port();
  wanted.streams.path = "/s/%d";
  wanted.publish.mode = pacing::rate;
  wanted.publish.rate = 500;
  wanted.publish.port = server.port();
  wanted.publish.bodies = {"%D"};
  wanted.publish.warmup_s = 0;
  wanted.publish.events = events;
  wanted.publish.patience_s = 1;
  wanted.settle_s = 0;
  return wanted;
}

/// The server has ended by the time that this returns, so what it has noted can be read.
run_result run_against(
  behaviour how, std::size_t streams, std::size_t events,
  const std::function<void(options&)>& change = [](options&) {}) {
  faulty_server server{std::move(how)};
  auto wanted = events_for(server, streams, events);
  change(wanted);
  return run(wanted);
}

TEST(Swarm, FindsNoFaultWithAGoodServer) {
  const auto result = run_against({}, 20, 30);
  EXPECT_EQ(result.clients.opened, 20u);
  EXPECT_EQ(result.clients.open_at_end, 20u);
  EXPECT_EQ(result.publishing.events, 30u);
  EXPECT_EQ(result.publishing.answered, 30u);
  EXPECT_EQ(result.publishing.failed, 0u);
  EXPECT_EQ(result.deliveries.delivered, 600u);
  EXPECT_EQ(result.deliveries.measured, 600u);
  EXPECT_EQ(result.deliveries.latency.count(), 600u);
  EXPECT_EQ(result.deliveries.lost, 0u);
  EXPECT_EQ(result.deliveries.duplicated, 0u);
  EXPECT_EQ(result.deliveries.out_of_order, 0u);
  EXPECT_EQ(result.deliveries.other, 0u);
}

TEST(Swarm, CountsEveryFaultOfABadServer) {
  std::string held;
  behaviour how;
  how.faults = [&](const delivery& d) -> std::string {
    switch (d.stream) {
    case 2: // loses 10 and 20
      return d.number % 10 == 0 ? "" : d.frame;
    case 3: // repeats 5 and 15
      return d.number % 10 == 5 ? d.frame + d.frame : d.frame;
    case 4: // swaps 3 and 13 with the one behind
      if (d.number % 10 == 3) {
        held = d.frame;
        return "";
      }
      return d.frame + std::exchange(held, "");
    case 5: // says more than it must
      return ": hello\r\n\r\n:\nid: 7\r\nevent: x\r\n" + d.frame.substr(0, d.frame.size() - 1)
             + "data: more\r\n\r\n";
    case 6: // loses the last five
      return d.number > 15 ? "" : d.frame;
    case 7: // events of somebody else
      return "data:\n\n" + d.frame;
    default:
      return d.frame;
    }
  };
  how.chunked = [](unsigned stream) {
    return stream % 2 == 1;
  };
  how.pieces = [](unsigned stream) -> std::size_t {
    return stream < 2 ? 1 : stream == 5 ? 7 : 0;
  };
  const auto result = run_against(how, 8, 20);
  EXPECT_EQ(result.deliveries.lost, 7u);
  EXPECT_EQ(result.deliveries.duplicated, 2u);
  EXPECT_EQ(result.deliveries.out_of_order, 2u);
  EXPECT_EQ(result.deliveries.other, 20u);
  EXPECT_EQ(result.deliveries.delivered, 8u * 20 - 7);
  EXPECT_EQ(result.deliveries.not_owed, 0u);
  EXPECT_EQ(result.clients.malformed, 0u);
}

TEST(Swarm, JudgesEventsThatAreVeryLate) {
  std::string held;
  behaviour how;
  how.faults = [&](const delivery& d) -> std::string {
    if (d.number == 1) {
      held = d.frame;
      return "";
    }
    // Number 1 comes 200 events too late, and once more.
    return d.number == 200 ? held + d.frame + held : d.frame;
  };
  const auto result = run_against(how, 1, 200);
  EXPECT_EQ(result.deliveries.lost, 0u);
  EXPECT_EQ(result.deliveries.out_of_order, 1u);
  EXPECT_EQ(result.deliveries.duplicated, 1u);
}

TEST(Swarm, OwesAStreamNothingFromBeforeItOpened) {
  std::string first;
  behaviour how;
  how.faults = [&](const delivery& d) {
    if (d.number == 1)
      first = d.frame;
    return d.stream == 0 && d.number > 40 ? first + d.frame : d.frame;
  };
  const auto result =
    run_against(how, 10, 400, [](options& wanted) { wanted.streams.churn = 200; });
  EXPECT_GT(result.clients.reopened, 10u);
  EXPECT_EQ(result.clients.failed, 0u);
  EXPECT_EQ(result.clients.ended_by_server, 0u);
  EXPECT_EQ(result.deliveries.lost, 0u);
  EXPECT_EQ(result.deliveries.out_of_order, 0u);
  EXPECT_GT(result.deliveries.not_owed, 0u);
}

TEST(Swarm, FindsALossAmongStreamsThatComeAndGo) {
  behaviour how;
  how.faults = [&](const delivery& d) -> std::string {
    return d.number == 100 ? "" : d.frame;
  };
  const auto result = run_against(how, 10, 200, [](options& wanted) { wanted.streams.churn = 50; });
  // All lose it, but one that comes or goes just then has no right to it.
  EXPECT_GE(result.deliveries.lost, 5u);
  EXPECT_LE(result.deliveries.lost, 10u);
}

TEST(Swarm, SeesThatStreamsAreToldDifferentOrders) {
  std::string held;
  behaviour how;
  EXPECT_EQ(run_against(how, 5, 20).deliveries.orders.size(), 1u);
  how.faults = [&](const delivery& d) -> std::string {
    if (d.stream != 3)
      return d.frame;
    if (d.number == 7) {
      held = d.frame;
      return "";
    }
    return d.frame + std::exchange(held, "");
  };
  EXPECT_EQ(run_against(how, 5, 20).deliveries.orders.size(), 2u);
}

TEST(Swarm, SeesADelay) {
  behaviour how;
  how.faults = [](const delivery& d) {
    if (d.stream == 0 && d.number == 4)
      std::this_thread::sleep_for(60ms);
    return d.frame;
  };
  const auto result = run_against(how, 1, 10);
  EXPECT_GE(result.deliveries.latency.max(), 60'000'000u);
}

TEST(Swarm, CountsTheTimeThatEventsWaitForAStalledServer) {
  behaviour how;
  how.before = [](event_number number) {
    if (number == 5)
      std::this_thread::sleep_for(300ms);
  };
  const auto result = run_against(how, 1, 50, [](options& wanted) { wanted.publish.rate = 100; });
  // 30 events were due during the stall. Had each been timed from when its request could be sent,
  // only one would have been slow.
  EXPECT_GE(result.publishing.late, 20u);
  EXPECT_GE(result.deliveries.latency.percentile(70), 100'000'000u);
}

TEST(Swarm, PublishesTheNextEventOnceAllStreamsHaveTheLast) {
  std::map<unsigned, event_number> seen;
  std::set<event_number> early;
  behaviour how;
  std::string held;
  how.faults = [&](const delivery& d) -> std::string {
    seen[d.stream] = d.number;
    return d.frame;
  };
  how.before = [&](event_number number) {
    for (const auto& [stream, last] : seen)
      if (last + 1 != number)
        early.insert(number);
  };
  const auto result =
    run_against(how, 10, 50, [](options& wanted) { wanted.publish.mode = pacing::closed; });
  EXPECT_TRUE(early.empty());
  EXPECT_EQ(result.publishing.events, 50u);
  EXPECT_EQ(result.publishing.impatient, 0u);
  EXPECT_EQ(result.deliveries.delivered, 500u);
}

TEST(Swarm, WaitsForALostEventOnlyAsLongAsToldTo) {
  behaviour how;
  how.faults = [](const delivery& d) -> std::string {
    return d.stream == 1 && d.number == 3 ? "" : d.frame;
  };
  const auto result = run_against(how, 3, 10, [](options& wanted) {
    wanted.publish.mode = pacing::closed;
    wanted.publish.patience_s = 0.1;
  });
  EXPECT_EQ(result.publishing.events, 10u);
  EXPECT_EQ(result.publishing.impatient, 1u);
  EXPECT_EQ(result.deliveries.lost, 1u);
}

TEST(Swarm, PublishesFlatOutOverManyConnections) {
  const auto result = run_against({}, 5, 400, [](options& wanted) {
    wanted.publish.mode = pacing::flat;
    wanted.publish.connections = 4;
  });
  EXPECT_GE(result.publishing.events, 400u);
  EXPECT_EQ(result.publishing.answered, result.publishing.events);
  EXPECT_EQ(result.deliveries.delivered, 5 * result.publishing.events);
  EXPECT_EQ(result.deliveries.lost, 0u);
}

TEST(Swarm, TellsStreamsThatTheServerEnds) {
  behaviour how;
  how.ends = [](unsigned stream, event_number number) {
    return stream == 1 && number == 5;
  };
  how.faults = [](const delivery& d) {
    return d.stream == 1 && d.number == 5 ? d.frame + "event: lagged\ndata: {}\n\n" : d.frame;
  };
  const auto result = run_against(how, 3, 10);
  EXPECT_EQ(result.clients.ended_by_server, 1u);
  EXPECT_EQ(result.clients.lagged, 1u);
  EXPECT_EQ(result.clients.open_at_end, 2u);
}

TEST(Swarm, TellsStreamsThatWereRefused) {
  behaviour how;
  how.refuses = [](unsigned stream) {
    return stream < 3;
  };
  const auto result = run_against(how, 10, 5);
  EXPECT_EQ(result.clients.failed, 3u);
  EXPECT_EQ(result.clients.opened, 7u);
  EXPECT_EQ(result.deliveries.delivered, 35u);
  EXPECT_EQ(result.deliveries.lost, 0u);
}

TEST(Swarm, KeepsSlowReadersApart) {
  behaviour how;
  how.ends = [](unsigned stream, event_number number) {
    return stream == 0 && number == 5;
  };
  how.faults = [](const delivery& d) -> std::string {
    if (d.stream == 0 && d.number == 2)
      return "";
    return d.stream == 0 && d.number == 5 ? d.frame + "event: lagged\ndata: {}\n\n" : d.frame;
  };
  const auto result =
    run_against(how, 4, 20, [](options& wanted) { wanted.streams.slow_readers = 2; });
  EXPECT_EQ(result.slow.ended_by_server, 1u);
  EXPECT_EQ(result.slow.told, 1u);
  EXPECT_EQ(result.slow.lost, 1u);
  EXPECT_EQ(result.clients.ended_by_server, 0u);
  EXPECT_EQ(result.deliveries.delivered, 40u);
  EXPECT_EQ(result.deliveries.lost, 0u);
}

TEST(Swarm, SpreadsStreamsOverThreads) {
  const auto result = run_against({}, 50, 20, [](options& wanted) { wanted.streams.threads = 3; });
  EXPECT_EQ(result.clients.opened, 50u);
  EXPECT_EQ(result.deliveries.delivered, 1000u);
  EXPECT_EQ(result.deliveries.lost, 0u);
}

TEST(Swarm, RehearsesWithFewStreams) {
  std::atomic<int> opened = 0;
  behaviour how;
  how.refuses = [&](unsigned) {
    ++opened;
    return false;
  };
  const auto result = run_against(how, 10, 5, [](options& wanted) { wanted.rehearse = 4; });
  EXPECT_EQ(opened, 14);
  EXPECT_EQ(result.clients.opened, 10u);
  EXPECT_EQ(result.publishing.events, 5u);
  EXPECT_EQ(result.deliveries.delivered, 50u);
}

TEST(Swarm, JudgesWhatIsSentToItsGateway) {
  options wanted;
  wanted.streams.count = 2;
  wanted.gateway.port = testing::free_port();
  wanted.publish.mode = pacing::rate;
  wanted.publish.rate = 500;
  wanted.publish.port = wanted.gateway.port;
  wanted.publish.target = "/internal/send";
  // Each event goes to one of the streams, and goes there twice.
  wanted.publish.tokens = {"b1", "b2"};
  const std::string send = R"({"token":"%K","event":{"name":"x","data":"%E"}})";
  wanted.publish.bodies = {send, send};
  wanted.publish.warmup_s = 0;
  wanted.publish.events = 20;
  wanted.publish.patience_s = 0.2;
  wanted.settle_s = 0;
  const auto result = run(wanted);
  EXPECT_EQ(result.publishing.answered, 40u);
  EXPECT_EQ(result.deliveries.delivered, 20u);
  EXPECT_EQ(result.deliveries.duplicated, 20u);
  EXPECT_EQ(result.deliveries.lost, 20u);
  EXPECT_EQ(result.deliveries.latency.count(), 20u);
  EXPECT_EQ(result.clients.malformed, 0u);
}

TEST(Swarm, CountsHowManyGetWhatIsForSome) {
  // Each event reaches one of four streams; the sixth reaches none.
  behaviour how;
  how.faults = [](const delivery& d) {
    return d.number % 4 == d.stream && d.number != 6 ? d.frame : std::string{};
  };
  const auto result = run_against(how, 4, 20, [](options& wanted) {
    wanted.publish.reach = 1;
    wanted.publish.patience_s = 0.2;
  });
  EXPECT_EQ(result.deliveries.delivered, 19u);
  EXPECT_EQ(result.deliveries.lost, 1u);
}

TEST(Swarm, AsksForTheKeysOfEachStream) {
  std::mutex guard;
  std::set<unsigned> asked;
  behaviour how;
  how.refuses = [&](unsigned number) {
    const std::lock_guard lock{guard};
    asked.insert(number);
    return false;
  };
  run_against(how, 5, 1, [](options& wanted) {
    wanted.streams.path = "/s/%R";
    wanted.streams.keys = 5;
  });
  EXPECT_EQ(asked, (std::set<unsigned>{0, 1, 2, 3, 4}));
}

TEST(Swarm, HasALineForEachStream) {
  std::mutex guard;
  std::multiset<unsigned> asked;
  behaviour how;
  how.refuses = [&](unsigned number) {
    const std::lock_guard lock{guard};
    asked.insert(number);
    return false;
  };
  run_against(how, 4, 1, [](options& wanted) {
    wanted.streams.path = "/s/%L";
    wanted.streams.lines = {"7", "3", "9"};
  });
  EXPECT_EQ(asked, (std::multiset<unsigned>{3, 7, 7, 9}));
}

TEST(Swarm, ReportsWhatItSawAsJson) {
  faulty_server server{{}};
  auto wanted = events_for(server, 2, 3);
  wanted.label = "a \"name\"";
  const auto report_of = nlohmann::json::parse(report(wanted, run(wanted)));
  EXPECT_EQ(report_of["label"], wanted.label);
  EXPECT_EQ(report_of["mode"], "rate");
  EXPECT_EQ(report_of["streams"]["opened"], 2);
  EXPECT_EQ(report_of["publishing"]["events"], 3);
  EXPECT_EQ(report_of["deliveries"]["count"], 6);
  EXPECT_EQ(report_of["deliveries"]["lost"], 0);
}

} // namespace
} // namespace herald::bench
