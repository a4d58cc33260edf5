#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <absl/container/btree_set.h>
#include <boost/container/deque.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "actors/audience/audience_index.hpp"
#include "messages/connections.hpp"
#include "messages/events.hpp"

namespace herald {

/// The open streams: request_id <-> token, both directions in step, at most one stream per
/// request_id; and what each of them hears.
///
/// Pure. Every operation either happens whole or, if it throws (out of memory), not at all. One
/// connection takes about 145 bytes, its texts included, and more where it hears more than others.
/// What clients call themselves is kept once for all that do so.
class connection_table {
public:
  /// Which transport reaches a stream; the registry knows what the number stands for.
  using transport_index = std::uint16_t;

  struct connection {
    request_id id;
    token stream;
    transport_index via = 0;

    friend bool operator==(const connection&, const connection&) = default;
  };

  connection_table();
  connection_table(const connection_table&) = delete;
  connection_table& operator=(const connection_table&) = delete;

  struct opening {
    std::string_view id;
    token stream;
    std::string_view url;
    transport_kind transport = transport_kind::embedded;
    transport_index via = 0;
    wall_time at;
    /// Null: everyone's events, and those of its page.
    reach_ptr hears = nullptr;
    /// Whether it hears what is for its page.
    bool targeted = true;
    /// Of its client; cut to `max_address_bytes`.
    std::string_view address = {};
    std::string_view agent = {};
  };

  static constexpr std::size_t max_address_bytes = 64;

  /// Registers a stream. Gives the one that it replaces: same request_id, other token. The same
  /// pair again changes nothing; a token that was held for another request_id moves.
  std::optional<connection> open(const opening& what);

  /// Forgets a stream. Gives what was forgotten; nothing, and no effect, for a token that is not
  /// held (unknown, stale, closed before).
  std::optional<connection> close(const token& stream);

  [[nodiscard]] std::optional<connection> find(const request_id& id) const;
  [[nodiscard]] std::optional<connection> find(const token& stream) const;

  [[nodiscard]] std::size_t size() const noexcept { return by_token_.size(); }
  /// Transports that have ever reached a connection; all are below this.
  [[nodiscard]] std::size_t transports() const noexcept { return on_transport_.size(); }
  /// Connections that this transport reaches.
  [[nodiscard]] std::size_t size_on(transport_index via) const noexcept {
    return via < on_transport_.size() ? on_transport_[via] : 0;
  }

  /// All of a connection; nothing for a token that is not held.
  [[nodiscard]] std::optional<connection_view> view(const token& stream) const;
  /// What a connection hears, its page included; nothing for a token that is not held.
  [[nodiscard]] std::optional<reach> reach_of(const token& stream) const;
  /// From now on the connection hears this. Nothing for a token that is not held.
  void set_reach(const token& stream, const reach& hears);

  /// The connections that an event is for.
  struct audience_size {
    std::size_t connections = 0;
    /// The stream of the audience's page, if there is one.
    std::optional<connection> page;
    /// Those of `except` that are open.
    std::vector<connection> except;
  };
  /// Null: everyone. Takes time in proportion to the keys of the audience, mostly.
  [[nodiscard]] audience_size measure(const audience_ptr& to) const;
  /// The transports that reach connections which hear the subject, the role or a topic of `to`, and
  /// maybe others, in rising order.
  void add_transports(const audience& to, std::vector<transport_index>& into) const;

  /// Connections in the order of connecting, those behind the serial number `after`. Takes time in
  /// proportion to `limit`; with a filter, to the connections that it lets through.
  [[nodiscard]] connection_page
  page(std::uint64_t after, std::size_t limit, const connection_filter& which = {}) const;
  /// The connections of a subject, in the order of connecting.
  [[nodiscard]] std::vector<connection> of_subject(std::string_view subject) const;
  /// Connections that have this very pattern.
  [[nodiscard]] std::size_t listeners(std::string_view pattern) const noexcept {
    return hearers_.count_key(audience_index::key_kind::pattern, pattern);
  }
  /// The patterns that connections have, a page of them.
  [[nodiscard]] topic_page topics(std::uint64_t after, std::size_t limit) const;
  /// About what takes what connections hear beside broadcasts and their pages' events.
  [[nodiscard]] std::size_t topics_bytes() const noexcept { return hearers_.bytes(); }

  /// Whether both directions are in step and nothing is lost between them. For tests, and after a
  /// restart of the registry.
  [[nodiscard]] bool check() const;

private:
  using slot_number = std::uint32_t;

  /// A name that clients have for themselves, and how many do.
  using agent_map = std::unordered_map<std::string, std::size_t>;

  /// Kept small: there are many.
  struct slot {
    token stream;
    /// request_id, then url, then address.
    std::unique_ptr<char[]> texts; // NOLINT(modernize-avoid-c-arrays)
    /// Null if it has none.
    agent_map::value_type* agent = nullptr;
    std::uint64_t serial = 0;
    wall_time connected_at;
    std::uint16_t url_length = 0;
    transport_index via = 0;
    std::uint8_t id_length = 0;
    // One byte for both.
    transport_kind transport : 1 = transport_kind::embedded;
    bool targeted : 1 = true;
    std::uint8_t address_length = 0;

    [[nodiscard]] std::string_view id() const noexcept { return {texts.get(), id_length}; }
    [[nodiscard]] std::string_view url() const noexcept {
      return {texts.get() + id_length, url_length};
    }
    [[nodiscard]] std::string_view address() const noexcept {
      return {texts.get() + id_length + url_length, address_length};
    }
  };

  /// In blocks large enough not to lie between what a connect allocates for a moment.
  using slot_list = boost::container::deque<
    slot, void, boost::container::deque_options_t<boost::container::block_size<512>>>;

  /// The indexes hold slot numbers (4 bytes) and compare what the slots hold.
  struct id_hash {
    using is_transparent = void;
    const slot_list* slots;
    std::size_t operator()(std::string_view id) const noexcept;
    std::size_t operator()(slot_number n) const noexcept;
  };
  struct id_equal {
    using is_transparent = void;
    const slot_list* slots;
    bool operator()(slot_number a, slot_number b) const noexcept { return a == b; }
    bool operator()(std::string_view a, slot_number b) const noexcept;
    bool operator()(slot_number a, std::string_view b) const noexcept;
  };
  struct token_hash {
    using is_transparent = void;
    const slot_list* slots;
    std::size_t operator()(const token& t) const noexcept;
    std::size_t operator()(slot_number n) const noexcept;
  };
  struct token_equal {
    using is_transparent = void;
    const slot_list* slots;
    bool operator()(slot_number a, slot_number b) const noexcept { return a == b; }
    bool operator()(const token& a, slot_number b) const noexcept;
    bool operator()(slot_number a, const token& b) const noexcept;
  };

  struct serial_less {
    using is_transparent = void;
    const slot_list* slots;
    bool operator()(slot_number a, slot_number b) const noexcept {
      return (*slots)[a].serial < (*slots)[b].serial;
    }
    bool operator()(std::uint64_t serial, slot_number b) const noexcept {
      return serial < (*slots)[b].serial;
    }
    bool operator()(slot_number a, std::uint64_t serial) const noexcept {
      return (*slots)[a].serial < serial;
    }
  };

  [[nodiscard]] static connection as_connection(const slot& s);
  [[nodiscard]] reach reach_at(slot_number n) const;
  [[nodiscard]] connection_view view_of(slot_number n) const;
  [[nodiscard]] connection_page
  filtered(std::uint64_t after, std::size_t limit, const connection_filter& which) const;
  [[nodiscard]] bool hears_without_page(slot_number n, const audience& to) const;
  agent_map::value_type* keep_agent(std::string_view name);
  void drop_agent(agent_map::value_type* agent) noexcept;
  slot_number free_slot();
  void release(slot_number n) noexcept;
  void put_back(slot_number n) noexcept;

  slot_list slots_;
  agent_map agents_;
  std::vector<slot_number> free_;
  std::vector<std::size_t> on_transport_;
  std::uint64_t last_serial_ = 0;
  boost::unordered_flat_set<slot_number, id_hash, id_equal> by_id_;
  boost::unordered_flat_set<slot_number, token_hash, token_equal> by_token_;
  /// About 5 bytes for each.
  absl::btree_set<slot_number, serial_less> by_serial_;
  /// Of slot numbers.
  audience_index hearers_;
};

} // namespace herald
