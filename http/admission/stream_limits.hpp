#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "http/sockets/host_address.hpp"

namespace herald {

/// Admits streams up to the limits, over all loops. Safe from any thread.
class stream_limits {
public:
  /// Held by a stream that is admitted; to be given back.
  using lease = std::uint32_t;
  /// Of a stream whose address is not counted.
  static constexpr lease uncounted = std::numeric_limits<lease>::max();

  enum class refusal : std::uint8_t { too_many, too_many_per_address, too_many_per_subject };
  /// Whether the stream will be of a subject: only such a lease can be named.
  enum class owned : std::uint8_t { by_nobody, by_a_subject };

  /// `per_address` 0: no limit, and addresses are not counted. `per_subject` likewise.
  stream_limits(std::size_t total, std::size_t per_address, std::size_t per_subject = 0)
    : total_(total),
      per_address_(per_address),
      per_subject_(per_subject) {}

  /// Nothing for a client that is counted to no address.
  [[nodiscard]] std::variant<lease, refusal>
  admit(const std::optional<client_address>& address, owned how = owned::by_nobody);
  /// Counts the stream to its subject (`counted_as_subject`), too, once. The lease stays held, also
  /// where the subject has too many streams.
  [[nodiscard]] std::optional<refusal> name(lease held, const client_address& subject);
  void release(lease held);

  /// Other limits, for who asks from now on; streams that were not counted stay so.
  void change(std::size_t total, std::size_t per_address, std::size_t per_subject = 0) noexcept {
    total_ = total;
    per_address_ = per_address;
    per_subject_ = per_subject;
  }

  [[nodiscard]] std::size_t total() const noexcept { return total_; }

private:
  struct entry {
    client_address address{};
    std::size_t streams = 0;
  };
  /// By subject.
  using counts = std::map<client_address, std::size_t>;
  /// What a lease stands for that can be named.
  struct owner {
    lease address = uncounted;
    counts::iterator subject;
  };
  /// Leases of owners have it.
  static constexpr lease owner_bit = lease{1} << 31U;

  [[nodiscard]] std::variant<lease, refusal> count(const client_address& address, std::size_t most);
  [[nodiscard]] lease own(lease address);
  [[nodiscard]] lease disown(lease held);

  std::atomic<std::size_t> total_;
  std::atomic<std::size_t> per_address_;
  std::atomic<std::size_t> per_subject_;
  std::atomic<std::size_t> admitted_ = 0;

  std::mutex mutex_;
  std::map<client_address, lease> by_address_;
  std::deque<entry> entries_;
  std::vector<lease> free_;
  counts by_subject_;
  std::deque<owner> owners_;
  std::vector<lease> free_owners_;
};

} // namespace herald
