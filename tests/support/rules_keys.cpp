// Publishers with keys in a rules_world: each is a thread of the API, which claims, carries out and
// settles, or gives up in between and comes again.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "messages/type_ids.hpp"
#include "tests/support/rules_world.hpp"

namespace herald::testing {

namespace {

std::string text_of(const std::vector<event_id>& ids) {
  std::string text;
  for (const auto& id : ids)
    text += to_string(id) + ",";
  return text;
}

kept_answer answer_of(const publish_receipt& receipt) {
  return {202, "application/json", {}, text_of(receipt.ids)};
}

} // namespace

/// Sends what was sent with one of the last keys again, or something new.
void rules_world::publish_with_key() {
  if (keyed_.empty() || chaos_.chance(3)) {
    auto& added = keyed_.emplace_back();
    added.key = {fresh("key"), "body"};
    added.command.drafts.push_back(some_draft());
    added.command.wait = chaos_.chance(4);
  }
  const auto recent = std::min<std::size_t>(keyed_.size(), 4);
  const auto which = keyed_.size() - 1 - chaos_.below(recent);
  const bool other = chaos_.chance(12);
  note("publish with " + keyed_[which].key.name + (other ? ", another body" : ""));
  ask([this, which, other](client_actor::pointer self) { claim(self, which, other); });
}

void rules_world::claim(const client_actor::pointer& self, std::size_t which, bool other) {
  ++asked_;
  auto& sent = keyed_.at(which);
  sent.reused = sent.reused || other;
  claim_key wish{++last_claim_, sent.key};
  if (other)
    wish.key.body_hash = "another body";
  self->request(keys_, caf::infinite, wish)
    .then(
      [this, which, other, id = wish.claim](const key_grant& grant) {
        ++answered_;
        auto& known = keyed_.at(which);
        if (other) {
          EXPECT_EQ(grant.answer, nullptr) << known.key.name << " had another body";
          caf::anon_send(keys_, leave_claim{id, true});
          return;
        }
        if (grant.answer) {
          ++counts_.replayed;
          EXPECT_EQ(grant.answer->body, text_of(known.ids)) << known.key.name;
          return;
        }
        EXPECT_TRUE(known.ids.empty() || passed_ - known.since >= idempotency_time)
          << known.key.name << " is carried out again";
        ask([this, which, id](client_actor::pointer next) { carry_out(next, which, id); });
      },
      [this, which](const caf::error& error) {
        ++answered_;
        ++counts_.conflicts;
        EXPECT_EQ(describe(error).code, ec::key_reused);
        EXPECT_TRUE(keyed_.at(which).reused) << keyed_.at(which).key.name;
      });
}

void rules_world::carry_out(const client_actor::pointer& self, std::size_t which, claim_id id) {
  auto& known = keyed_.at(which);
  if (chaos_.chance(6)) {
    caf::anon_send(keys_, leave_claim{id, chaos_.chance(2)});
    return;
  }
  publish command = known.command;
  command.once = std::make_shared<const keyed_publish>(
    keyed_publish{{known.key, id, {}, {}, claim_listener_actor{keys_}}, answer_of});
  const auto due = streams_->publish(command);
  if (due.refused == ec::none) {
    known.ids.clear();
    for (const auto said : due.ids)
      known.ids.push_back({said});
    known.since = passed_;
    ++counts_.keyed;
  }
  // Its thread has waited for long enough, or its process has.
  const bool gives_up = chaos_.chance(4);
  ++asked_;
  self->request(registry_, caf::infinite, std::move(command))
    .then(
      [this, self, due, id, gives_up](const publish_receipt& receipt) {
        ++answered_;
        EXPECT_EQ(due.refused, ec::none);
        if (gives_up)
          return;
        ++asked_;
        const auto answer = std::make_shared<const kept_answer>(answer_of(receipt));
        self->request(keys_, caf::infinite, settle_claim{id, answer}).then([this] { ++answered_; });
      },
      [this, due, id, gives_up](const caf::error& error) {
        ++answered_;
        ++counts_.refusals;
        EXPECT_EQ(describe(error).code, due.refused);
        if (!gives_up)
          caf::anon_send(keys_, leave_claim{id, false});
      });
  if (!gives_up)
    return;
  if (chaos_.chance(2))
    caf::anon_send(keys_, leave_claim{id, false});
  else
    ask([this, id](client_actor::pointer) { caf::anon_send(keys_, leave_claim{id, false}); });
}

} // namespace herald::testing
