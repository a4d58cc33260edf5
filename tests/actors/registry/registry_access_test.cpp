#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "actors/registry/connection_registry.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

credential of(const char* subject, texts topics = {}) {
  credential made;
  made.subject = subject;
  made.topics = std::move(topics);
  return made;
}

class RegistryAccess : public testing::actor_test {
protected:
  RegistryAccess() {
    log = mock<journal_actor>(
      [this](const record_entries& m) {
        for (const auto& entry : m.entries)
          note(entry);
        if (m.ticket != 0)
          inject(m.listener, entries_recorded{m.ticket, m.ticket, {journal_says, {}, {}}});
      },
      [](const flush&) {});
    via = mock<delivery_actor>(
      [this](const attach_stream& m) {
        told.push_back("attach " + m.stream.str());
        if (m.hears)
          for (const auto& pattern : m.hears->patterns)
            told.back() += " " + pattern;
        auto missed = m.missed;
        while (const auto what = missed.next())
          told.push_back(what->name + "=" + what->data + " to " + m.stream.str());
      },
      [this](const refuse_stream& m) {
        told.push_back("refuse " + m.stream.str() + " " + std::string{to_string(m.why.code)});
      },
      [this](const close_stream& m) { told.push_back("close " + m.stream.str()); },
      [this](const change_reach& m) { told.push_back("change " + m.stream.str()); },
      [](const get_backlogs&) { return stream_backlogs{}; },
      [this](const deliver& m) {
        for (const auto& one : *m.batch)
          told.push_back(
            one.what->name + "=" + one.what->data + " to " + (one.only ? one.only->str() : "some"));
      });
    limits.max_bindings = 3;
    limits.max_revocations = 2;
    live();
  }

  void live(registry_memory memory = {}) {
    memory.journal = log;
    memory.last_id = {1000};
    memory.history_floor = {1000};
    registry = own(connection_registry_actor{spawn_connection_registry(
      system(), {"connection-registry", {}, &numbers}, limits, numbers, std::move(memory))});
  }

  void note(const journal_entry& entry) {
    if (const auto* bound = std::get_if<page_bound>(&entry))
      written.push_back("page " + bound->id.str() + " of " + bound->subject);
    if (const auto* unbound = std::get_if<page_unbound>(&entry))
      written.push_back("no page " + unbound->id.str());
    if (const auto* kept = std::get_if<revocation_kept>(&entry))
      written.push_back("revoked " + kept->what.credential_id + kept->what.subject);
    if (const auto* dropped = std::get_if<revocation_dropped>(&entry))
      written.push_back("not revoked " + dropped->credential_id + dropped->subject);
  }

  /// Gives what the transport is told of it.
  texts connect(
    const char* id, const char* stream, std::optional<credential> by, bool comes_back = false,
    texts patterns = {}) {
    open_connection opening{
      request_id{id}, token::from_text(stream), "/s", transport_kind::embedded, via, nullptr};
    if (comes_back)
      opening.last_event_id = "1000";
    reach asks;
    asks.patterns = std::move(patterns);
    if (by)
      asks.subject = by->subject;
    if (!asks.plain())
      opening.asks = std::make_shared<const reach>(std::move(asks));
    if (by)
      opening.by = std::make_shared<const credential>(std::move(*by));
    tell(registry, std::move(opening));
    return take();
  }

  texts say(const char* data, const audience& to) {
    publish command;
    command.drafts.push_back({"note", data, std::make_shared<const audience>(to)});
    EXPECT_TRUE(ask<publish_receipt>(registry, std::move(command)));
    return take();
  }

  ec revoke(const revocation& what, wall_time until = std::chrono::system_clock::now() + 1h) {
    const auto answer = ask<void>(registry, revoke_access{what, until});
    return answer ? ec::none : describe(answer.error()).code;
  }

  texts take() { return std::exchange(told, {}); }

  metrics numbers;
  registry_limits limits{{20, 1 << 20, 1h}};
  journal_actor log;
  ec journal_says = ec::none;
  delivery_actor via;
  connection_registry_actor registry;
  texts told;
  texts written;
};

TEST_F(RegistryAccess, LeavesAPageToTheSubjectThatOpenedIt) {
  EXPECT_EQ(connect("p", "t1", of("ann")), (texts{"attach t1"}));
  EXPECT_EQ(connect("p", "t2", of("bob")), (texts{"refuse t2 forbidden"}));
  EXPECT_EQ(connect("p", "t3", of("")), (texts{"refuse t3 forbidden"})) << "nobody is not ann";
  EXPECT_EQ(connect("p", "t4", of("ann")), (texts{"attach t4", "close t1"}));
  tell(registry, stream_closed{token::from_text("t4")});
  EXPECT_EQ(connect("p", "t5", of("bob")), (texts{"refuse t5 forbidden"})) << "she may come back";
  advance(1h);
  EXPECT_EQ(connect("p", "t6", of("bob")), (texts{"attach t6"}));
  EXPECT_EQ(written, (texts{"page p of ann", "no page p", "page p of bob"}));
}

TEST_F(RegistryAccess, LeavesAPageOfNobodyInParticularToThoseWithoutASubject) {
  EXPECT_EQ(connect("p", "t1", of("")), (texts{"attach t1"}));
  EXPECT_EQ(connect("p", "t2", of("ann")), (texts{"refuse t2 forbidden"}));
  EXPECT_EQ(connect("p", "t3", of("")), (texts{"attach t3", "close t1"}));
}

TEST_F(RegistryAccess, AsksNobodyWhosePageItIsWhereThereAreNoCredentials) {
  EXPECT_EQ(connect("p", "t1", std::nullopt), (texts{"attach t1"}));
  EXPECT_EQ(connect("p", "t2", std::nullopt), (texts{"attach t2", "close t1"}));
  EXPECT_TRUE(written.empty());
  EXPECT_EQ(testing::metric(numbers, "herald_auth_bindings"), 0);
}

TEST_F(RegistryAccess, ForgetsPagesWithoutAStreamFirstAndRefusesMoreThanItKeeps) {
  for (const auto* id : {"p1", "p2", "p3"})
    connect(id, id, of("ann"));
  EXPECT_EQ(connect("p4", "t4", of("ann")), (texts{"refuse t4 overloaded"}));
  EXPECT_EQ(testing::metric(numbers, "herald_auth_bindings_refused_total"), 1);
  tell(registry, stream_closed{token::from_text("p2")});
  EXPECT_EQ(connect("p4", "t4", of("ann")), (texts{"attach t4"}));
  EXPECT_EQ(testing::metric(numbers, "herald_auth_bindings_evicted_total"), 1);
  EXPECT_EQ(testing::metric(numbers, "herald_auth_bindings"), 3);
  EXPECT_EQ(written.back(), "page p4 of ann");
  EXPECT_EQ(written.at(3), "no page p2");
}

TEST_F(RegistryAccess, KnowsWhosePagesWereAndWhatIsRevokedFromAFormerLife) {
  registry_memory memory;
  memory.pages = {{request_id{"p"}, "ann"}};
  memory.revocations = {{{"7", {}, {}}, std::chrono::system_clock::now() + 1h}};
  live(std::move(memory));
  EXPECT_EQ(connect("p", "t1", of("bob")), (texts{"refuse t1 forbidden"}));
  auto revoked = of("ann");
  revoked.id = "7";
  EXPECT_EQ(connect("p", "t2", revoked), (texts{"refuse t2 invalid_token"}));
  EXPECT_EQ(connect("p", "t3", of("ann")), (texts{"attach t3"}));
  tell(registry, stream_closed{token::from_text("t3")});
  advance(1h);
  EXPECT_EQ(connect("p", "t4", of("bob")), (texts{"attach t4"}));
}

TEST_F(RegistryAccess, EndsStreamsWhoseCredentialIsRevokedAndLetsNoneIn) {
  auto first = of("ann");
  first.id = "1";
  auto second = first;
  second.id = "2";
  connect("p1", "t1", first);
  connect("p2", "t2", second);
  EXPECT_EQ(revoke({"1", {}, {}}), ec::none);
  EXPECT_EQ(take(), (texts{"close t1"}));
  EXPECT_EQ(connect("p1", "t3", first), (texts{"refuse t3 invalid_token"}));
  EXPECT_EQ(connect("p1", "t4", second), (texts{"attach t4"}));
  EXPECT_EQ(written.back(), "revoked 1");
}

TEST_F(RegistryAccess, SaysHowManyStreamsARevocationHasEnded) {
  const testing::log_capture log_lines;
  auto mine = of("ann");
  mine.id = "1";
  connect("p1", "t1", mine);
  connect("p2", "t2", mine);
  connect("p3", "t3", of("ann"));
  EXPECT_EQ(revoke({"1", {}, {}}), ec::none);
  const auto said = log_lines.lines("access_revoked");
  ASSERT_EQ(said.size(), 1u);
  EXPECT_NE(said[0].find("streams=2"), std::string::npos) << said[0];
}

TEST_F(RegistryAccess, EndsStreamsOfASubjectThatWereIssuedBefore) {
  const auto now = std::chrono::system_clock::now();
  auto old = of("ann");
  old.issued_at = now - 10s;
  auto fresh = of("ann");
  fresh.issued_at = now + 10s;
  connect("p1", "t1", old);
  connect("p2", "t2", fresh);
  connect("p3", "t3", of("bob"));
  EXPECT_EQ(revoke({{}, "ann", now}), ec::none);
  EXPECT_EQ(take(), (texts{"close t1"}));
  EXPECT_EQ(connect("p1", "t4", old), (texts{"refuse t4 invalid_token"}));
  EXPECT_EQ(connect("p1", "t5", of("ann")), (texts{"refuse t5 invalid_token"}));
  EXPECT_EQ(connect("p1", "t6", fresh), (texts{"attach t6"}));
}

TEST_F(RegistryAccess, RefusesMoreRevocationsThanMayBe) {
  EXPECT_EQ(revoke({"1", {}, {}}), ec::none);
  EXPECT_EQ(revoke({"2", {}, {}}, std::chrono::system_clock::now() - 1s), ec::none);
  EXPECT_EQ(revoke({"3", {}, {}}), ec::none) << "the second can have no effect any more";
  EXPECT_EQ(written.at(2), "not revoked 2");
  EXPECT_EQ(revoke({"4", {}, {}}), ec::overloaded);
  EXPECT_EQ(testing::metric(numbers, "herald_auth_revocations_refused_total"), 1);
  EXPECT_EQ(testing::metric(numbers, "herald_auth_revocations"), 2);
}

TEST_F(RegistryAccess, SaysThatARevocationIsNotWritten) {
  auto mine = of("ann");
  mine.id = "1";
  connect("p1", "t1", mine);
  journal_says = ec::storage_failed;
  EXPECT_EQ(revoke({"1", {}, {}}), ec::storage_failed);
  EXPECT_EQ(take(), (texts{"close t1"})) << "in force all the same, in this life";
}

TEST_F(RegistryAccess, AddsNoTopicThatTheCredentialDoesNotCover) {
  connect("p", "t1", of("ann", {"orders/*"}));
  const auto add = [this](texts add) {
    const auto changed =
      ask<topics_changed>(registry, change_topics{request_id{"p"}, std::move(add), {}});
    return changed ? ec::none : describe(changed.error()).code;
  };
  EXPECT_EQ(add({"orders/1/*"}), ec::none);
  EXPECT_EQ(add({"orders/2", "news"}), ec::forbidden);
  EXPECT_EQ(add({"*"}), ec::forbidden);
  EXPECT_EQ(
    ask<topics_changed>(registry, change_topics{request_id{"p"}, {}, {}})->patterns,
    (texts{"orders/1/*"}));
}

TEST_F(RegistryAccess, ReplaysByTheCredentialOfThen) {
  connect("p", "t1", of("ann", {"orders/*", "news"}), false, {"news"});
  ASSERT_TRUE(ask<topics_changed>(registry, change_topics{request_id{"p"}, {"orders/1"}, {}}));
  tell(registry, stream_closed{token::from_text("t1")});
  audience orders;
  orders.topics = {"orders/1"};
  say("order", orders);
  audience news;
  news.topics = {"news"};
  say("news", news);
  EXPECT_EQ(
    connect("p", "t2", of("ann", {"news"}), true, {"news"}),
    (texts{"attach t2 news", "note=news to t2"}));
  EXPECT_EQ(
    connect("p", "t3", of("ann", {"orders/*", "news"}), true, {"news"}),
    (texts{"attach t3 news orders/1", "note=order to t3", "note=news to t3", "close t2"}));
}

TEST_F(RegistryAccess, KeepsWhatIsForOnePageFromAStreamThatMayNotHearIt) {
  auto nobody = of("");
  nobody.targeted = false;
  connect("p", "t1", nobody);
  audience page;
  page.page = request_id{"p"};
  EXPECT_EQ(say("1", page), texts{});
  EXPECT_EQ(connect("p", "t2", nobody, true), (texts{"attach t2", "close t1"}));
  publish version;
  version.drafts.push_back(
    {"version", "v", audience_of_page(request_id{"p"}), service_type::version});
  tell(registry, std::move(version));
  EXPECT_EQ(take(), (texts{"version=v to t2"})) << "its pending version comes all the same";
}

} // namespace
} // namespace herald
