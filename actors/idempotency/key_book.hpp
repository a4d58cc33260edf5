#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
///
/// Every operation gives the strong guarantee: one that throws changes nothing.
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

  using key_ptr = std::shared_ptr<const request_key>;

  /// What the journal is to keep; its outcome is told to `recorded`.
  struct to_record {
    key_ptr key;
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

  // What there is to say and to do stays until it is said that it is done: whoever runs out of
  // memory in between begins again.

  [[nodiscard]] const std::vector<verdict>& verdicts() const noexcept { return verdicts_; }
  void verdicts_told() noexcept { verdicts_ = std::vector<verdict>{}; }

  [[nodiscard]] const std::vector<to_record>& orders() const noexcept { return to_record_; }
  /// Keys that are not known any more.
  [[nodiscard]] const std::list<key_ptr>& dropped() const noexcept { return dropped_; }
  /// Orders are given, and the file is told what was dropped.
  void orders_given() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// What is wrong with it, or nothing.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  using key_list = std::list<key_ptr>;

  struct entry {
    key_ptr key;
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
    std::list<claim_id> waiting = {};
    std::size_t bytes = 0;
    /// Where nobody has the claim: since when.
    time_point since = {};
    /// In `ages_`, or in `busy_`.
    key_list::iterator place = {};
  };
  /// By the name of its `key`.
  using key_map = std::map<std::string_view, entry>;

  struct claimant {
    key_map::iterator key;
    bool planned = false;
    time_point since;
    std::chrono::milliseconds longest;
  };

  using claim_map = std::map<claim_id, claimant>;

  // These two take memory, and change nothing when there is none. An operation calls them before it
  // changes anything, and takes none itself from then on.
  void prepare_to_tell(std::size_t claims);
  key_map::iterator add(const request_key& key, const token& seed);

  void claim_first(const claim_key& wish, const token& seed, time_point now);
  void refuse(claim_id claim, ec code, const char* detail, const char* field = "");
  void written(key_map::iterator key, time_point now);
  void not_written(key_map::iterator key, const failure& why, time_point now);

  // What follows takes no memory.
  void grant(key_map::iterator key, claim_id claim, time_point now);
  void grant_next(key_map::iterator key, time_point now);
  void record(entry& one);
  void keep(key_map::iterator key, time_point now);
  void keep_answer(key_map::iterator key, time_point now);
  void erase(key_map::iterator key);
  void make_room();
  void weigh(entry& one);
  [[nodiscard]] bool fits(std::size_t bytes) const;
  [[nodiscard]] bool idle(const entry& one) const noexcept {
    return one.owner == 0 && !one.recording;
  }
  [[nodiscard]] static std::size_t
  bytes_of(const request_key& key, const kept_answer* answer) noexcept;

  key_limits limits_;
  key_map keys_;
  /// Those that nobody has the claim on, the oldest first.
  key_list ages_;
  /// The others.
  key_list busy_;
  claim_map claims_;
  std::size_t bytes_ = 0;
  std::vector<verdict> verdicts_;
  std::vector<to_record> to_record_;
  key_list dropped_;
};

} // namespace herald
