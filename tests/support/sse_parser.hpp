#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace herald::testing {

/// An event as a browser would see it.
struct sse_event {
  /// The id that came with it; empty if none did.
  std::string id;
  /// Empty if it has none.
  std::string name;
  std::string data;

  friend bool operator==(const sse_event& a, const sse_event& b) {
    return a.id == b.id && a.name == b.name && a.data == b.data;
  }
  friend std::ostream& operator<<(std::ostream& out, const sse_event& e) {
    return out << "{id " << e.id << ", event " << e.name << ", data " << e.data << "}";
  }
};

/// Reads an event stream by the rules of the HTML standard, and shares no code with herald.
class sse_parser {
public:
  void feed(std::string_view bytes);

  [[nodiscard]] const std::vector<sse_event>& events() const noexcept { return events_; }
  /// Moves them out, for a reader that wants to keep nothing.
  [[nodiscard]] std::vector<sse_event> take_events() { return std::exchange(events_, {}); }
  void forget_comments() { comments_.clear(); }
  /// Comments without their colon and one space.
  [[nodiscard]] const std::vector<std::string>& comments() const noexcept { return comments_; }
  /// The last `retry:` in milliseconds.
  [[nodiscard]] std::optional<std::uint64_t> retry() const noexcept { return retry_; }
  /// What a browser that comes back would send.
  [[nodiscard]] const std::string& last_event_id() const noexcept { return last_event_id_; }

  /// The first id of this connection that came without an event: the place from which it is live.
  [[nodiscard]] const std::string& place() const noexcept { return place_; }

  /// A new connection: what was begun is dropped, what was received stays.
  void restart();

private:
  void take_line(std::string_view line);
  void dispatch();

  std::string line_;
  bool after_cr_ = false;
  sse_event next_;
  bool has_data_ = false;
  std::string last_event_id_;
  std::string place_;
  std::optional<std::uint64_t> retry_;
  std::vector<sse_event> events_;
  std::vector<std::string> comments_;
};

} // namespace herald::testing
