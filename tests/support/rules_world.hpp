#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/typed_response_promise.hpp>

#include "actors/audience/audience_index.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/actors.hpp"
#include "tests/support/audience_rules.hpp"
#include "tests/support/interleaver.hpp"
#include "tests/support/rules_model.hpp"

namespace herald::testing {

/// A herald without sockets: the real registry, version store, task runner and book of keys, and
/// around them transports with browsers, publishers, observers, a version source and task workers,
/// all played. A seed decides what they do and in which order everybody's messages are handled. The
/// models are told of each message as it enters the mailbox, so they know what must come of it.
class rules_world {
public:
  rules_world(
    caf::actor_system& system, caf::scheduler::test_coordinator& scheduler, metrics& numbers,
    unsigned seed);
  rules_world(const rules_world&) = delete;
  rules_world& operator=(const rules_world&) = delete;
  ~rules_world();

  /// Plays, comes to rest, compares. Failures are reported to GoogleTest.
  void run();

  /// What was done, for whoever looks into a failure.
  [[nodiscard]] const std::vector<std::string>& history() const { return done_; }

  /// How often the cases worth testing have come up.
  struct tally {
    std::size_t streams = 0;
    std::size_t replacements = 0;
    std::size_t late_failures = 0;
    std::size_t replays = 0;
    std::size_t gaps = 0;
    std::size_t greetings = 0;
    std::size_t broken_observers = 0;
    std::size_t refusals = 0;
    std::size_t tasks = 0;
    std::size_t addressed = 0;  ///< events for some, received
    std::size_t values = 0;     ///< last values, given where topics were added
    std::size_t changes = 0;    ///< of topics
    std::size_t look_backs = 0; ///< that found something
    std::size_t keyed = 0;      ///< published with a key
    std::size_t replayed = 0;   ///< requests that were answered as another
    std::size_t conflicts = 0;  ///< requests whose key had another body
  };
  [[nodiscard]] const tally& counts() const { return counts_; }

private:
  using job_queue = std::shared_ptr<std::vector<std::function<void()>>>;
  using client_actor = typed_actor<result<void>(flush)>;
  using source_actor =
    version_source_actor::extend<caf::reacts_to<version_document>, caf::reacts_to<failure>>;

  /// A stream as the transport and the browser at its end see it.
  struct browser {
    token stream;
    std::size_t transport = 0;
    bool attached = false;
    bool left = false;  ///< the browser has gone
    bool ended = false; ///< the transport has closed it, or knows that it is gone
    std::vector<wire_event> received;

    [[nodiscard]] bool alive() const { return !left && !ended; }
  };

  /// A page comes back with the same request_id and the last id that it has read.
  struct page {
    std::string id;
    std::vector<std::size_t> streams;
    reach_ptr asks = nullptr;
    /// Nothing was done to it that no browser does, and it hears the same all the time.
    bool plain = true;
  };

  struct client {
    client_actor actor;
    client_actor::pointer self = nullptr;
    job_queue jobs;
  };

  struct worker {
    std::optional<task_id> task;
    std::optional<task_id> former;
    double progress = 0.0;
  };

  /// What is sent with a key.
  struct keyed_command {
    request_key key;
    publish command;
    /// Of its events, once they are published.
    std::vector<event_id> ids;
    /// When that was.
    std::chrono::minutes since{0};
    /// Somebody has sent another body with the key.
    bool reused = false;
  };

  /// How long answers are kept.
  static constexpr std::chrono::minutes idempotency_time{5};

  // Playing.
  void play();
  void open(page& p, std::optional<std::string> cursor);
  void open_page();
  void return_page();
  void repeat_open();
  void reopen_dead();
  void move_token();
  void leave();
  void release_late();
  void stale_end();
  void publish_something();
  draft some_draft();
  void publish_with_key();
  void claim(const client_actor::pointer& self, std::size_t which, bool other);
  void carry_out(const client_actor::pointer& self, std::size_t which, claim_id id);
  void queue_something();
  void join_observer();
  void answer_fetch();
  void close_something();
  void send_something();
  void close_subject();
  void change_something();
  void look_back();
  void let_time_pass();
  void list_open();
  void list_those(const connection_filter& which);
  void do_task();
  void work();
  void begin_to_end();
  void come_to_rest();

  // Everything that is told to the registry goes through these.
  void tell_open(const open_connection& command);
  void tell_closed(const token& stream, end_reason reason);
  void tell_failed(const token& stream);

  // The played actors.
  delivery_actor spawn_transport(std::size_t index);
  client spawn_client();
  publisher_actor spawn_store_publisher();
  publisher_actor spawn_task_publisher();
  observer_actor spawn_store_observer();
  observer_actor spawn_observer(const std::string& name, std::size_t kind);
  version_source_actor spawn_source();
  task_worker_actor spawn_worker(const task_runner_actor& runner, std::size_t number);
  void hear(std::size_t transport, const token& stream, const reach_ptr& hears);
  /// The streams of a transport that an event is for, as loops find them.
  std::vector<browser*> targets_of(std::size_t transport, const delivery& item);
  std::size_t deliver_one(std::size_t transport, const delivery& item);
  bool write_to(browser& b, const event& what, bool by_name);
  /// Has one of the clients do this when its turn comes.
  void ask(std::function<void(client_actor::pointer)> what);
  void request_publish(const client_actor::pointer& self, publish command);
  /// For the error that a request is answered with.
  std::function<void(const caf::error&)> refusal_due(bool due, ec code);

  // Comparing.
  void compare_streams();
  void compare_pages();
  void compare_observers();
  void compare_versions();
  void compare_tasks();

  template <class Handle>
  Handle own(Handle handle) {
    owned_.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
    return handle;
  }
  void note(std::string what) { done_.push_back(std::move(what)); }
  [[nodiscard]] browser* find(const token& stream);
  [[nodiscard]] browser* pick(const std::function<bool(const browser&)>& which);
  [[nodiscard]] std::string some_id() { return "r" + std::to_string(chaos_.below(5)); }
  [[nodiscard]] std::string fresh(const char* prefix);

  caf::actor_system& system_;
  caf::scheduler::test_coordinator& scheduler_;
  interleaver chaos_;
  audience_draws draws_;
  std::optional<stream_rules> streams_;
  version_rules versions_;
  std::vector<std::string> done_;
  tally counts_;

  connection_registry_actor registry_;
  version_store_actor store_;
  task_runner_actor runner_;
  idempotency_actor keys_;
  source_actor source_;
  std::vector<delivery_actor> transports_;
  /// By transport; its members are numbers of browsers.
  std::vector<std::unique_ptr<audience_index>> hearers_;
  std::vector<client> clients_;
  std::map<std::string, observer_actor> observers_;
  std::vector<caf::strong_actor_ptr> owned_;

  std::vector<browser> browsers_;
  std::vector<page> pages_;
  std::vector<std::function<void()>> late_;
  std::map<std::string, std::vector<std::string>> told_; ///< observers: facts
  std::map<std::string, bool> broken_;                   ///< observers that have crashed
  std::vector<worker> workers_;
  std::vector<task_id> tasks_;
  std::vector<keyed_command> keyed_;
  claim_id last_claim_ = 0;
  std::chrono::minutes passed_{0};
  bool fetching_ = false;
  bool has_source_ = false;
  bool ending_ = false;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  std::size_t unsettled_ = 0;
  std::size_t serial_ = 0;
};

} // namespace herald::testing
