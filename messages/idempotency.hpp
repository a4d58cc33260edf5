#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "messages/events.hpp"
#include "messages/ids.hpp"
#include "messages/text/time.hpp"
#include "messages/typed_actor.hpp"

namespace herald {

/// Names one request that claims a key; made by whoever has the request, never twice in a life.
using claim_id = std::uint64_t;

/// An answer as it is given again.
struct kept_answer {
  int status = 0;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  friend bool operator==(const kept_answer&, const kept_answer&) = default;
};

using kept_answer_ptr = std::shared_ptr<const kept_answer>;

/// An `Idempotency-Key`, and what it was sent with.
struct request_key {
  /// The key within its scope: who asks (nobody yet), method, path and query.
  std::string name;
  /// SHA-256 of the body.
  std::string body_hash;
};

// To the book of keys, and from it.

/// A request with a key wants to be carried out. Answered once it may be (`key_grant` without an
/// answer), or once the request that is under way with this key has its answer.
/// `ec::key_reused` where the key was used with another body.
struct claim_key {
  claim_id claim = 0;
  request_key key;
  /// What the request makes is named by the seed: with a journal the claim is in the file before it
  /// is granted, so that a request that comes again finds what was made.
  bool planned = false;
  /// Its request waits no longer than this, and once it is carried out, it is over after so long.
  std::chrono::milliseconds longest{0};
};

struct key_grant {
  /// Null: the request is to be carried out.
  kept_answer_ptr answer;
  /// A random UUID; the same for all that claim the key until one has an answer.
  token seed;
};

/// What a claim has come to: an answer that is given again. Answered once that is recorded.
struct settle_claim {
  claim_id claim = 0;
  kept_answer_ptr answer;
};

/// A claim has come to nothing that is given again, or nobody waits for it any more.
struct leave_claim {
  claim_id claim = 0;
  /// Nothing was carried out, for sure.
  bool untouched = false;
};

/// From the registry: what a claim has published has this answer, which is recorded with it.
struct claim_answered {
  claim_id claim = 0;
  kept_answer_ptr answer;
};

/// From the registry: it has nothing of this claim, and nothing of it is in the file.
struct claim_released {
  claim_id claim = 0;
};

/// The CLAIM LISTENER actor interface: who is told what becomes of a claim.
using claim_listener_actor = typed_actor<
  // Its events are published, or on their way; this is the answer.
  result<void>(claim_answered),
  // It publishes nothing.
  result<void>(claim_released)>;

struct release_claim;

/// The CLAIM KEEPER actor interface: whoever orders of a claim come through.
using claim_keeper_actor = typed_actor<
  // Nobody waits for the claim any more.
  result<void>(release_claim)>;

/// Takes the way that orders take, behind those of the claim, and is answered with `claim_released`
/// at its end, unless something of the claim is under way there.
struct release_claim {
  claim_id claim = 0;
  claim_listener_actor listener;
  /// Who comes next on the way.
  std::vector<claim_keeper_actor> way;
};

/// A request that holds the claim on its key.
struct claimed_key {
  request_key key;
  claim_id claim = 0;
  token seed;
  /// Headers of its answer that were made when it came.
  std::vector<std::pair<std::string, std::string>> headers;
  claim_listener_actor listener;
};

/// Goes with what is published for a claim.
struct keyed_publish {
  claimed_key key;
  /// The answer that the receipt becomes.
  std::function<kept_answer(const publish_receipt&)> answer_of;
};

/// From the book to itself: look for keys that are old.
struct expire_keys {
  /// One that is not expected any more is ignored.
  std::uint64_t number = 0;
};

// Entries of the journal.

/// What a key was used for. Without an answer: it was claimed, and may have been carried out.
struct answer_kept {
  request_key key;
  token seed;
  kept_answer_ptr answer;
  wall_time at;
};

struct answer_dropped {
  std::string name;
};

} // namespace herald
