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
  /// What it is one of, e.g. "gateway-sender"; empty: the only one, and its name says it.
  std::string kind{};
  /// Where it runs, always, and from whose thread alone; null: on CAF's scheduler. Outlives it.
  /// Must bear `exec_later` from any thread, and knows the actor as a `resumable::io_actor`.
  caf::execution_unit* unit = nullptr;
};

/// The same for one of many of its kind: "gateway-sender" becomes "gateway-sender-3".
[[nodiscard]] shell_options one_of_many(shell_options options, std::size_t number);

/// Thrown by the constructor of an inside: what outlives restarts does not pass its check. There is
/// no use in another restart.
struct state_damaged : std::logic_error {
  using std::logic_error::logic_error;
};

/// What a shell knows of one type of message.
struct message_rule {
  const std::type_info* type = nullptr;
  /// It comes from outside and may be refused.
  bool refusable = false;
  /// It may be handled again where its handler threw.
  bool repeatable = false;
  /// Its handler leaves it as it is.
  bool intact = false;
  /// Whether this very message may be refused; none: each.
  std::function<bool(const caf::type_erased_tuple&)> applies;
  /// Tells whoever waits for what comes of it, other than its sender, that nothing does.
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

  // What the shell itself does.

  virtual caf::scheduled_actor& self() = 0;
  /// Makes the inside; may throw.
  virtual void build() = 0;
  virtual void unbuild() noexcept = 0;
  /// Has CAF find the handler of a message; what that throws comes out of it.
  virtual caf::invoke_message_result dispatch(caf::mailbox_element& letter) = 0;

  // What it has done here.

  void add(message_rule rule);
  /// Builds the first inside. All rules are known.
  void start();
  /// Gives all back; what waits is answered with an error.
  void end() noexcept;

  /// Counts a message in, on the thread of its sender. False: it was refused and answered.
  [[nodiscard]] bool admit(const caf::mailbox_element& letter);
  /// Takes a message from the mailbox.
  caf::invoke_message_result take(caf::mailbox_element& letter);
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

  /// Who waits for the answer to a message; nobody for one that is no request.
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
  /// Whether the oldest has to go.
  [[nodiscard]] bool is_over_full() const noexcept {
    return options_.mailbox.action == when_full::drop_oldest && options_.mailbox.max != 0
           && waiting() > options_.mailbox.max;
  }
  restartable_actor address();

  void take_kept(caf::mailbox_element& order);
  void note_depth();
  void keep(caf::mailbox_element& letter, const message_rule& rule);
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
  /// From its start to its end. The rules are complete; senders may read them.
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
