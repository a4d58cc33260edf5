#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <vector>

#include <caf/execution_unit.hpp>
#include <caf/invoke_message_result.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/scheduled_actor.hpp>

#include "actors/supervision/stash.hpp"
#include "actors/supervision/supervision_options.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/actors.hpp"
#include "messages/errors.hpp"

namespace herald {

struct shell_options {
  /// In logs, metrics and the actor tree, e.g. "connection-registry".
  std::string name;
  /// Decides about restarts. Without one the inside is rebuilt at once.
  supervisor_actor supervisor{};
  /// Where mailbox depth, failures and handling times are counted; may be null.
  metrics* numbers = nullptr;
  mailbox_limit mailbox{};
  /// Its kind, e.g. "gateway-sender"; empty: as its name, of which there is one.
  std::string kind{};
  /// The unit whose thread alone runs it; null: CAF's scheduler. Outlives it.
  /// Must bear `exec_later` from any thread, and knows the actor as a `resumable::io_actor`.
  caf::execution_unit* unit = nullptr;
};

/// The same for one of many of its kind: "gateway-sender" becomes "gateway-sender-3".
[[nodiscard]] shell_options one_of_many(shell_options options, std::size_t number);

/// Thrown by the constructor of an inside whose state, which outlives restarts, does not pass its
/// check: another restart is of no use.
struct state_damaged : std::logic_error {
  using std::logic_error::logic_error;
};

/// How a shell treats one type of message.
struct message_rule {
  const std::type_info* type = nullptr;
  /// A command or query from outside, which back-pressure may refuse.
  bool refusable = false;
  /// Handled again where its handler threw.
  bool repeatable = false;
  /// Unchanged by its handler.
  bool intact = false;
  /// Whether this very message may be refused; none: each.
  std::function<bool(const caf::type_erased_tuple&)> applies;
  /// Says to others than its sender, who wait for its effect, that there will be none.
  std::function<void(const caf::type_erased_tuple&, const failure&)> tell;

  [[nodiscard]] bool may_refuse(const caf::mailbox_element& letter) const {
    return refusable && (!applies || applies(letter.content()));
  }
};

/// The part of a shell that does not depend on what is in it: the door of the mailbox, what waits
/// while there is no inside, failures and orders, numbers.
class shell_core {
public:
  explicit shell_core(shell_options options);
  shell_core(const shell_core&) = delete;
  shell_core& operator=(const shell_core&) = delete;

protected:
  virtual ~shell_core() = default;

  // For the shell to define.

  virtual caf::scheduled_actor& self() = 0;
  /// Makes the inside; may throw.
  virtual void build() = 0;
  virtual void unbuild() noexcept = 0;
  /// Has CAF find the handler of a message; what that throws comes out of it.
  virtual caf::invoke_message_result dispatch(caf::mailbox_element& letter) = 0;

  // For the shell to call.

  void add(message_rule rule);
  /// Builds the first inside. All rules are known.
  void start();
  /// Drops the inside and the supervisor; messages that wait are answered with an error.
  void dissolve() noexcept;

  /// Counts a message in, on the thread of its sender. False: it was refused and answered.
  [[nodiscard]] bool admit(const caf::mailbox_element& letter);
  /// Handles, stashes or refuses a message of the mailbox.
  caf::invoke_message_result receive(caf::mailbox_element& letter);
  /// From the supervisor.
  void obey(const inside_order& order);

  /// Around each call of a handler of the inside.
  void enter();
  void leave();

  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  [[nodiscard]] caf::execution_unit* unit() const noexcept { return options_.unit; }

private:
  using clock = std::chrono::steady_clock;

  enum class condition : std::uint8_t { up, down, stopped };
  enum class cause : std::uint8_t { rejected, dropped, stopped };

  /// A request that waits for its answer, or a message that nobody waits for.
  struct question {
    explicit question(const caf::mailbox_element& letter);
    void fail(ec code, std::string detail) const;

    caf::message_id id;
    caf::strong_actor_ptr asker;
  };

  [[nodiscard]] const message_rule* rule_of(const caf::mailbox_element& letter) const;
  /// Messages that wait, as far as is known: those that were sent, until the actor counts them.
  [[nodiscard]] std::size_t waiting() const noexcept {
    return static_cast<std::size_t>(depth_->load(std::memory_order_relaxed));
  }
  [[nodiscard]] bool
  is_rejected(const caf::mailbox_element& letter, const message_rule& rule) const;
  /// Whether the oldest message has to go.
  [[nodiscard]] bool is_over_full() const noexcept {
    return options_.mailbox.action == when_full::drop_oldest && options_.mailbox.max != 0
           && waiting() > options_.mailbox.max;
  }
  restartable_actor address();

  void handle_stashed(caf::mailbox_element& order);
  void note_depth();
  void put_into_stash(caf::mailbox_element& letter, const message_rule& rule);
  void refuse(const caf::mailbox_element& letter, const message_rule& rule, cause why);
  caf::invoke_message_result
  handle(caf::mailbox_element& letter, const message_rule* rule, unsigned failures);
  void message_failed(
    caf::mailbox_element& letter, const message_rule* rule, const question& asked,
    unsigned failures, const char* what);
  void inside_failed(const char* what, bool damaged = false);
  void rebuild();

  shell_options options_;
  std::vector<message_rule> rules_;
  /// True from `start` to `dissolve`: the rules are complete, and senders may read them.
  std::atomic<bool> open_ = false;
  const std::shared_ptr<mailbox_depth> depth_ = std::make_shared<mailbox_depth>(0);

  condition condition_ = condition::down;
  std::uint64_t generation_ = 0;
  stash stash_;
  /// The handler of the current message has returned.
  bool handled_ = false;
  /// When the last message was handled, and whether another one waited then.
  clock::time_point last_end_;
  bool waited_ = false;

  prometheus::Gauge* depth_gauge_ = nullptr;
  prometheus::Counter* failures_ = nullptr;
  prometheus::Counter* lost_ = nullptr;
  std::vector<prometheus::Counter*> refusals_;
  prometheus::Histogram* handling_ = nullptr;
};

} // namespace herald
