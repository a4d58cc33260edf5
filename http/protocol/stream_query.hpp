#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "http/protocol/url.hpp"
#include "messages/audience.hpp"
#include "messages/errors.hpp"

namespace herald {

/// The target of a stream with no more of its query than herald has to remember: who the page is,
/// and what it wants to hear. What else it holds may be secret.
[[nodiscard]] std::string kept_target(std::string_view target);

/// What the query of a stream's URL says to herald: which page it is, where it left off, what it
/// wants to hear. All other parameters belong to the page, its proxy or its backend.
class stream_query {
public:
  struct rules {
    /// Of a URL.
    std::size_t max_topics = 64;
    /// Whether a URL may say who its page is: in tests, and nowhere else.
    bool principals = false;
    /// Whether a URL may have a ticket; else one belongs to the page.
    bool tickets = false;
  };

  stream_query(std::string_view query, const rules& rules);

  /// The first thing that is wrong with a parameter of ours: its name, its number, its value.
  [[nodiscard]] const std::optional<failure>& fault() const noexcept { return fault_; }
  [[nodiscard]] const std::optional<std::string>& id() const noexcept { return id_; }
  /// Of several spellings the last: polyfills append theirs to the page's URL.
  [[nodiscard]] const std::optional<std::string>& cursor() const noexcept { return cursor_; }
  /// The ticket that lets the page in.
  [[nodiscard]] const std::optional<std::string>& ticket() const noexcept { return ticket_; }
  /// The kind of heartbeats that the page wants.
  [[nodiscard]] const std::optional<std::string>& heartbeat() const noexcept { return heartbeat_; }
  /// What the page wants to hear; null where it says nothing of that.
  [[nodiscard]] reach_ptr asks() const;
  /// The first thing that is wrong with what it says of that.
  [[nodiscard]] const std::optional<failure>& fault_of_asks() const noexcept {
    return fault_of_asks_;
  }

private:
  void take(query_argument& argument);
  bool take_reach(query_argument& argument);
  void add_topic(std::string topic);
  void set_broadcast(std::string_view value);
  void add_principal(const std::string& name, std::string value);
  void suspect(const std::string& name);
  void misspelt(const std::string& name, const char* meant);
  void blame(ec code, const std::string& name, const std::string& why);
  void blame_asks(const std::string& name, const std::string& why);
  void check_values();

  const rules rules_;
  std::set<std::string> seen_;
  std::optional<failure> fault_;
  std::optional<failure> fault_of_asks_;
  std::optional<std::string> id_;
  std::optional<std::string> cursor_;
  std::optional<std::string> ticket_;
  std::optional<std::string> heartbeat_;
  bool has_cursor_ = false;
  reach asks_;
};

} // namespace herald
