#include "http/fanout/stream_table.hpp"

#include "http/fanout/sse_format.hpp"
#include "tests/support/chunked_body.hpp"
#include "tests/support/history_ranges.hpp"
#include "tests/support/sanitizer.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

constexpr std::string_view lagged = "event: lagged\ndata: {\"reason\":\"read too slowly\"}\n\n";

/// Of all that is sent again, so that it can be told apart in the sums.
constexpr auto replay_service = service_type::task;

/// What has come over a stream: its content, and whether the framing around that is whole.
struct unframed {
  std::string content;
  /// Behind a whole chunk.
  bool between = true;
  /// Behind the last chunk.
  bool done = false;
  bool broken = false;
};

/// The head of the answer, which ends with '>', is in no chunk.
unframed unframe(framing how, std::string_view bytes) {
  const auto head = bytes.find('>');
  if (how == framing::bare || head == std::string_view::npos)
    return {std::string{bytes}};
  const auto chunks = bytes.substr(head + 1);
  testing::chunked_body body{std::numeric_limits<std::size_t>::max()};
  unframed result;
  result.broken = body.feed(chunks) != chunks.size();
  result.done = body.now() == testing::chunked_body::state::done;
  result.broken = result.broken || body.now() == testing::chunked_body::state::malformed;
  result.content = std::string{bytes.substr(0, head + 1)} + body.body();
  // Only there the last chunk ends the body.
  body.feed(last_chunk);
  result.between = body.now() == testing::chunked_body::state::done;
  return result;
}

/// What a stream ought to get, kept in the plainest way: all of it, for each.
struct model_stream {
  struct item {
    std::size_t end = 0;
    service_type service = service_type::event;
    ticket_id ticket = 0;
    bool broadcast = false;
  };

  stream_slot slot = 0;
  framing how = framing::bare;
  hearing hears = hearing::everything;
  bool open = true;
  /// Takes all at once, always: must lose nothing.
  bool fast = false;
  bool dropped = false;
  /// Ended before it had all that it was to have.
  bool cut = false;
  bool overflowed = false;
  /// Where the events end that it had missed.
  std::vector<std::size_t> replayed;
  std::string expected;
  std::vector<item> items;
  std::string received;
  bool watched = false;
  bool ended = false;
  bool closed = false;
};

/// A stream table under random orders, with sockets that take a random number of bytes.
class model final : public stream_io {
public:
  explicit model(unsigned seed)
    : random_(seed),
      seed_(seed),
      log_bytes_(64 + below(3000)),
      tiny_writes_(below(2) == 0),
      table_(
        {0, log_bytes_, 1 + below(800), 1 + log_bytes_ / 4, std::chrono::milliseconds{100},
         1 + below(300), 1 + below(600)},
        *this) {}

  void run() {
    const auto steps = 50 + below(400);
    for (std::size_t i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      step();
      // Not after each: it looks at the whole table.
      if (i % 16 == 0)
        check();
    }
    check();
    finish();
  }

  std::uint64_t laps() const { return table_.tally().lagged; }
  std::uint64_t orderly_ends() const { return orderly_ends_; }
  std::uint64_t replayed() const { return table_.tally().replayed; }
  std::uint64_t changes() const { return changes_; }

private:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>{0, n - 1}(random_);
  }

  void check() const {
    if (const auto damage = table_.check())
      ADD_FAILURE() << *damage << ", seed " << seed_;
  }

  void step() {
    switch (below(15)) {
    case 12:
      return change_hearing(pick());
    case 13:
      return push_to_some();
    case 14:
      return tell();
    case 0:
      return attach();
    case 1:
    case 2:
    case 3:
      return publish();
    case 4:
      return push_to(pick());
    case 5:
      if (below(6) == 0)
        close(pick());
      return;
    case 6:
      if (below(10) == 0)
        drop(pick());
      return;
    case 7:
    case 8:
      table_.run_slice(1 + below(4));
      return;
    case 9:
    case 10:
      return unblock(pick());
    default:
      now_ += std::chrono::milliseconds{below(40)};
      table_.expire(now_);
    }
  }

  std::string frame(std::size_t most) {
    std::string text = "<" + std::to_string(++frames_) + ":";
    text.append(below(std::max<std::size_t>(most, 1)), 'x');
    return text + ">";
  }

  model_stream* pick() {
    return streams_.empty() ? nullptr : streams_[below(streams_.size())].get();
  }

  void attach() {
    if (streams_.size() > 12)
      return;
    auto s = std::make_unique<model_stream>();
    s->fast = below(3) == 0;
    const auto fd = static_cast<int>(streams_.size());
    s->slot = table_.add(fd, random_(), 0);
    s->how = static_cast<framing>(below(framing_count));
    s->hears = below(3) == 0 ? hearing::addressed : hearing::everything;
    stream_start start{frame(30), below(2) == 0 ? frame(10) : std::string{}, s->how, s->hears};
    s->expected = start.head + start.first;
    const auto begun = s->expected.size();
    auto missed = below(2) == 0 ? missed_by(*s, begun) : missed_events{};
    const event_id live_from{below(2) * ++frames_};
    append_cursor(s->expected, live_from);
    table_.attach(s->slot, std::move(start), std::move(missed), live_from);
    streams_.push_back(std::move(s));
  }

  /// Some history, with events for others in between. `begun`: where what the stream has missed
  /// begins.
  missed_events missed_by(model_stream& s, std::size_t begun) {
    reach me;
    me.page = request_id{"me"};
    history_range::block_list blocks;
    const auto first = below(3);
    for (auto count = below(4); count > 0; --count) {
      const auto block = std::make_shared<history_block>(10);
      const auto from = blocks.empty() ? first : 0;
      const auto to = from + 1 + below(7);
      for (std::size_t i = 0; i < to; ++i) {
        auto what = std::make_shared<event>();
        what->id = {++frames_};
        what->name = "missed";
        what->data.assign(below(100), 'm');
        what->service = replay_service;
        audience_ptr only;
        if (const auto whom = below(3); whom != 0)
          only = audience_of_page(request_id{whom == 1 ? "me" : "you"});
        if (i >= from && me.hears(only)) {
          append_event(s.expected, what->id, what->name, what->data);
          s.replayed.push_back(s.expected.size());
        }
        block->append({what, only});
      }
      blocks.push_back(block);
    }
    std::vector<event_ptr> notice;
    if (below(3) == 0) {
      event gap;
      gap.id = {++frames_};
      gap.name = "gap";
      gap.service = replay_service;
      std::string first;
      append_event(first, gap.id, gap.name, gap.data);
      s.expected.insert(begun, first);
      for (auto& end : s.replayed)
        end += first.size();
      s.replayed.insert(s.replayed.begin(), begun + first.size());
      notice.push_back(std::make_shared<const event>(gap));
    }
    return {notice, blocks.empty() ? history_range{} : testing::range_of(blocks, first), me, {}};
  }

  /// A batch of broadcasts and frames for one, waited for or not.
  void publish() {
    ticket_id ticket = 0;
    delivery_tickets::key key = 0;
    if (below(2) == 0) {
      ticket = ++tickets_;
      key = table_.tickets().open(ticket);
    }
    const auto count = 1 + below(4);
    for (std::size_t i = 0; i < count; ++i) {
      if (below(4) == 0) {
        push_to(pick(), ticket, key);
        continue;
      }
      if (below(4) == 0) {
        push_to_some(ticket, key);
        continue;
      }
      const auto bytes = frame(log_bytes_ / (1 + below(30)) / 2);
      while (!table_.room_for(bytes.size()))
        table_.run_slice(1 + below(4));
      const auto service = static_cast<service_type>(below(service_type_count));
      const auto except = some_of_all();
      std::vector<stream_slot> slots;
      for (auto* const s : except)
        if (!s->ended)
          slots.push_back(s->slot);
      table_.broadcast(bytes, service, key, slots);
      // Those that had to make room for it do not get it.
      notice_laps();
      for (auto* const s : except)
        s->overflowed = s->overflowed || !s->open;
      for (auto& s : streams_)
        if (
          s->open && s->hears == hearing::everything
          && std::find(except.begin(), except.end(), s.get()) == except.end())
          append(*s, bytes, service, ticket, true);
    }
    if (key != 0)
      table_.tickets().seal(key);
    settle();
  }

  void
  append(model_stream& s, const std::string& bytes, service_type of, ticket_id t, bool broadcast) {
    s.expected += bytes;
    s.items.push_back({s.expected.size(), of, t, broadcast});
  }

  /// Some streams, often none.
  std::vector<model_stream*> some_of_all() {
    std::vector<model_stream*> some;
    if (below(2) == 0)
      for (auto& s : streams_)
        if (below(3) == 0)
          some.push_back(s.get());
    return some;
  }

  /// One frame for several, while there is room for it.
  void push_to_some(ticket_id ticket = 0, delivery_tickets::key key = 0) {
    const auto service = static_cast<service_type>(below(service_type_count));
    const auto text = frame(100);
    shared_frame bytes{text, service, key};
    for (auto* const s : some_of_all()) {
      if (s->ended)
        continue;
      for (int turns = 0; !table_.room_for(bytes); ++turns) {
        ASSERT_LT(turns, 10'000) << "no room comes, seed " << seed_;
        table_.run_slice(1 + below(4));
      }
      if (!s->open)
        continue;
      if (table_.push(s->slot, bytes))
        append(*s, text, service, ticket, false);
      else
        s->overflowed = true;
      notice_laps();
    }
  }

  /// A frame that is no event, for some of one kind.
  void tell() {
    const auto bytes = frame(20);
    const auto who = static_cast<hearing>(below(hearing_count));
    const auto begin = static_cast<stream_slot>(below(table_.slots() + 1));
    const auto end = static_cast<stream_slot>(begin + below(table_.slots() - begin + 1));
    std::vector<model_stream*> told;
    for (auto& s : streams_)
      if (s->open && s->hears == who && s->slot >= begin && s->slot < end)
        told.push_back(s.get());
    table_.tell(who, begin, end, {bytes, bytes});
    notice_laps();
    for (auto* const s : told) {
      if (s->open)
        s->expected += bytes;
      else
        s->overflowed = true;
    }
  }

  void change_hearing(model_stream* s) {
    if (s == nullptr || !s->open)
      return;
    const auto now = static_cast<hearing>(below(hearing_count));
    table_.change_hearing(s->slot, now);
    s->hears = now;
    notice_laps();
    s->overflowed = s->overflowed || !s->open;
    ++changes_;
  }

  void push_to(model_stream* s, ticket_id ticket = 0, delivery_tickets::key key = 0) {
    if (s == nullptr || !s->open)
      return;
    const auto bytes = frame(60);
    const auto service = static_cast<service_type>(below(service_type_count));
    if (table_.push(s->slot, bytes, service, key))
      append(*s, bytes, service, ticket, false);
    else
      s->overflowed = true;
    notice_laps();
  }

  /// Streams that the table has stopped serving for lag take nothing more.
  void notice_laps() {
    for (auto& s : streams_)
      if (s->open && (s->ended || !table_.find(token_of(*s)))) {
        s->open = false;
        s->closed = false;
      }
  }

  token token_of(const model_stream& s) const { return table_.token_of(s.slot); }

  void close(model_stream* s) {
    if (s == nullptr || !s->open)
      return;
    const auto farewell = frame(20);
    table_.close(s->slot, farewell, now_);
    s->expected += farewell;
    s->open = false;
    s->closed = true;
  }

  void drop(model_stream* s) {
    if (s == nullptr || s->ended)
      return;
    s->dropped = true;
    table_.drop(s->slot, end_reason::client_closed);
    s->open = false;
  }

  void unblock(model_stream* s) {
    if (s != nullptr && s->watched)
      table_.writable(s->slot);
    settle();
  }

  void settle() {
    for (const auto& settled : table_.tickets().take_settled())
      ASSERT_TRUE(settled_.emplace(settled.ticket, settled.delivered).second)
        << "settled twice, seed " << seed_;
  }

  // The sockets.

  ssize_t write(int fd, const iovec* parts, int count) override {
    auto& s = *streams_.at(static_cast<std::size_t>(fd));
    EXPECT_FALSE(s.ended) << "seed " << seed_;
    if (!s.fast && !finishing_ && below(300) == 0) {
      s.dropped = true;
      return -1;
    }
    auto room = std::string::npos;
    if (!s.fast && !finishing_)
      room = tiny_writes_ ? below(12) : below(3) * below(200);
    std::size_t taken = 0;
    for (int i = 0; i < count; ++i) {
      const std::string_view bytes{static_cast<const char*>(parts[i].iov_base), parts[i].iov_len};
      const auto some = bytes.substr(0, room - taken);
      s.received += some;
      taken += some.size();
    }
    return static_cast<ssize_t>(taken);
  }

  void watch_writable(int fd, stream_slot slot, bool on) override {
    auto& s = *streams_.at(static_cast<std::size_t>(fd));
    EXPECT_EQ(s.slot, slot);
    EXPECT_NE(s.watched, on);
    s.watched = on;
  }

  void ended(const ended_stream& stream) override {
    auto& s = *streams_.at(static_cast<std::size_t>(stream.fd));
    EXPECT_FALSE(s.ended) << "seed " << seed_;
    EXPECT_EQ(s.slot, stream.slot);
    s.ended = true;
    s.open = false;
    const auto got = unframe(s.how, s.received);
    // Closing streams that are cut off are like dropped ones.
    s.cut = s.closed && !s.dropped
            && (got.content != s.expected || (s.how == framing::chunked && !got.done));
    s.dropped = s.dropped || s.cut;
    orderly_ends_ += s.closed && !s.dropped ? 1 : 0;
  }

  // The comparison.

  void finish() {
    finishing_ = true;
    while (table_.run_slice(5)) {
    }
    for (auto& s : streams_)
      if (s->watched)
        table_.writable(s->slot);
    while (table_.run_slice(5)) {
    }
    settle();
    frame_counts sent{};
    frame_counts all{};
    std::size_t unsure = 0;
    std::map<ticket_id, std::size_t> delivered;
    std::map<ticket_id, std::size_t> unsure_of;
    for (const auto& s : streams_) {
      const auto got = check(*s);
      const bool between = unframe(s->how, s->received).between;
      for (const auto& item : s->items) {
        ++all.at(static_cast<std::size_t>(item.service));
        if (item.end > got)
          continue;
        ++sent.at(static_cast<std::size_t>(item.service));
        ++delivered[item.ticket];
        // The frame that a lapped stream was in the middle of counts as failed, and so does one of
        // which the end of its chunk is missing.
        const bool lapped_in = (got < s->expected.size() || s->overflowed) && item.broadcast;
        const bool last = item.end == got && (lapped_in || !between);
        unsure += last ? 1 : 0;
        unsure_of[item.ticket] += last ? 1 : 0;
      }
    }
    compare(sent, all, unsure);
    ASSERT_EQ(settled_.size(), tickets_) << "seed " << seed_;
    for (const auto& [ticket, count] : settled_) {
      EXPECT_LE(count, delivered[ticket]) << "seed " << seed_ << " ticket " << ticket;
      EXPECT_GE(count + unsure_of[ticket], delivered[ticket])
        << "seed " << seed_ << " ticket " << ticket;
    }
    EXPECT_TRUE(table_.tickets().idle());
  }

  void compare(const frame_counts& sent, const frame_counts& all, std::size_t unsure) {
    const auto& tally = table_.tally();
    std::size_t missing = 0;
    std::uint64_t replayed = 0;
    bool all_replayed = true;
    for (const auto& s : streams_) {
      const auto got = check(*s);
      for (const auto end : s->replayed)
        (end <= got ? replayed += 1 : all_replayed = false);
      // The piece that a lapped stream was in the middle of is not counted.
      all_replayed = all_replayed && got == s->expected.size() && !s->overflowed;
    }
    EXPECT_LE(tally.replayed, replayed) << "seed " << seed_;
    if (all_replayed) {
      EXPECT_EQ(tally.replayed, replayed) << "seed " << seed_;
    }
    auto tally_sent = tally.sent;
    tally_sent.at(static_cast<std::size_t>(replay_service)) -= tally.replayed;
    for (std::size_t i = 0; i < service_type_count; ++i) {
      EXPECT_EQ(tally_sent.at(i) + tally.failed.at(i), all.at(i)) << "seed " << seed_;
      EXPECT_LE(tally_sent.at(i), sent.at(i)) << "seed " << seed_;
      missing += sent.at(i) - tally_sent.at(i);
    }
    EXPECT_LE(missing, unsure) << "seed " << seed_;
    std::uint64_t bytes = 0;
    for (const auto& s : streams_)
      bytes += s->received.size();
    EXPECT_EQ(tally.bytes, bytes) << "seed " << seed_;
  }

  /// How many of the expected bytes a stream got, of which it may have lost only the end.
  std::size_t check(const model_stream& s) const {
    const auto got = unframe(s.how, s.received);
    const auto& content = got.content;
    const auto common = static_cast<std::size_t>(
      std::mismatch(content.begin(), content.end(), s.expected.begin(), s.expected.end()).first
      - content.begin());
    const auto rest = std::string_view{content}.substr(common);
    EXPECT_FALSE(got.broken) << "seed " << seed_ << ": " << s.received;
    if (s.fast && s.replayed.empty()) {
      EXPECT_TRUE(s.dropped || s.overflowed || content == s.expected)
        << "seed " << seed_ << ": a stream that reads well lost something";
      EXPECT_FALSE(s.cut) << "seed " << seed_ << ": a stream that reads well was cut off";
    }
    if (s.dropped) {
      EXPECT_TRUE(lagged.starts_with(rest)) << "seed " << seed_;
      return common;
    }
    EXPECT_LE(got.done, s.ended) << "seed " << seed_ << ": the last chunk of an open stream";
    // One that is lapped may be cut off anywhere.
    if (s.how == framing::chunked && content == s.expected && (s.closed || !s.ended)) {
      EXPECT_TRUE(got.between || got.done) << "seed " << seed_ << ": a chunk without its end";
    }
    if (content == s.expected)
      return common;
    EXPECT_TRUE(s.ended && !s.closed) << "seed " << seed_ << ": incomplete, but not lapped";
    EXPECT_TRUE(rest == lagged || (lagged.starts_with(rest))) << "seed " << seed_ << ": " << rest;
    if (!rest.empty()) {
      const bool whole =
        common != 0 && (s.expected[common - 1] == '>' || s.expected[common - 1] == '\n');
      EXPECT_TRUE(whole) << "seed " << seed_
                         << ": lagged in the middle of a frame, or before the head";
    }
    return common;
  }

  std::mt19937 random_;
  unsigned seed_;
  std::size_t log_bytes_;
  bool tiny_writes_;
  bool finishing_ = false;
  std::size_t frames_ = 0;
  std::uint64_t orderly_ends_ = 0;
  std::uint64_t changes_ = 0;
  ticket_id tickets_ = 0;
  std::map<ticket_id, std::size_t> settled_;
  std::vector<std::unique_ptr<model_stream>> streams_;
  stream_table::time_point now_{std::chrono::hours{1}};
  stream_table table_;
};

TEST(StreamTableModel, AgreesWithStreamsThatKeepACopyOfEverything) {
  constexpr auto worlds = testing::worlds(3000);
  std::uint64_t laps = 0;
  std::uint64_t replayed = 0;
  std::uint64_t orderly_ends = 0;
  std::uint64_t changes = 0;
  for (unsigned seed = 0; seed < worlds && !::testing::Test::HasFailure(); ++seed) {
    model one{seed};
    one.run();
    laps += one.laps();
    replayed += one.replayed();
    orderly_ends += one.orderly_ends();
    changes += one.changes();
  }
  EXPECT_GT(laps, worlds / 3) << "the case worth testing hardly came up";
  EXPECT_GT(replayed, 3 * worlds);
  EXPECT_GT(orderly_ends, worlds / 2);
  EXPECT_GT(changes, worlds);
}

} // namespace
} // namespace herald
