// The webhook's receiver is killed at any instant while pages come and go and publishers publish:
// it is told of each stream that it opened and that it closed, once or more, in order.

#include <map>
#include <string>
#include <vector>

#include "tests/chaos/crowd.hpp"
#include "tests/chaos/publisher.hpp"
#include "tests/chaos/scenario.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/webhook_receiver.hpp"

namespace herald::testing {
namespace {

using namespace std::chrono_literals;

class Webhooks : public scenario {
protected:
  temporary_folder folder;
  webhook_receiver receiver;
};

TEST_F(Webhooks, TellEachPairInOrderHoweverOftenTheReceiverIsKilled) {
  receiver.start();
  herald_process herald{
    {"--webhook-url", receiver.url(), "--webhook-secret-file", receiver.secret_file(),
     "--webhook-min-backoff-ms", "20", "--webhook-max-backoff-ms", "200", "--journal-path",
     folder / "journal.db", "--journal-sync", "normal", "--stream-retry-ms", "50", "--log-level",
     "warning"}};
  http_client api{herald.api_port()};
  double opened = 0;
  {
    crowd::options how;
    how.pages = size<std::size_t>(30, 200);
    how.seed = seed();
    how.retry = 50ms;
    crowd pages{herald.stream_port(), how};
    ASSERT_TRUE(pages.all_open());
    auto publishers =
      start_publishers(herald.api_port(), 2, {size<std::chrono::milliseconds>(5ms, 20ms), 1, 50});
    const auto kills = size<std::size_t>(6, 50);
    for (std::size_t i = 0; i < kills; ++i) {
      pages.turns_for(pause(size<std::size_t>(200, 1000)));
      // It dies while it is told much.
      for (std::size_t some = pages.size() / 2; some != 0; --some)
        pages.leave(below(pages.size()));
      pages.turns_for(pause(30));
      receiver.kill();
      pages.turns_for(pause(300));
      receiver.start();
    }
    ASSERT_TRUE(pages.all_open(60s));
    const auto taken = stop_all(publishers);
    EXPECT_TRUE(pages.caught_up(taken, 60s));
    EXPECT_EQ(pages.complaints(taken), "") << "publishing does not suffer";
    opened = metric(api, R"(sse_gateway_connections_total{action="connect"})");
    result("kills", kills);
  }
  EXPECT_TRUE(eventually([&] {
    return metric(api, "sse_gateway_active_connections") == 0
           && metric(api, "herald_webhook_queue_events") == 0;
  }));
  EXPECT_EQ(metric(api, R"(herald_webhook_lost_total{reason="full"})"), 0);
  EXPECT_EQ(metric(api, R"(herald_webhook_lost_total{reason="age"})"), 0);
  EXPECT_EQ(herald.terminate(), exited(0));

  std::map<std::string, std::string> streams;
  std::map<std::string, bool> pages;
  std::uint64_t last = 0;
  const auto events = receiver.events();
  for (const auto& event : events) {
    ASSERT_FALSE(event.contains("refused")) << event;
    const auto number = std::stoull(event["id"].get<std::string>().substr(4));
    EXPECT_GT(number, last) << "first told out of order";
    last = number;
    const auto type = event["type"].get<std::string>();
    auto& told = streams[event["data"]["token"].get<std::string>()];
    EXPECT_EQ(told, type == "stream.opened" ? "" : "stream.opened") << event;
    told = type;
    auto& open = pages[event["data"]["request_id"].get<std::string>()];
    EXPECT_NE(open, type == "stream.opened") << event;
    open = type == "stream.opened";
  }
  EXPECT_EQ(streams.size(), static_cast<std::size_t>(opened));
  for (const auto& [stream, told] : streams)
    EXPECT_EQ(told, "stream.closed") << stream;
  result("streams", streams.size());
  result("told_again", receiver.arrivals().size() - events.size());
}

} // namespace
} // namespace herald::testing
