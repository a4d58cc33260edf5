#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "messages/errors.hpp"
#include "messages/idempotency.hpp"

namespace herald {

/// What is kept of requests with a key.
struct key_limits {
  /// An answer, from when it is given (`api.idempotency_s`).
  std::chrono::milliseconds keep{300'000};
  /// All of it, in memory (`api.max_idempotency_bytes`).
  std::size_t max_bytes = std::size_t{16} << 20U;
};

/// What requests with an `Idempotency-Key` have come to: which is carried out, which has to wait
/// for the answer of another, which has its answer already. Pure: time is given in, and what is to
/// be said and done is taken out.
///
/// A claim on a key is granted to one request at a time. It ends with an answer, which is kept and
/// given to all that claim the key later; or with none, and the next that waits has the claim.
/// Where it is not known whether something was carried out, it ends when whoever carries out has
/// said so.
class key_book {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit key_book(const key_limits& limits) : limits_(limits) {}

  /// What a claim is told. Each that was made is told once whether it is granted, unless it is left
  /// before, and once that it is settled, if it was.
  struct verdict {
    enum class kind : std::uint8_t {
      granted,  ///< carry it out
      answered, ///< there is an answer
      settled,  ///< its own answer is kept
      failed,   ///< `why`
    };
    claim_id claim = 0;
    kind what = kind::granted;
    kept_answer_ptr answer = nullptr;
    token seed = {};
    failure why{ec::none, {}, {}};
  };

  /// What the journal is to keep; its outcome is told to `recorded`.
  struct to_record {
    std::string name;
    std::string body_hash;
    token seed;
    /// Null: a planned claim.
    kept_answer_ptr answer;
  };

  /// The key is claimed. `seed` is a fresh one.
  void claim(const claim_key& wish, const token& seed, time_point now);
  /// The request has an answer that is kept.
  void settle(claim_id claim, kept_answer_ptr answer, time_point now);
  /// The request has none, or is gone. Gives whether it has to be found out what was carried out.
  [[nodiscard]] bool leave(claim_id claim, bool untouched, time_point now);
  /// What the claim has published has this answer, which is recorded.
  void answered(claim_id claim, kept_answer_ptr answer, time_point now);
  /// Nothing of the claim was published, or will be.
  void released(claim_id claim, time_point now);
  /// What was to be recorded for this key is in the file, or could not be written.
  void recorded(const std::string& name, const failure& why, time_point now);
  /// An answer that a former life has kept, later than all before.
  void restore(const answer_kept& one, time_point at);

  /// Forgets what is too old. Gives claims that were made so long ago that nobody can be there for
  /// them any more; they are to be left.
  [[nodiscard]] std::vector<claim_id> expire(time_point now);

  [[nodiscard]] std::vector<verdict> take_verdicts() { return std::exchange(verdicts_, {}); }
  [[nodiscard]] std::vector<to_record> take_to_record() { return std::exchange(to_record_, {}); }
  [[nodiscard]] bool has_verdicts() const noexcept { return !verdicts_.empty(); }
  /// Keys that are not known any more.
  [[nodiscard]] std::vector<std::string> take_dropped() { return std::exchange(dropped_, {}); }

  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// What is wrong with it, or nothing.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  using age_list = std::list<std::string>;

  struct entry {
    std::string body_hash;
    token seed;
    kept_answer_ptr answer = nullptr;
    /// The answer is in the file.
    bool recorded = false;
    /// The journal has not said yet what it was given for this key.
    bool recording = false;
    /// The file may know the key.
    bool in_file = false;
    /// Whose claim is granted, or is to be when it is recorded; 0: nobody's.
    claim_id owner = 0;
    bool planned = false;
    /// Whether the owner is gone, and it is not known what of its request was carried out.
    bool left = false;
    std::deque<claim_id> waiting = {};
    std::size_t bytes = 0;
    /// Where nobody has the claim: since when, and its place among those by age.
    time_point since = {};
    age_list::iterator age = {};
  };
  using key_map = std::map<std::string, entry>;

  struct claimant {
    key_map::iterator key;
    bool planned = false;
    time_point since;
    std::chrono::milliseconds longest;
  };

  void claim_first(const claim_key& wish, const token& seed, time_point now);
  void grant(key_map::iterator key, claim_id claim, time_point now);
  void grant_next(key_map::iterator key, time_point now);
  void record(key_map::value_type& key);
  void keep(key_map::iterator key, time_point now);
  void answer_waiting(entry& one);
  void erase(key_map::iterator key);
  bool make_room(std::size_t bytes);
  void weigh(key_map::value_type& key);
  void fail(claim_id claim, ec code, const char* detail, const char* field = "");
  [[nodiscard]] bool idle(const entry& one) const noexcept {
    return one.owner == 0 && !one.recording;
  }
  [[nodiscard]] static std::size_t bytes_of(const key_map::value_type& key);

  key_limits limits_;
  key_map keys_;
  /// Those that nobody has the claim on, the oldest first.
  age_list ages_;
  std::map<claim_id, claimant> claims_;
  std::size_t bytes_ = 0;
  std::vector<verdict> verdicts_;
  std::vector<to_record> to_record_;
  std::vector<std::string> dropped_;
};

} // namespace herald
