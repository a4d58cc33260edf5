#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include "actors/system/secret_source.hpp"
#include "actors/telemetry/metrics.hpp"
#include "http/auth/stream_grant.hpp"
#include "messages/ids.hpp"

namespace herald {

/// Tickets: each lets one page have one stream, and come back to it. A ticket is used within
/// `use_within`, by whoever comes first, and then belongs to the request_id that it was used for:
/// the page is let in again with a cursor that its stream was given, until what the ticket grants
/// ends. There is one stream for a request_id, and so for a ticket.
///
/// Bounded in number and in bytes; they do not outlive the process. Safe from any thread. Time is
/// given in.
class ticket_book {
public:
  static constexpr std::chrono::seconds use_within{30};

  struct limits {
    std::size_t tickets = 0;
    std::size_t bytes = 0;
  };

  ticket_book(const limits& bounds, metrics& numbers);

  /// A new ticket for what is granted, which ends; `page` empty: for any. Nothing where there is no
  /// room.
  [[nodiscard]] std::optional<std::string>
  issue(stream_grant grant, const request_id& page, wall_time now);

  /// A page that comes with a ticket.
  struct visit {
    std::string_view ticket;
    const request_id& page;
    /// Where it goes on, if it comes back.
    std::optional<event_id> cursor;
    /// The last place in the order of events: there is no cursor beyond.
    event_id last_place;
  };

  /// Uses a ticket; nothing where it is not good for this visit.
  [[nodiscard]] std::optional<stream_grant> use(const visit& by, wall_time now);
  /// What using it would give.
  [[nodiscard]] std::optional<stream_grant> look_at(const visit& by, wall_time now);
  /// It was used for a stream that did not open, by no fault of the page: it is as it was before.
  void give_back(std::string_view ticket);

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t bytes() const;

private:
  using time_list = std::multimap<wall_time, std::string>;
  struct entry {
    stream_grant grant;
    request_id page;
    bool any_page = false;
    bool used = false;
    /// It has never had a stream but the one that is being opened.
    bool first_use = false;
    /// Cursors of its stream are from here on.
    event_id floor;
    wall_time usable_until;
    time_list::iterator end;
    std::size_t bytes = 0;
  };
  using entry_map = std::unordered_map<std::string, entry>;

  [[nodiscard]] entry* good_for(const visit& by, wall_time now);
  [[nodiscard]] std::string new_name();
  void expire(wall_time now);
  void erase(entry_map::iterator where) noexcept;
  void move_end(entry_map::iterator where, wall_time to);
  void show();

  const limits limits_;
  prometheus::Gauge& kept_;
  prometheus::Gauge& kept_bytes_;
  prometheus::Counter& refused_;

  mutable std::mutex mutex_;
  secret_source secrets_;
  entry_map by_name_;
  /// By when they are not good any more.
  time_list ends_;
  std::size_t bytes_ = 0;
};

} // namespace herald
