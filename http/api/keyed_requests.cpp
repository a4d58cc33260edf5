#include "http/api/keyed_requests.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include <caf/send.hpp>

#include "http/auth/digests.hpp"
#include "http/keys/api_caller.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"

namespace herald {

namespace {

constexpr std::size_t max_key_bytes = 255;

bool is_key(std::string_view text) {
  return !text.empty() && text.size() <= max_key_bytes
         && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

/// The key in its scope: whose it is, empty where nobody says; method and target; the key.
std::string name_of(const api_request& request) {
  std::string name = request.by ? request.by->key.name : std::string{};
  name.append("\n").append(request.method).append(" ").append(request.path);
  if (!request.raw_query.empty())
    name.append(1, '?').append(request.raw_query);
  return name.append(1, '\n').append(*request.idempotency_key);
}

bool is_final(int status) {
  return (status >= 200 && status < 300) || status == 404 || status == 409 || status == 422;
}

kept_answer kept(api_reply reply) {
  return {
    reply.status, std::move(reply.content_type), std::move(reply.headers), std::move(reply.body)};
}

api_reply replayed(const kept_answer& answer) {
  api_reply reply{answer.status, answer.body, answer.content_type, answer.headers};
  reply.headers.emplace_back("Idempotent-Replayed", "true");
  return reply;
}

/// A claim on a key. It is left in the end, unless it was settled.
class key_claim {
public:
  explicit key_claim(idempotency_actor book) : book_(std::move(book)) {}
  ~key_claim() {
    if (settled_)
      return;
    try {
      caf::anon_send(book_, leave_claim{id_, untouched_});
    } catch (...) {
      // Out of memory: the book finds out by itself, later.
    }
  }
  key_claim(const key_claim&) = delete;
  key_claim& operator=(const key_claim&) = delete;

  [[nodiscard]] claim_id id() const noexcept { return id_; }
  void note_untouched() noexcept { untouched_ = true; }
  void note_settled() noexcept { settled_ = true; }

private:
  static claim_id next_id() {
    static std::atomic<claim_id> last{0};
    return ++last;
  }

  const idempotency_actor book_;
  const claim_id id_ = next_id();
  bool untouched_ = false;
  bool settled_ = false;
};

/// How long a request of the route is under way at most: it is carried out, and its answer
/// recorded.
std::chrono::milliseconds longest_of(const router::route& route, const api_request& request) {
  return (route.takes.longest ? route.takes.longest(request) : ask_deadline) + ask_deadline;
}

api_reply answer_once(
  caf::actor_system& system, const idempotency_actor& book, api_request& request,
  const router::route& route, const router::header_list& headers,
  const std::function<api_reply(const api_request&)>& carry_out) {
  if (!is_key(*request.idempotency_key))
    return problem(failure{
      ec::invalid_field, "must be 1 to 255 visible characters of ASCII", "Idempotency-Key"});
  const request_key key{name_of(request), std::string{bytes_of(sha256_of(request.body))}};
  key_claim claim{book};
  // Another request that has the claim takes as long as this one would.
  const auto longest = longest_of(route, request);
  const auto grant =
    ask<key_grant>(system, book, claim_key{claim.id(), key, route.takes.planned, longest}, longest);
  if (!grant)
    return problem(grant.error());
  if (grant->answer)
    return replayed(*grant->answer);
  request.once = std::make_shared<const claimed_key>(
    claimed_key{key, claim.id(), grant->seed, headers, claim_listener_actor{book}});
  auto reply = carry_out(request);
  if (!is_final(reply.status)) {
    if (reply.status < 500)
      claim.note_untouched();
    return reply;
  }
  const auto settled = ask<void>(
    system, book, settle_claim{claim.id(), std::make_shared<const kept_answer>(kept(reply))});
  if (!settled)
    return problem(settled.error());
  claim.note_settled();
  return reply;
}

} // namespace

void add_keyed_requests(router& routes, caf::actor_system& system, const idempotency_actor& book) {
  routes.set_keyed([&system, book](
                     api_request& request, const router::route& route,
                     const router::header_list& headers, const auto& carry_out) {
    return answer_once(system, book, request, route, headers, carry_out);
  });
}

keyed_publish_ptr publish_once(
  const api_request& request, std::function<api_reply(const publish_receipt&)> reply_of) {
  auto answer_of = [headers = request.once->headers,
                    reply_of = std::move(reply_of)](const publish_receipt& receipt) {
    auto answer = kept(reply_of(receipt));
    answer.headers.insert(answer.headers.end(), headers.begin(), headers.end());
    return answer;
  };
  return std::make_shared<const keyed_publish>(keyed_publish{*request.once, std::move(answer_of)});
}

} // namespace herald
