#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "actors/journal/journal.hpp"
#include "actors/journal/journal_recovery.hpp"
#include "actors/registry/connection_registry.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

/// A journal on a disk that is full now and then.
class unreliable_store final : public journal_store {
public:
  unreliable_store(std::unique_ptr<journal_file> file, std::mt19937& random)
    : file_(std::move(file)),
      random_(random) {}

  failure write(std::span<const journal_entry> entries) override {
    if (random_() % 12 == 0)
      return {ec::storage_full, "no room today", {}};
    return file_->write(entries);
  }
  void tidy() override { file_->tidy(); }
  std::size_t bytes() const override { return file_->bytes(); }

private:
  std::unique_ptr<journal_file> file_;
  std::mt19937& random_;
};

/// A page that comes back with its cursor for as long as the test lasts.
struct page {
  std::string id;
  /// Its stream; empty while it is away.
  std::string stream;
  event_id cursor;
  /// Ids of all events that it has ever got, in the order of getting them.
  std::vector<event_id> got;
  /// Where it was told that events are missing: (after, up to].
  std::vector<std::pair<event_id, event_id>> gaps;
};

struct published {
  std::string data;
  std::optional<std::string> only;
  bool greeting = false;
};

/// Publishers, and pages that come and go with their cursors, over several lives of herald, each of
/// which is killed with whatever is in its mailboxes. Every event that was acknowledged must reach
/// every page that it is for once, in order; a gap may be told only where the history was too
/// short.
class ReplayModel : public testing::actor_test, public ::testing::WithParamInterface<unsigned> {
protected:
  ReplayModel() {
    via = mock<delivery_actor>(
      [this](const attach_stream& m) {
        const auto name = m.stream.str();
        attached.insert(name);
        auto missed = m.missed;
        while (const auto what = missed.next())
          deliver_to(name, *what);
        place(name, m.cursor);
      },
      [](const refuse_stream&) { ADD_FAILURE() << "nothing is refused"; },
      [this](const close_stream& m) { attached.erase(m.stream.str()); },
      [](const change_reach&) { ADD_FAILURE() << "nobody asked for it"; },
      [this](const deliver& m) {
        for (const auto& item : *m.batch)
          if (item.only)
            deliver_to(item.only->str(), *item.what);
          else
            for (const auto& name : attached)
              deliver_to(name, *item.what);
      });
    publisher = own(system().spawn([this](caf::event_based_actor* self) -> caf::behavior {
      return {[this, self](const publish& command) {
        std::vector<std::string> said;
        for (const auto& d : command.drafts)
          said.push_back(d.data);
        self->request(registry, caf::infinite, command)
          .then(
            [this, said](const publish_receipt& receipt) {
              for (std::size_t i = 0; i < said.size(); ++i)
                acknowledged.emplace(receipt.ids.at(i), said[i]);
            },
            [](const caf::error&) {});
      }};
    }));
    history.max_events = 20 + pick(2) * 1000;
    for (int i = 0; i < 6; ++i)
      pages.push_back({"page" + std::to_string(i), {}, {}, {}, {}});
  }

  unsigned pick(unsigned n) { return std::uniform_int_distribution<unsigned>{0, n - 1}(random); }

  void deliver_to(const std::string& stream, const event& what) {
    if (!attached.contains(stream))
      return;
    const auto owner =
      std::find_if(pages.begin(), pages.end(), [&](const page& p) { return p.stream == stream; });
    if (owner == pages.end())
      return; // The page has closed it.
    if (what.name == "gap") {
      owner->gaps.emplace_back(owner->cursor, what.id);
      owner->cursor = what.id;
      return;
    }
    ASSERT_GT(what.id, owner->cursor) << owner->id << " got an event again, or out of order";
    owner->cursor = what.id;
    owner->got.push_back(what.id);
    const auto [known, fresh] = data_of.emplace(what.id, what.data);
    ASSERT_EQ(known->second, what.data) << "one id, two events";
    const auto& said = events.at(what.data);
    ASSERT_TRUE(!said.only || *said.only == owner->id) << "somebody else's event";
  }

  /// The opening block of a stream.
  void place(const std::string& stream, event_id live_from) {
    for (auto& p : pages) {
      if (p.stream != stream)
        continue;
      ASSERT_GE(live_from, p.cursor) << p.id << " is sent back";
      p.cursor = live_from;
      // The first time it gets what comes from here on.
      start_of.emplace(p.id, live_from);
    }
  }

  // The lives of herald.

  void begin_life() {
    // The clock may have been set back meanwhile.
    const auto clock = std::chrono::system_clock::now() - std::chrono::hours{pick(3)};
    auto past = recover_journal({dir / "journal.db", journal_sync::off}, clock);
    ASSERT_TRUE(past) << describe(past.error()).detail;
    log = own(journal_actor{spawn_supervised<journal::interface, journal>(
      system(), {"journal", {}, nullptr},
      journal::builder(
        std::make_unique<unreliable_store>(std::move(past->file), random), {}, numbers))});
    registry_memory memory;
    memory.journal = log;
    memory.events = std::move(past->snapshot.events);
    memory.history_floor = past->snapshot.history_floor;
    memory.last_id = past->snapshot.ids_upto;
    memory.ids_reserved = past->ids_reserved;
    registry = own(connection_registry_actor{spawn_connection_registry(
      system(), {"connection-registry", {}, nullptr}, {history}, numbers, std::move(memory))});
  }

  void kill() {
    for (const auto& actor :
         {caf::actor_cast<caf::strong_actor_ptr>(registry),
          caf::actor_cast<caf::strong_actor_ptr>(log)}) {
      const auto handle = caf::actor_cast<caf::actor>(actor);
      // Before everything that waits in the mailbox.
      caf::anon_send_exit(handle, caf::exit_reason::kill);
      scheduler().prioritize(handle);
    }
    registry = connection_registry_actor{};
    log = journal_actor{};
    drain();
    // Streams are gone with the process, and what was on its way to them.
    attached.clear();
    for (auto& p : pages)
      p.stream.clear();
  }

  // The steps.

  void publish_some() {
    publish command;
    command.wait = pick(4) == 0;
    for (auto n = 1 + pick(4); n > 0; --n) {
      published said{"event " + std::to_string(events.size()), {}, pick(8) == 0};
      if (said.greeting || pick(3) == 0)
        said.only = "page" + std::to_string(pick(8));
      draft d;
      d.name = said.greeting ? "version" : "note";
      d.service = said.greeting ? service_type::version : service_type::event;
      d.data = said.data;
      if (said.only)
        d.to = audience_of_page(request_id{*said.only});
      command.drafts.push_back(std::move(d));
      events.emplace(said.data, said);
    }
    inject(publisher, std::move(command));
  }

  void connect(page& p) {
    p.stream = "stream" + std::to_string(++streams);
    open_connection command{
      request_id{p.id}, token::from_text(p.stream), "", transport_kind::embedded, via, nullptr};
    if (p.cursor != event_id{})
      command.last_event_id = to_string(p.cursor);
    inject(registry, std::move(command));
  }

  void leave(page& p) {
    inject(registry, stream_closed{token::from_text(p.stream)});
    attached.erase(p.stream);
    p.stream.clear();
  }

  void step_some() {
    for (auto steps = pick(12); steps > 0 && step(); --steps) {
    }
  }

  void happen() {
    auto& p = pages[pick(static_cast<unsigned>(pages.size()))];
    switch (pick(10)) {
    case 0:
    case 1:
      if (!p.stream.empty())
        leave(p);
      break;
    case 2:
    case 3:
    case 4:
      connect(p);
      break;
    default:
      publish_some();
    }
    step_some();
  }

  void check(const page& p) const {
    if (!start_of.contains(p.id))
      return;
    const std::set<event_id> got(p.got.begin(), p.got.end());
    for (const auto& [id, data] : acknowledged) {
      if (id <= start_of.at(p.id) || got.contains(id))
        continue;
      const auto& said = events.at(data);
      const bool in_gap = std::any_of(p.gaps.begin(), p.gaps.end(), [id = id](const auto& gap) {
        return gap.first < id && id <= gap.second;
      });
      EXPECT_TRUE((said.only && *said.only != p.id) || said.greeting || in_gap)
        << p.id << " never got " << data;
    }
    if (history.max_events > 1000) {
      EXPECT_TRUE(p.gaps.empty()) << p.id << " was told of a gap, and nothing is evicted";
    }
  }

  std::mt19937 random{GetParam()};
  testing::temporary_folder dir;
  history_limits history{20, 1 << 20, 240h};
  metrics numbers;
  caf::actor publisher;
  delivery_actor via;
  journal_actor log;
  connection_registry_actor registry;

  std::vector<page> pages;
  std::set<std::string> attached;
  std::map<std::string, published> events;
  std::map<event_id, std::string> data_of;
  /// Of pages that were told from where they are live.
  std::map<std::string, event_id> start_of;
  std::map<event_id, std::string> acknowledged;
  std::size_t streams = 0;
};

TEST_P(ReplayModel, LosesAndRepeatsNothingOverItsLives) {
  for (int life = 0; life < 4 && !HasFailure(); ++life) {
    begin_life();
    for (auto i = 20 + pick(60); i > 0 && !HasFailure(); --i)
      happen();
    kill();
  }
  // At last everybody comes back and gets what is left.
  begin_life();
  for (auto& p : pages)
    connect(p);
  drain();
  for (const auto& p : pages)
    check(p);
  EXPECT_FALSE(acknowledged.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReplayModel, ::testing::Range(0u, 150u));

} // namespace
} // namespace herald
