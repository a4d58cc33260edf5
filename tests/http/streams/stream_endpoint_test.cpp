#include "http/streams/stream_endpoint.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/access/authorizer.hpp"
#include "http/access/ticket_book.hpp"
#include "http/access/token_judge.hpp"
#include "http/streams/stream_loop.hpp"
#include "messages/type_ids.hpp"
#include "tests/support/asked_application.hpp"
#include "tests/support/audiences.hpp"
#include "tests/support/chunked_body.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/loopback.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto patience = 10s;

/// What a mock owner of the streams was told, and what it does when a client comes.
struct owner_notes {
  std::mutex mutex;
  std::vector<open_connection> opened;
  std::vector<stream_closed> closed;
  /// Streams whose end it was told of before their beginning.
  std::size_t strays = 0;
  std::vector<delivery_failed> failed;
  std::vector<delivery_settled> settled;
  std::function<void(const open_connection&)> answer;

  /// The first of some notes. A copy: more may be written at any time.
  template <class Note>
  [[nodiscard]] Note first(std::vector<Note> owner_notes::*notes) {
    const std::lock_guard lock{mutex};
    return (this->*notes).at(0);
  }

  template <class Predicate>
  [[nodiscard]] bool eventually(Predicate holds) {
    const auto deadline = clock::now() + patience;
    while (clock::now() < deadline) {
      {
        const std::lock_guard lock{mutex};
        if (holds())
          return true;
      }
      std::this_thread::yield();
    }
    return false;
  }
};

stream_owner_actor::behavior_type
mock_owner(stream_owner_actor::pointer, const std::shared_ptr<owner_notes>& notes) {
  return {
    [notes](const open_connection& asked) {
      notes->answer(asked);
      const std::lock_guard lock{notes->mutex};
      notes->opened.push_back(asked);
    },
    [notes](const open_connections& asked) {
      for (const auto& one : asked.all) {
        notes->answer(one);
        const std::lock_guard lock{notes->mutex};
        notes->opened.push_back(one);
      }
    },
    [notes](const stream_closed& fact) {
      const std::lock_guard lock{notes->mutex};
      if (std::none_of(notes->opened.begin(), notes->opened.end(), [&](const auto& asked) {
            return asked.stream == fact.stream;
          }))
        ++notes->strays;
      notes->closed.push_back(fact);
    },
    [notes](const delivery_failed& fact) {
      const std::lock_guard lock{notes->mutex};
      notes->failed.push_back(fact);
    },
    [notes](const delivery_settled& fact) {
      const std::lock_guard lock{notes->mutex};
      notes->settled.push_back(fact);
    },
    [](const send_to_stream&) -> result<send_status> {
      ADD_FAILURE() << "not for a transport";
      return send_status::sent;
    },
  };
}

/// A browser, as plain as it gets. Gives a chunked answer without its chunks.
class client {
public:
  struct may_fail_t {};
  static constexpr may_fail_t may_fail{};

  client(std::uint16_t port, const std::string& request, int receive_buffer = 0)
    : client(port, request, may_fail, receive_buffer) {
    EXPECT_TRUE(connected_);
  }
  client(std::uint16_t port, const std::string& request, may_fail_t, int receive_buffer = 0)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer != 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const auto to = testing::loopback(port);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    if (connected_)
      send(request);
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  void send(const std::string& bytes) const {
    EXPECT_EQ(
      ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

  [[nodiscard]] bool connected() const noexcept { return connected_; }

  void half_close() const { ::shutdown(fd_, SHUT_WR); }

  /// Reads until `text` has come, and gives everything that has come since the start.
  const std::string& until(const std::string& text) {
    const auto deadline = clock::now() + patience;
    while (all_.find(text) == std::string::npos)
      if (!read_some(deadline)) {
        ADD_FAILURE() << "no '" << text << "' in: " << all_.substr(0, 2000);
        break;
      }
    return all_;
  }

  /// Reads until the server closes.
  const std::string& to_end() {
    const auto deadline = clock::now() + patience;
    while (read_some(deadline)) {
    }
    EXPECT_TRUE(ended_) << "still open after: " << all_.substr(0, 2000);
    return all_;
  }

  /// Whether the last chunk has come, and nothing behind it.
  [[nodiscard]] bool complete() const {
    return chunks_ && chunks_->now() == testing::chunked_body::state::done && !more_;
  }

  /// All that has come, as it came.
  [[nodiscard]] const std::string& raw() const noexcept { return raw_; }

private:
  bool read_some(clock::time_point deadline) {
    pollfd waits{fd_, POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
    if (left.count() <= 0 || ::poll(&waits, 1, static_cast<int>(left.count())) <= 0)
      return false;
    char bytes[65536];
    const auto size = ::recv(fd_, bytes, sizeof bytes, 0);
    if (size <= 0) {
      ended_ = true;
      return false;
    }
    take({bytes, static_cast<std::size_t>(size)});
    return true;
  }

  void take(std::string_view bytes) {
    raw_ += bytes;
    if (!in_body_) {
      all_ += bytes;
      const auto end = all_.find("\r\n\r\n");
      if (end == std::string::npos)
        return;
      in_body_ = true;
      bytes = std::string_view{raw_}.substr(end + 4);
      all_.erase(end + 4);
      if (all_.find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos)
        chunks_.emplace(std::numeric_limits<std::size_t>::max());
    }
    if (!chunks_) {
      all_ += bytes;
      return;
    }
    more_ = chunks_->feed(bytes) != bytes.size();
    EXPECT_NE(chunks_->now(), testing::chunked_body::state::malformed) << raw_;
    all_ += std::exchange(chunks_->body(), {});
  }

  int fd_;
  bool connected_ = false;
  std::string raw_;
  std::string all_;
  bool in_body_ = false;
  std::optional<testing::chunked_body> chunks_;
  /// Something came behind the last chunk.
  bool more_ = false;
  bool ended_ = false;
};

/// Where the mock owner says that streams are live from, and what they are told of it.
constexpr event_id live_from{900'000};
constexpr const char* opening_block = "id: 900000\n\n";

std::string get(const std::string& id) {
  return "GET /api/sse/stream?request_id=" + id + " HTTP/1.1\r\nHost: herald\r\n\r\n";
}

class StreamEndpoint : public ::testing::Test {
protected:
  StreamEndpoint() {
    options.port = 0;
    options.threads = 2;
    notes->answer = [](const open_connection& asked) {
      caf::anon_send(asked.via, attach_stream{asked.stream, {}, false, live_from});
    };
    owner = system.spawn(mock_owner, notes);
  }

  ~StreamEndpoint() override {
    endpoint.reset();
    caf::anon_send_exit(owner, caf::exit_reason::kill);
    owner = nullptr;
    const std::lock_guard lock{notes->mutex};
    notes->opened.clear();
  }

  void start() {
    endpoint = std::make_unique<stream_endpoint>(system, options, owner, numbers);
    endpoint->start();
  }

  std::unique_ptr<client> connect(const std::string& request, int receive_buffer = 0) {
    return std::make_unique<client>(endpoint->port(), request, receive_buffer);
  }

  /// A stream that is open.
  std::unique_ptr<client> stream(const std::string& id, int receive_buffer = 0) {
    auto made = connect(get(id), receive_buffer);
    made->until(opening_block);
    EXPECT_TRUE(notes->eventually([&] {
      return std::any_of(notes->opened.begin(), notes->opened.end(), [&](const auto& asked) {
        return asked.id.str() == id;
      });
    }));
    return made;
  }

  open_connection asked_for(const std::string& id) {
    const std::lock_guard lock{notes->mutex};
    for (const auto& asked : notes->opened)
      if (asked.id.str() == id)
        return asked;
    ADD_FAILURE() << id << " was not asked for";
    return {};
  }

  static event_ptr make_event(std::uint64_t id, std::string data) {
    return std::make_shared<event>(
      event{{id}, "e", std::move(data), service_type::event, clock::now()});
  }

  static deliver to_all(std::uint64_t id, std::string data, ticket_id ticket = 0) {
    return {
      std::make_shared<std::vector<delivery>>(
        std::vector<delivery>{{make_event(id, std::move(data)), std::nullopt}}),
      ticket};
  }

  static deliver to_one(const token& only, std::uint64_t id, std::string data) {
    return {
      std::make_shared<std::vector<delivery>>(
        std::vector<delivery>{{make_event(id, std::move(data)), only}}),
      0};
  }

  /// Loops that have streams, each once.
  std::vector<delivery_actor> transports() {
    const std::lock_guard lock{notes->mutex};
    std::vector<delivery_actor> found;
    for (const auto& asked : notes->opened)
      if (std::find(found.begin(), found.end(), asked.via) == found.end())
        found.push_back(asked.via);
    return found;
  }

  bool shows(const std::string& line) const {
    return numbers.render().find(line) != std::string::npos;
  }

  bool eventually_shows(const std::string& line) {
    return notes->eventually([&] { return shows(line); });
  }

  struct config : caf::actor_system_config {
    config() { set("scheduler.max-threads", 2); }
  };

  metrics numbers;
  config config_;
  caf::actor_system system{config_};
  std::shared_ptr<owner_notes> notes = std::make_shared<owner_notes>();
  stream_owner_actor owner;
  stream_options options;
  std::unique_ptr<stream_endpoint> endpoint;
};

TEST_F(StreamEndpoint, OpensAStreamOnceItsOwnerSaysSo) {
  start();
  const auto reader = stream("a");
  const auto& got = reader->until(opening_block);
  EXPECT_EQ(got.find("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"), 0u);
  EXPECT_NE(got.find("\r\nCache-Control: no-cache, no-transform\r\n"), std::string::npos);
  EXPECT_NE(got.find("\r\nX-Accel-Buffering: no\r\n"), std::string::npos);
  EXPECT_NE(got.find("\r\nAccess-Control-Allow-Origin: *\r\n"), std::string::npos);
  EXPECT_NE(got.find("\r\n\r\nretry: "), std::string::npos);
}

TEST_F(StreamEndpoint, TellsClientsWhenToComeBackAsTheSettingHasItByDefault) {
  start();
  for (int i = 0; i < 10; ++i) {
    const auto reader = stream("r" + std::to_string(i));
    const auto& got = reader->until(opening_block);
    const auto retry = std::stoi(got.substr(got.find("retry: ") + 7));
    EXPECT_GE(retry, 3000);
    EXPECT_LE(retry, 6000);
  }
}

TEST_F(StreamEndpoint, PassesTheRequestToItsOwner) {
  start();
  const auto reader = connect(
    "GET /api/sse/stream?request_id=a%20b HTTP/1.0\r\nX: y\r\nUser-Agent: " + std::string(300, 'a')
    + "\r\n\r\n");
  const auto& got = reader->until(opening_block);
  EXPECT_NE(got.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_NE(got.find("\r\n\r\nretry: "), std::string::npos) << "no chunks";
  ASSERT_TRUE(notes->eventually([&] { return notes->opened.size() == 1; }));
  EXPECT_EQ(notes->first(&owner_notes::opened).id.str(), "a b");
  EXPECT_EQ(notes->first(&owner_notes::opened).url, "/api/sse/stream");
  const auto client = notes->first(&owner_notes::opened).client;
  ASSERT_TRUE(client);
  EXPECT_EQ(client->address, "127.0.0.1");
  EXPECT_EQ(client->agent, std::string(max_agent_bytes, 'a'));
  EXPECT_EQ(notes->first(&owner_notes::opened).headers, nullptr);
}

/// The same through io_uring and without it.
class StreamEndpointFraming : public StreamEndpoint, public ::testing::WithParamInterface<bool> {};

TEST_P(StreamEndpointFraming, IsAChunkAFrameAndNoneForHttp10) {
  options.threads = 1;
  options.io_uring = GetParam();
  options.retry_ms = 0ms;
  start();
  std::vector<std::unique_ptr<client>> readers;
  for (int i = 0; i < 6; ++i) {
    const auto version = i % 2 == 0 ? "1.1" : "1.0";
    readers.push_back(connect(
      "GET /api/sse/stream?request_id=r" + std::to_string(i) + " HTTP/" + version
      + "\r\nHost: h\r\n\r\n"));
    readers.back()->until(opening_block);
  }
  ASSERT_TRUE(notes->eventually([&] { return notes->opened.size() == 6; }));
  for (int i = 0; i < 6; ++i) {
    const auto asked = asked_for("r" + std::to_string(i));
    caf::anon_send(asked.via, to_one(asked.stream, 1, "mine"));
  }
  caf::anon_send(transports().front(), to_all(2, "ours"));
  for (auto& reader : readers)
    reader->until("data: ours\n\n");
  endpoint->drain(clock::now() + patience);
  const std::string first = "retry: 0\nid: 900000\n\n";
  const std::string mine = "id: 1\nevent: e\ndata: mine\n\n";
  const std::string ours = "id: 2\nevent: e\ndata: ours\n\n";
  for (std::size_t i = 0; i < readers.size(); ++i) {
    auto& reader = *readers[i];
    reader.to_end();
    auto body = reader.raw();
    body.erase(0, body.find("\r\n\r\n") + 4);
    const auto farewell = body.rfind("retry: ");
    ASSERT_NE(farewell, std::string::npos) << body;
    if (i % 2 != 0) {
      EXPECT_EQ(body.substr(0, farewell), first + mine + ours);
      EXPECT_TRUE(body.ends_with("\n") && !body.ends_with("\r\n")) << body;
      continue;
    }
    const auto chunks = "15\r\n" + first + "\r\n1b\r\n" + mine + "\r\n1b\r\n" + ours + "\r\n";
    EXPECT_TRUE(body.starts_with(chunks)) << body;
    EXPECT_TRUE(body.ends_with("\n\r\n0\r\n\r\n")) << body;
    EXPECT_TRUE(reader.complete());
  }
}

INSTANTIATE_TEST_SUITE_P(
  Sends, StreamEndpointFraming, ::testing::Values(true, false),
  [](const auto& uring) { return uring.param ? "InOneCall" : "EachByItself"; });

TEST_F(StreamEndpoint, KeepsTheOrderOfEachPublisherWithItsTargetedEventsBetween) {
  options.threads = 1;
  start();
  std::vector<std::unique_ptr<client>> readers;
  for (int i = 0; i < 20; ++i)
    readers.push_back(stream("r" + std::to_string(i)));
  const auto one = asked_for("r7");
  constexpr int events = 300;
  std::vector<std::thread> publishers;
  for (int p = 0; p < 4; ++p)
    publishers.emplace_back([&, p] {
      for (int i = 0; i < events; ++i) {
        const auto text = "p" + std::to_string(p) + "." + std::to_string(i);
        if (i % 3 == 0)
          caf::anon_send(one.via, to_one(one.stream, 1, text + ";"));
        else
          caf::anon_send(one.via, to_all(1, text + ";"));
      }
    });
  for (auto& publisher : publishers)
    publisher.join();
  caf::anon_send(one.via, to_all(2, "the end"));
  for (int r = 0; r < 20; ++r) {
    const auto& got = readers[static_cast<std::size_t>(r)]->until("the end");
    for (int p = 0; p < 4; ++p) {
      std::size_t at = 0;
      for (int i = 0; i < events; ++i) {
        const auto text = "data: p" + std::to_string(p) + "." + std::to_string(i) + ";\n";
        if (i % 3 == 0 && r != 7) {
          EXPECT_EQ(got.find(text), std::string::npos);
          continue;
        }
        at = got.find(text, at);
        ASSERT_NE(at, std::string::npos) << text << " of reader " << r;
      }
    }
  }
}

TEST_F(StreamEndpoint, ReachesStreamsOnAllLoops) {
  options.threads = 3;
  start();
  std::vector<std::unique_ptr<client>> readers;
  for (int i = 0; i < 60; ++i)
    readers.push_back(stream("r" + std::to_string(i)));
  for (const auto& via : transports())
    caf::anon_send(via, to_all(5, "hello"));
  for (auto& reader : readers)
    reader->until("id: 5\nevent: e\ndata: hello\n\n");
  EXPECT_TRUE(
    eventually_shows("sse_gateway_events_sent_total{service=\"event\",status=\"success\"} 60"));
}

TEST_F(StreamEndpoint, TellsAReplacedStreamToStayAway) {
  start();
  const auto reader = stream("a");
  const auto asked = asked_for("a");
  caf::anon_send(asked.via, to_all(1, "due"));
  auto farewell = std::make_shared<event>();
  farewell->name = "replaced";
  farewell->data = "{}";
  caf::anon_send(asked.via, close_stream{asked.stream, close_reason::replaced, farewell});
  const auto& got = reader->to_end();
  const auto due = got.find("data: due\n\n");
  ASSERT_NE(due, std::string::npos);
  EXPECT_EQ(got.substr(due + 11), "retry: 60000\nevent: replaced\ndata: {}\n\n");
  EXPECT_TRUE(reader->complete());
  ASSERT_TRUE(notes->eventually([&] { return !notes->closed.empty(); }));
  EXPECT_EQ(notes->first(&owner_notes::closed).stream, asked.stream);
  EXPECT_EQ(notes->first(&owner_notes::closed).reason, end_reason::server_closed);
}

TEST_F(StreamEndpoint, DropsASlowReaderAndNobodyElse) {
  options.threads = 1;
  options.log_bytes = 512 * 1024;
  start();
  const auto slow = stream("slow", 4096);
  const auto good = stream("good");
  const auto asked = asked_for("slow");
  std::size_t sent = 0;
  const std::string text(50000, 'x');
  // As fast as the good one reads, until the slow one's socket and log are full.
  while (!shows("herald_stream_lagged_total 1") && sent < 1000) {
    ++sent;
    caf::anon_send(asked.via, to_all(sent, text));
    good->until("id: " + std::to_string(sent) + "\n");
  }
  EXPECT_TRUE(shows("herald_stream_lagged_total 1"));
  caf::anon_send(asked.via, to_all(77777, "still here"));
  good->until("still here");
  const auto& got = slow->to_end();
  const auto told = got.find("event: lagged\n");
  if (told != std::string::npos) {
    EXPECT_EQ(got.substr(told - 2, 2), "\n\n") << "not in the middle of an event";
  }
  ASSERT_TRUE(notes->eventually([&] { return !notes->closed.empty(); }));
  EXPECT_EQ(notes->first(&owner_notes::closed).stream, asked.stream);
  EXPECT_EQ(notes->first(&owner_notes::closed).reason, end_reason::error);
}

TEST_F(StreamEndpoint, GivesAClientUpThatTakesNothingAndTellsIt) {
  options.threads = 1;
  options.unreachable_s = 300ms;
  start();
  const auto stuck = stream("stuck", 4096);
  const auto good = stream("good");
  const auto asked = asked_for("stuck");
  caf::anon_send(asked.via, to_one(asked.stream, 1, std::string(500000, 'x')));
  ASSERT_TRUE(notes->eventually([&] { return !notes->closed.empty(); }));
  EXPECT_EQ(notes->first(&owner_notes::closed).stream, asked.stream);
  EXPECT_TRUE(shows("herald_stream_unreachable_total 1"));
  // What the kernel still had for it comes through, and the end behind it.
  EXPECT_GT(stuck->to_end().size(), 4096U);
  EXPECT_FALSE(stuck->complete()) << "a client can tell that the end is missing";
  caf::anon_send(asked.via, to_all(2, "still here"));
  good->until("still here");
}

TEST_F(StreamEndpoint, TakesAHalfCloseForTheEnd) {
  start();
  const auto reader = stream("a");
  reader->half_close();
  reader->to_end();
  ASSERT_TRUE(notes->eventually([&] { return !notes->closed.empty(); }));
  EXPECT_EQ(notes->first(&owner_notes::closed).reason, end_reason::client_closed);
}

TEST_F(StreamEndpoint, TellsOfAClientThatLeavesBeforeItsStreamOpens) {
  notes->answer = [](const open_connection&) {
  };
  start();
  auto reader = connect(get("a"));
  ASSERT_TRUE(notes->eventually([&] { return notes->opened.size() == 1; }));
  reader.reset();
  ASSERT_TRUE(notes->eventually([&] { return notes->closed.size() == 1; }));
  EXPECT_EQ(notes->first(&owner_notes::closed).stream, notes->first(&owner_notes::opened).stream);
}

TEST_F(StreamEndpoint, TellsOfManyThatComeAndGoAtOnceInTheirOrder) {
  constexpr std::size_t clients = 300;
  options.threads = 1;
  notes->answer = [](const open_connection&) {
  };
  start();
  for (std::size_t i = 0; i < clients; ++i)
    (void)connect(get("c" + std::to_string(i)));
  ASSERT_TRUE(notes->eventually([&] { return notes->closed.size() == clients; }));
  const std::lock_guard lock{notes->mutex};
  EXPECT_EQ(notes->opened.size(), clients);
  EXPECT_EQ(notes->strays, 0u);
}

TEST_F(StreamEndpoint, PassesARefusalOn) {
  notes->answer = [](const open_connection& asked) {
    const auto id = asked.id.str();
    const auto status = static_cast<std::uint16_t>(id == "up" ? 403 : id == "busy" ? 503 : 0);
    caf::anon_send(
      asked.via, refuse_stream{asked.stream, {ec::shutting_down, "not now", {}}, status});
  };
  start();
  const auto ours = connect(get("own"))->to_end();
  EXPECT_EQ(ours.find("HTTP/1.1 503 "), 0u) << ours;
  EXPECT_NE(ours.find("\r\nRetry-After: "), std::string::npos);
  EXPECT_NE(ours.find("\r\nAccess-Control-Allow-Origin: *\r\n"), std::string::npos);
  EXPECT_NE(ours.find(R"("detail":"not now")"), std::string::npos);
  const auto busy = connect(get("busy"))->to_end();
  EXPECT_EQ(busy.find("HTTP/1.1 503 "), 0u) << busy;
  EXPECT_NE(busy.find("\r\nRetry-After: "), std::string::npos);
  const auto theirs = connect(get("up"))->to_end();
  EXPECT_EQ(theirs.find("HTTP/1.1 403 "), 0u) << theirs;
  EXPECT_NE(theirs.find(R"("status":403,"detail":"not now")"), std::string::npos) << theirs;
}

TEST_F(StreamEndpoint, TellsEventSourceToComeBackByAStreamThatEnds) {
  options.threads = 1;
  options.max_streams = 2;
  options.open_timeout = 100ms;
  notes->answer = [](const open_connection& asked) {
    if (asked.id.str() == "refused")
      caf::anon_send(asked.via, refuse_stream{asked.stream, {ec::overloaded, "no room", {}}, 0});
    else if (asked.id.str() != "unanswered")
      caf::anon_send(asked.via, attach_stream{asked.stream, {}, false, live_from});
  };
  start();
  const auto answer_to = [this](const std::string& id) {
    return connect(
             "GET /api/sse/stream?request_id=" + id
             + " HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n")
      ->to_end();
  };
  const auto expect_answer = [](const std::string& got, const std::string& why) {
    EXPECT_TRUE(got.starts_with("HTTP/1.1 200 ")) << got;
    EXPECT_NE(got.find("\r\nContent-Type: text/event-stream\r\n"), std::string::npos) << got;
    EXPECT_NE(got.find("\r\nAccess-Control-Allow-Origin: *\r\n"), std::string::npos) << got;
    EXPECT_NE(got.find("\r\n\r\nretry: "), std::string::npos) << got;
    EXPECT_TRUE(got.ends_with("\n: " + why + "\n")) << got;
  };
  expect_answer(answer_to("refused"), "Overloaded: no room");
  expect_answer(answer_to("unanswered"), "Overloaded: the stream could not be registered in time");
  EXPECT_TRUE(eventually_shows("herald_stream_refused_total{reason=\"by_owner\"} 1"));
  EXPECT_TRUE(shows("herald_stream_refused_total{reason=\"unanswered\"} 1"));
  ASSERT_TRUE(notes->eventually([&] { return notes->closed.size() == 1; }));
  const auto first = stream("a");
  const auto second = stream("b");
  expect_answer(answer_to("third"), "Too many streams: no more streams here");
}

TEST_F(StreamEndpoint, SettlesTickets) {
  options.threads = 1;
  start();
  const auto first = stream("a");
  const auto second = stream("b");
  const auto asked = asked_for("a");
  caf::anon_send(asked.via, to_all(1, "x", 41));
  ASSERT_TRUE(notes->eventually([&] { return notes->settled.size() == 1; }));
  EXPECT_EQ(notes->first(&owner_notes::settled).ticket, 41u);
  EXPECT_EQ(notes->first(&owner_notes::settled).delivered, 2u);
}

TEST_F(StreamEndpoint, AnswersATicketInTimeWhereAStreamDoesNotRead) {
  options.threads = 1;
  options.log_bytes = std::size_t{64} * 1024 * 1024;
  start();
  const auto stuck = stream("stuck", 4096);
  const auto good = stream("good");
  const auto asked = asked_for("stuck");
  // More than its socket takes.
  caf::anon_send(asked.via, to_all(1, std::string(std::size_t{12} * 1024 * 1024, 'x')));
  caf::anon_send(asked.via, to_all(2, "behind it"));
  good->until("id: 2\n");
  auto order = to_all(3, "x", 41);
  order.answer_by = clock::now() + std::chrono::milliseconds{400};
  caf::anon_send(asked.via, order);
  ASSERT_TRUE(notes->eventually([&] { return notes->settled.size() == 1; }));
  EXPECT_GE(clock::now(), order.answer_by);
  EXPECT_EQ(notes->first(&owner_notes::settled).delivered, 1u);
  EXPECT_EQ(notes->first(&owner_notes::settled).pending, 1u);
}

TEST_F(StreamEndpoint, SaysWhichStreamDoesNotExist) {
  start();
  const auto reader = stream("a");
  const auto asked = asked_for("a");
  const auto unknown = token::from_bits(1, 2);
  caf::anon_send(asked.via, to_one(unknown, 1, "x"));
  ASSERT_TRUE(notes->eventually([&] { return notes->failed.size() == 1; }));
  EXPECT_EQ(notes->first(&owner_notes::failed).stream, unknown);
  EXPECT_TRUE(
    eventually_shows("sse_gateway_events_sent_total{service=\"event\",status=\"error\"} 1"));
}

TEST_F(StreamEndpoint, SaysHowManyVersionsItCouldNotSend) {
  options.threads = 1;
  // Before the loop has a table of descriptors of its own.
  const testing::log_capture log;
  start();
  const auto reader = stream("a");
  const auto asked = asked_for("a");
  auto version = std::make_shared<event>(*make_event(1, "x"));
  version->service = service_type::version;
  const std::vector<delivery> batch(2, {version, token::from_bits(1, 2)});
  caf::anon_send(asked.via, deliver{std::make_shared<const std::vector<delivery>>(batch), 0});
  ASSERT_TRUE(notes->eventually([&] { return !log.lines("versions_not_sent").empty(); }));
  EXPECT_EQ(
    log.lines("versions_not_sent"),
    (std::vector<std::string>{"warning stream-endpoint versions_not_sent loop=0 count=2 "
                              "why=\"their streams have ended\""}));
}

/// What the loops that there are run at, in steps of nice behind this thread.
std::vector<int> steps_of_loops() {
  std::vector<int> steps;
  for (const auto& thread : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::string name;
    if (!std::getline(std::ifstream{thread.path() / "comm"}, name) || name != "stream-loop")
      continue;
    const auto id = static_cast<id_t>(std::stoul(thread.path().filename()));
    steps.push_back(::getpriority(PRIO_PROCESS, id) - ::getpriority(PRIO_PROCESS, 0));
  }
  return steps;
}

TEST_F(StreamEndpoint, RunsLoopsBehindOtherThreadsWhereThereAreMoreThanCores) {
  options.threads = std::thread::hardware_concurrency() + 1;
  start();
  const auto steps = std::min(5, 19 - ::getpriority(PRIO_PROCESS, 0));
  EXPECT_EQ(steps_of_loops(), std::vector<int>(options.threads, steps));
}

TEST_F(StreamEndpoint, RunsALoopForEachCoreAsOtherThreads) {
  start();
  const auto steps = steps_of_loops();
  EXPECT_FALSE(steps.empty());
  EXPECT_EQ(steps, std::vector<int>(steps.size(), 0));
}

TEST_F(StreamEndpoint, SendsHeartbeatsOnQuietStreams) {
  options.heartbeat_s = 20ms;
  start();
  const auto reader = stream("a");
  reader->until(": heartbeat\n: heartbeat\n");
}

TEST_F(StreamEndpoint, SendsHeartbeatsAsEventsToStreamsThatAskForThem) {
  options.heartbeat_s = 20ms;
  start();
  const auto other = stream("other");
  const auto watching =
    connect("GET /api/sse/stream?request_id=a&heartbeat=event HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string heartbeat = "event: heartbeat\ndata: \n\n";
  watching->until(heartbeat);
  const auto got = other->until(": heartbeat\n: heartbeat\n");
  EXPECT_EQ(got.find("event: "), std::string::npos) << got;
}

TEST_F(StreamEndpoint, SendsHeartbeatsAsCommentsToWhoFollowsOneThatAskedForEvents) {
  options.threads = 1;
  options.heartbeat_s = 20ms;
  start();
  auto watching =
    connect("GET /api/sse/stream?request_id=a&heartbeat=event HTTP/1.1\r\nHost: h\r\n\r\n");
  watching->until("event: heartbeat\ndata: \n\n");
  watching.reset();
  ASSERT_TRUE(notes->eventually([&] { return notes->closed.size() == 1; }));
  // The only free slot of the only loop is that of the stream that has ended.
  const auto next = stream("b");
  const auto got = next->until(": heartbeat\n: heartbeat\n: heartbeat\n");
  EXPECT_EQ(got.find("event: "), std::string::npos) << got;
}

TEST_F(StreamEndpoint, SendsHeartbeatsAsEventsToAllStreamsWhereThatIsSet) {
  options.heartbeat_s = 20ms;
  options.heartbeat_event = true;
  start();
  const auto reader = stream("a");
  const std::string heartbeat = "event: heartbeat\ndata: \n\n";
  const auto got = reader->until(heartbeat + heartbeat);
  EXPECT_EQ(got.find(": heartbeat\n: "), std::string::npos) << got;
}

TEST_F(StreamEndpoint, EndsNothingWithAnEmptyLineButEventsAndItsFirstBlock) {
  options.heartbeat_s = 20ms;
  // Without jitter.
  options.retry_ms = 0ms;
  start();
  const auto reader = stream("a");
  const auto asked = asked_for("a");
  reader->until(": heartbeat\n");
  caf::anon_send(asked.via, to_all(900'001, "x"));
  reader->until("data: x\n");
  endpoint->drain(clock::now() + patience);
  std::string got = reader->to_end();
  got.erase(0, got.find("\r\n\r\n") + 4);
  const std::string heartbeat = ": heartbeat\n";
  for (auto at = got.find(heartbeat); at != std::string::npos; at = got.find(heartbeat))
    got.erase(at, heartbeat.size());
  const auto farewell = got.rfind("retry: ");
  ASSERT_NE(farewell, std::string::npos);
  EXPECT_EQ(got.substr(0, farewell), "retry: 0\nid: 900000\n\nid: 900001\nevent: e\ndata: x\n\n");
  EXPECT_EQ(got.find('\n', farewell), got.size() - 1);
}

TEST_F(StreamEndpoint, SaysFromWhereAStreamIsLiveBehindWhatItHasMissed) {
  notes->answer = [](const open_connection& asked) {
    missed_events missed{{make_event(5, "gap")}, {}, plain_reach(asked.id.str()), {}};
    caf::anon_send(asked.via, attach_stream{asked.stream, missed, false, live_from});
  };
  start();
  const auto reader = connect(get("a"));
  const auto& got = reader->until(opening_block);
  const std::string end = "\nid: 5\nevent: e\ndata: gap\n\n" + std::string{opening_block};
  EXPECT_TRUE(got.ends_with(end)) << got;
}

TEST_F(StreamEndpoint, TakesHeadsOf16KiBUnlessToldOtherwise) {
  start();
  const std::string begin = "GET /api/sse/stream?request_id=a HTTP/1.1\r\nHost: h\r\nCookie: a=";
  const std::string end = "\r\n\r\n";
  const std::string cookie(16'384 - begin.size() - end.size(), 'x');
  EXPECT_EQ(connect(begin + cookie + end)->until("\r\n\r\n").find("HTTP/1.1 200 "), 0u);
  EXPECT_EQ(connect(begin + cookie + "x" + end)->to_end().find("HTTP/1.1 431 "), 0u);
}

TEST_F(StreamEndpoint, RefusesBrokenHeads) {
  options.max_head_bytes = 1024;
  options.head_timeout_ms = 100ms;
  start();
  EXPECT_EQ(connect("\x01\x02 garbage\r\n\r\n")->to_end().find("HTTP/1.1 400 "), 0u);
  const auto large = "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x') + "\r\n\r\n";
  EXPECT_EQ(connect(large)->to_end().find("HTTP/1.1 431 "), 0u);
  EXPECT_EQ(connect("GET / HTT")->to_end().find("HTTP/1.1 408 "), 0u);
  EXPECT_EQ(
    connect("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
      ->to_end()
      .find("HTTP/1.1 400 "),
    0u);
  EXPECT_TRUE(eventually_shows("herald_stream_refused_total{reason=\"head_too_large\"} 1"));
  EXPECT_TRUE(shows("herald_stream_refused_total{reason=\"head_timed_out\"} 1"));
  EXPECT_TRUE(shows("herald_stream_refused_total{reason=\"malformed\"} 2"));
}

TEST_F(StreamEndpoint, AnswersWhatIsNotAStream) {
  start();
  EXPECT_EQ(
    connect("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")->to_end().find("HTTP/1.1 200 "), 0u);
  EXPECT_EQ(connect("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")->to_end().find("HTTP/1.1 404 "), 0u);
  const auto post = connect(
    "POST /api/sse/stream HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n"
    + std::string(50000, 'x'));
  EXPECT_NE(post->to_end().find("\r\nAllow: GET, HEAD, OPTIONS\r\n"), std::string::npos);
  const auto head =
    connect("HEAD /api/sse/stream?request_id=a HTTP/1.1\r\nHost: h\r\n\r\n")->to_end();
  EXPECT_EQ(head.substr(head.size() - 4), "\r\n\r\n");
  EXPECT_TRUE(notes->opened.empty());
}

TEST_F(StreamEndpoint, RefusesStreamsBeyondItsLimits) {
  options.max_streams = 2;
  start();
  const auto first = stream("a");
  auto second = stream("b");
  const auto got = connect(get("c"))->to_end();
  EXPECT_EQ(got.find("HTTP/1.1 503 "), 0u);
  EXPECT_NE(got.find("\r\nRetry-After: "), std::string::npos);
  EXPECT_TRUE(shows("herald_stream_refused_total{reason=\"too_many\"} 1"));
  second.reset();
  ASSERT_TRUE(notes->eventually([&] { return notes->closed.size() == 1; }));
  stream("d");
}

TEST_F(StreamEndpoint, LeavesDescriptorsToClientsThatAreNotStreamsYet) {
  EXPECT_EQ(stream_loop::streams_in(20'000), 19'488u);
  EXPECT_EQ(stream_loop::streams_in(100), 50u) << "half of a small table";
}

TEST_F(StreamEndpoint, AdmitsAStormAsFastAsItsOwnerRegistersIt) {
  options.threads = 1;
  options.max_openings = 2;
  std::vector<open_connection> held;
  notes->answer = [&held](const open_connection& asked) {
    held.push_back(asked);
  };
  start();
  const auto first = connect(get("a"));
  const auto second = connect(get("b"));
  ASSERT_TRUE(notes->eventually([&] { return notes->opened.size() == 2; }));
  const auto refused = connect(get("c"))->to_end();
  EXPECT_EQ(refused.find("HTTP/1.1 503 "), 0u) << refused;
  EXPECT_NE(refused.find("\r\nRetry-After: "), std::string::npos);
  EXPECT_TRUE(shows("herald_stream_refused_total{reason=\"too_many_openings\"} 1"));
  caf::anon_send(held[0].via, attach_stream{held[0].stream});
  first->until("retry: ");
  const auto fourth = connect(get("d"));
  ASSERT_TRUE(notes->eventually([&] { return notes->opened.size() == 3; }));
}

TEST_F(StreamEndpoint, RefusesStreamsBeyondTheLimitOfAnAddress) {
  options.max_streams_per_address = 1;
  options.trusted_proxies = {"192.0.2.1"};
  start();
  const auto first = stream("a");
  EXPECT_EQ(connect(get("b"))->to_end().find("HTTP/1.1 503 "), 0u);
  EXPECT_TRUE(shows("herald_stream_refused_total{reason=\"too_many_per_address\"} 1"));
}

TEST_F(StreamEndpoint, DoesNotCountAnAddressThatMayBeAProxy) {
  options.max_streams_per_address = 1;
  start();
  const auto first = stream("a");
  const auto second = stream("b");
}

TEST_F(StreamEndpoint, CountsStreamsByWhoIsBehindATrustedProxy) {
  options.max_streams_per_address = 1;
  options.trusted_proxies = {"127.0.0.0/8"};
  start();
  const auto from = [&](const std::string& id, const std::string& address) {
    auto request = get(id);
    request.insert(request.size() - 2, "X-Forwarded-For: 1.1.1.1, " + address + "\r\n");
    return connect(request);
  };
  const auto first = from("a", "198.51.100.7");
  first->until("retry: ");
  EXPECT_EQ(from("b", "198.51.100.7")->to_end().find("HTTP/1.1 503 "), 0u);
  const auto other = from("c", "198.51.100.8");
  other->until("retry: ");
}

TEST_F(StreamEndpoint, CountsStreamsByTheProxyProtocol) {
  using namespace std::string_literals;
  options.max_streams_per_address = 1;
  options.trusted_proxies = {"127.0.0.1"};
  options.proxy_protocol = true;
  start();
  const auto from = [&](const std::string& id, char last) {
    const auto header =
      "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64"s + last + "\x0a\0\0\x01\x30\x39\0\x50"s;
    return connect(header + get(id));
  };
  const auto first = from("a", '\x07');
  first->until("retry: ");
  EXPECT_EQ(from("b", '\x07')->to_end().find("HTTP/1.1 503 "), 0u);
  const auto other = from("c", '\x08');
  other->until("retry: ");
  EXPECT_EQ(connect(get("d"))->to_end().find("HTTP/1.1 400 "), 0u) << "a proxy without its header";
}

TEST_F(StreamEndpoint, TellsThePageAGapThatIsSentTooMuchAgain) {
  options.replay_per_minute_bytes = 2500;
  notes->answer = [](const open_connection& asked) {
    auto version = std::make_shared<event>(*make_event(6, "version"));
    version->service = service_type::version;
    missed_events missed{
      {make_event(5, std::string(1000, 'x')), version}, {}, plain_reach(asked.id.str()), {}};
    caf::anon_send(asked.via, attach_stream{asked.stream, missed, false, live_from});
  };
  start();
  for (int i = 0; i < 2; ++i) {
    const auto reader = connect(get("a"));
    EXPECT_NE(reader->until(opening_block).find("xxx"), std::string::npos) << i;
  }
  const auto reader = connect(get("a"));
  const auto got = reader->until(opening_block);
  EXPECT_EQ(got.find("xxx"), std::string::npos);
  EXPECT_NE(got.find("event: gap\n"), std::string::npos) << got;
  EXPECT_NE(got.find("data: version\n"), std::string::npos) << "nobody else tells it: " << got;
  EXPECT_TRUE(shows("herald_stream_replays_refused_total 1"));
  const auto other = connect(get("b"));
  EXPECT_NE(other->until(opening_block).find("xxx"), std::string::npos)
    << "where addresses are not counted, pages are";
}

TEST_F(StreamEndpoint, StandingInAsksForNoRequestIdAndSendsNoIds) {
  options.stand_in = true;
  notes->answer = [](const open_connection& asked) {
    caf::anon_send(asked.via, attach_stream{asked.stream});
  };
  start();
  const auto reader = connect("GET /any HTTP/1.1\r\nHost: h\r\nCookie: c\r\n\r\n");
  EXPECT_EQ(reader->until("\r\n\r\n").find("retry: "), std::string::npos) << "left to the browser";
  ASSERT_TRUE(notes->eventually([&] { return notes->opened.size() == 1; }));
  ASSERT_NE(notes->first(&owner_notes::opened).headers, nullptr);
  EXPECT_EQ(notes->first(&owner_notes::opened).headers->size(), 2u);
  caf::anon_send(
    notes->first(&owner_notes::opened).via,
    to_one(notes->first(&owner_notes::opened).stream, 0, "x"));
  EXPECT_EQ(reader->until("data: x\n\n").find("id: "), std::string::npos);
}

TEST_F(StreamEndpoint, AnswersAClientWhoseOwnerNeverDoes) {
  notes->answer = [](const open_connection&) {
  };
  options.open_timeout = 1ms;
  start();
  EXPECT_EQ(connect(get("a"))->to_end().find("HTTP/1.1 503 "), 0u);
  ASSERT_TRUE(notes->eventually([&] { return notes->closed.size() == 1; }));
}

TEST_F(StreamEndpoint, DrainsEveryStream) {
  start();
  std::vector<std::unique_ptr<client>> readers;
  for (int i = 0; i < 30; ++i)
    readers.push_back(stream("r" + std::to_string(i)));
  for (const auto& via : transports())
    caf::anon_send(via, to_all(9, "last words"));
  endpoint->drain(clock::now() + patience);
  for (auto& reader : readers) {
    const auto& got = reader->to_end();
    const auto last = got.find("data: last words\n\n");
    ASSERT_NE(last, std::string::npos);
    EXPECT_EQ(got.find("retry: ", last), last + 18) << got.substr(last);
    EXPECT_TRUE(reader->complete());
  }
  ASSERT_TRUE(notes->eventually([&] { return notes->closed.size() == 30; }));
  EXPECT_EQ(notes->first(&owner_notes::closed).reason, end_reason::server_closed);
}

TEST_F(StreamEndpoint, ReturnsFromADrainAtItsDeadline) {
  options.threads = 1;
  start();
  const auto slow = stream("slow", 4096);
  const auto asked = asked_for("slow");
  // More than the socket buffers of both ends take.
  for (int i = 0; i < 120; ++i)
    caf::anon_send(asked.via, to_all(1, std::string(60000, 'x')));
  const testing::log_capture log;
  endpoint->drain(clock::now() + 50ms);
  EXPECT_EQ(
    log.lines("drained"), std::vector<std::string>{"info stream-endpoint drained complete=false"});
}

TEST_F(StreamEndpoint, RefusesClientsOnceItDrains) {
  start();
  endpoint->drain(clock::now() + patience);
  const client late{endpoint->port(), {}, client::may_fail};
  EXPECT_FALSE(late.connected()) << "the port is still open";
}

TEST_F(StreamEndpoint, LeavesNoDescriptorBehind) {
  const auto open_descriptors = [] {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return std::distance(begin(all), end(all));
  };
  const auto before = open_descriptors();
  start();
  auto reader = stream("a");
  endpoint.reset();
  // The other end is the loop's, and went with the loop.
  reader->to_end();
  reader.reset();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(StreamEndpoint, TakesItsPortWithoutStarting) {
  std::uint16_t port = 0;
  {
    const stream_endpoint idle{system, options, owner, numbers};
    port = idle.port();
  }
  const client late{port, {}, client::may_fail};
  EXPECT_FALSE(late.connected());
}

TEST_F(StreamEndpoint, RefusesAPortThatIsTaken) {
  start();
  auto second = options;
  second.port = endpoint->port();
  EXPECT_THROW(stream_endpoint(system, second, owner, numbers), std::system_error);
  second.port = 0;
  second.host = "no such host";
  EXPECT_THROW(stream_endpoint(system, second, owner, numbers), std::runtime_error);
}

/// Hands out tokens that are known, and keeps who waits for keys.
struct key_office {
  std::mutex mutex;
  std::vector<token_judge::fetch_over> waiting;
  bool has_keys = false;
  bool is_away = false;
  /// When tokens end whose key has come.
  std::optional<wall_time> ends;

  void fetched(bool brings_keys, bool final) {
    std::vector<token_judge::fetch_over> all;
    {
      const std::lock_guard lock{mutex};
      has_keys = brings_keys;
      all.swap(waiting);
    }
    for (const auto& one : all)
      one(final);
  }
};

class office_judge final : public token_judge {
public:
  explicit office_judge(std::shared_ptr<key_office> office) : office_(std::move(office)) {}

  verdict judge(std::string_view token, wall_time now, fetch_over over) override {
    if (token == "short")
      return right_of({"ann", {}, {}, now + 2s, now, {}}, {});
    // As one that ends while its stream waits to be opened.
    if (token == "ended")
      return right_of({"ann", {}, {}, now, now, {}}, {});
    const std::lock_guard lock{office_->mutex};
    if (office_->has_keys)
      return right_of({"ann", {}, {}, office_->ends, now, {}}, {});
    if (!over || office_->is_away)
      return refusal::later;
    office_->waiting.push_back(std::move(over));
    return refusal::soon;
  }

private:
  std::shared_ptr<key_office> office_;
};

class StreamEndpointWithCredentials : public StreamEndpoint {
protected:
  explicit StreamEndpointWithCredentials(const limit_settings& each = {}) {
    options.limits = each;
    // Or loopback would not be counted.
    options.trusted_proxies = {"192.0.2.1"};
    options.auth.mode = auth_mode::required;
    options.auth.leeway_s = 0ms;
    options.make_judge = [office = office] {
      return std::make_unique<office_judge>(office);
    };
    options.tickets = tickets;
    options.last_place = [] {
      return live_from;
    };
    start();
  }

  static std::string get_with(const std::string& token, bool event_source = true) {
    return "GET /api/sse/stream?request_id=p HTTP/1.1\r\nHost: herald\r\nAuthorization: Bearer "
           + token + (event_source ? "\r\nAccept: text/event-stream" : "") + "\r\n\r\n";
  }
  bool wait_for_waiters(std::size_t count) {
    return notes->eventually([&] {
      const std::lock_guard lock{office->mutex};
      return office->waiting.size() == count;
    });
  }

  std::shared_ptr<key_office> office = std::make_shared<key_office>();
  std::shared_ptr<ticket_book> tickets =
    std::make_shared<ticket_book>(ticket_book::limits{10, 100'000}, numbers);
};

TEST_F(StreamEndpointWithCredentials, OpensAStreamOnceTheKeyOfItsTokenHasCome) {
  const auto page = connect(get_with("new"));
  ASSERT_TRUE(wait_for_waiters(1));
  EXPECT_TRUE(notes->opened.empty()) << "nobody hears of it before";
  office->fetched(true, true);
  page->until(opening_block);
  EXPECT_EQ(asked_for("p").by->subject, "ann");
  EXPECT_EQ(asked_for("p").asks->subject, "ann");
}

TEST_F(StreamEndpointWithCredentials, RefusesATokenWhoseKeyIsNoneOfThoseThatCame) {
  const auto page = connect(get_with("new"));
  ASSERT_TRUE(wait_for_waiters(1));
  office->fetched(false, true);
  const auto answer = page->to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 401 ")) << answer;
  EXPECT_NE(answer.find("error=\"invalid_token\""), std::string::npos) << answer;
  EXPECT_EQ(answer.find("Vary: Origin", answer.find("Vary: Origin") + 1), std::string::npos)
    << "headers come once: " << answer;
  EXPECT_TRUE(eventually_shows("herald_stream_open{loop=\"0\"} 0"));
  EXPECT_TRUE(notes->closed.empty());
}

TEST_F(StreamEndpointWithCredentials, HasATokenComeBackWhoseKeyCannotBeHadNow) {
  const auto page = connect(get_with("new"));
  ASSERT_TRUE(wait_for_waiters(1));
  office->fetched(false, false);
  EXPECT_NE(page->to_end().find("\r\n\r\nretry: "), std::string::npos);
  {
    const std::lock_guard lock{office->mutex};
    office->is_away = true;
  }
  EXPECT_TRUE(connect(get_with("new", false))->to_end().starts_with("HTTP/1.1 503 "));
}

TEST_F(StreamEndpointWithCredentials, LetsAClientLeaveThatWaitsForAKey) {
  connect(get_with("new"));
  auto other = connect(get_with("new"));
  ASSERT_TRUE(wait_for_waiters(2));
  other.reset();
  office->fetched(true, true);
  EXPECT_TRUE(eventually_shows("herald_stream_open{loop=\"0\"} 0"));
  EXPECT_TRUE(eventually_shows("herald_stream_open{loop=\"1\"} 0"));
}

TEST_F(StreamEndpointWithCredentials, KeepsNoMoreThatWaitForAKeyThanMayOpenAlsoWhereTheyLeave) {
  endpoint.reset();
  options.threads = 1;
  options.max_openings = 2;
  start();
  for (std::size_t i = 1; i <= 2; ++i) {
    auto page = connect(get_with("new"));
    ASSERT_TRUE(wait_for_waiters(i));
    page.reset();
    EXPECT_TRUE(eventually_shows("herald_stream_open{loop=\"0\"} 0"));
  }
  EXPECT_NE(connect(get_with("new"))->to_end().find("\r\n\r\nretry: "), std::string::npos);
  EXPECT_TRUE(wait_for_waiters(2));
}

TEST_F(StreamEndpointWithCredentials, EndsWhileClientsWaitForAKey) {
  const auto page = connect(get_with("new"));
  ASSERT_TRUE(wait_for_waiters(1));
  endpoint.reset();
  office->fetched(true, true);
}

TEST_F(StreamEndpointWithCredentials, TellsAStreamThatItsRightEndsAndEndsIt) {
  const auto page = connect(get_with("short"));
  const auto all = page->to_end();
  const auto told = all.find("event: expired\ndata: {\"expires_in_ms\":");
  ASSERT_NE(told, std::string::npos) << all;
  EXPECT_TRUE(page->complete());
  EXPECT_TRUE(notes->eventually([&] { return notes->closed.size() == 1; }));
  EXPECT_EQ(notes->first(&owner_notes::closed).reason, end_reason::server_closed);
}

TEST_F(StreamEndpointWithCredentials, EndsAStreamWithItsRightThatHasWaitedForItsKey) {
  office->ends = std::chrono::system_clock::now() + 2s;
  const auto page = connect(get_with("new"));
  ASSERT_TRUE(wait_for_waiters(1));
  office->fetched(true, true);
  EXPECT_NE(page->to_end().find("event: expired\n"), std::string::npos);
  EXPECT_TRUE(page->complete());
}

TEST_F(StreamEndpointWithCredentials, OpensNoStreamWhoseRightHasEndedWhileItWaited) {
  notes->answer = [](const open_connection& asked) {
    missed_events missed{{make_event(5, "missed")}, {}, plain_reach(asked.id.str()), {}};
    caf::anon_send(asked.via, attach_stream{asked.stream, missed, false, live_from});
  };
  const auto answer = connect(get_with("ended"))->to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 401 ")) << answer;
  EXPECT_EQ(answer.find("missed"), std::string::npos) << answer;
  EXPECT_TRUE(notes->eventually([&] { return notes->closed.size() == 1; }))
    << "its owner took it for open";
}

TEST_F(StreamEndpointWithCredentials, GivesATicketBackWhereTheOwnerIsBusy) {
  stream_grant grant;
  grant.expires_at = std::chrono::system_clock::now() + 1h;
  const auto ticket = *tickets->issue(grant, {}, std::chrono::system_clock::now());
  const auto request = "GET /api/sse/stream?request_id=p&ticket=" + ticket
                       + " HTTP/1.1\r\nHost: herald\r\nAccept: text/event-stream\r\n\r\n";
  std::atomic<ec> says = ec::overloaded;
  notes->answer = [&says](const open_connection& asked) {
    if (says == ec::none)
      caf::anon_send(asked.via, attach_stream{asked.stream, {}, false, live_from});
    else
      caf::anon_send(asked.via, refuse_stream{asked.stream, {says, {}, {}}, 0});
  };
  EXPECT_NE(connect(request)->to_end().find("retry: "), std::string::npos);
  says = ec::none;
  connect(request)->until(opening_block);
  EXPECT_TRUE(connect(request)->to_end().starts_with("HTTP/1.1 401 ")) << "it was used";
}

class StreamEndpointWithLimits : public StreamEndpointWithCredentials {
protected:
  StreamEndpointWithLimits() : StreamEndpointWithCredentials(few()) {}

  static limit_settings few() {
    limit_settings each;
    each.failed_auth_per_min = 1;
    each.streams = 3;
    each.replay_bytes_per_min = 2500;
    return each;
  }
  void send_again_to_all() {
    notes->answer = [](const open_connection& asked) {
      missed_events missed{
        {make_event(5, std::string(1000, 'x'))}, {}, plain_reach(asked.id.str()), {}};
      caf::anon_send(asked.via, attach_stream{asked.stream, missed, false, live_from});
    };
  }
  static void expect_a_gap(const std::string& got) {
    EXPECT_EQ(got.find("xxx"), std::string::npos);
    EXPECT_NE(got.find("to this subject within a minute"), std::string::npos) << got;
  }
};

TEST_F(StreamEndpointWithLimits, TellASubjectAGapThatIsSentTooMuchAgain) {
  send_again_to_all();
  for (int i = 0; i < 2; ++i)
    EXPECT_NE(connect(get_with("short"))->until(opening_block).find("xxx"), std::string::npos);
  expect_a_gap(connect(get_with("short"))->until(opening_block));
  EXPECT_TRUE(shows("herald_stream_subject_replays_refused_total 1"));
  EXPECT_TRUE(shows("herald_stream_replays_refused_total 0"));
}

TEST_F(StreamEndpointWithLimits, TellAGapToASubjectWhoseKeyWasFetched) {
  send_again_to_all();
  for (int i = 0; i < 2; ++i)
    connect(get_with("short"))->until(opening_block);
  const auto page = connect(get_with("new"));
  ASSERT_TRUE(wait_for_waiters(1));
  office->fetched(true, true);
  expect_a_gap(page->until(opening_block));
}

TEST_F(StreamEndpointWithLimits, TellAGapToASubjectThatTheApplicationVouchesFor) {
  const testing::asked_application application;
  endpoint.reset();
  options.auth.authorize_url = application.url();
  options.questions = std::make_shared<authorizer>(options.auth, numbers);
  send_again_to_all();
  start();
  for (int i = 0; i < 2; ++i)
    EXPECT_NE(connect(get("p"))->until(opening_block).find("xxx"), std::string::npos);
  expect_a_gap(connect(get("p"))->until(opening_block));
  endpoint.reset();
  options.questions.reset();
}

TEST_F(StreamEndpointWithLimits, LetASubjectHaveSoManyStreamsAndGiveThemBack) {
  office->fetched(true, true);
  std::vector<std::unique_ptr<client>> streams;
  for (int i = 0; i < 3; ++i) {
    streams.push_back(connect(get_with("known")));
    streams.back()->until(opening_block);
  }
  EXPECT_TRUE(connect(get_with("known", false))->to_end().starts_with("HTTP/1.1 429 "));
  EXPECT_NE(
    connect(get_with("known"))->to_end().find("no more streams of this subject"),
    std::string::npos);
  EXPECT_TRUE(shows("herald_stream_refused_total{reason=\"too_many_per_subject\"} 2"));
  streams.clear();
  ASSERT_TRUE(notes->eventually([&] { return notes->closed.size() == 3; }));
  connect(get_with("known"))->until(opening_block);
}

TEST_F(StreamEndpointWithLimits, CountARevokedCredentialAsOneThatIsNotGood) {
  office->fetched(true, true);
  notes->answer = [](const open_connection& asked) {
    caf::anon_send(asked.via, refuse_stream{asked.stream, {ec::invalid_token, {}, {}}, 0});
  };
  EXPECT_TRUE(connect(get_with("known"))->to_end().starts_with("HTTP/1.1 401 "));
  EXPECT_TRUE(connect(get_with("known", false))->to_end().starts_with("HTTP/1.1 429 "));
  EXPECT_TRUE(shows("herald_stream_refused_total{reason=\"failed_auth\"} 1"));
}

TEST_F(StreamEndpointWithLimits, ChangeWithTheSettings) {
  office->fetched(true, true);
  std::vector<std::unique_ptr<client>> streams;
  for (int i = 0; i < 3; ++i) {
    streams.push_back(connect(get_with("known")));
    streams.back()->until(opening_block);
  }
  auto more = few();
  more.streams = 4;
  endpoint->reconfigure(options, more);
  streams.push_back(connect(get_with("known")));
  streams.back()->until(opening_block);
  EXPECT_TRUE(connect(get_with("known", false))->to_end().starts_with("HTTP/1.1 429 "));
}

} // namespace
} // namespace herald
