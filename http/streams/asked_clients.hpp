#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include "http/access/authorizer.hpp"
#include "http/admission/stream_admission.hpp"
#include "http/streams/loop_inbox.hpp"
#include "messages/ids.hpp"

namespace herald {

/// The clients of a loop about which the application is being asked. For the loop's thread.
class asked_clients {
public:
  /// Whoever asks, who may be null where nobody is asked about, outlives this. Answers go the way
  /// into the loop's inbox, from any thread.
  asked_clients(authorizer* questions, std::function<void(loop_order)> way)
    : questions_(questions),
      way_(std::move(way)) {}

  /// Asks about a client: `application_answered` tells what is said. False where there is no room
  /// for one more.
  [[nodiscard]] bool ask(const token& stream, stream_admission::admitted client) {
    const auto asked = std::exchange(client.question, std::nullopt);
    const auto number = questions_->ask(*asked, [way = way_, stream](authorize_verdict said) {
      way(application_answered{stream, std::move(said)});
    });
    if (number)
      waiting_.insert_or_assign(stream, waiter{*number, std::move(client)});
    return number.has_value();
  }

  /// The client waits no longer: it is answered.
  [[nodiscard]] std::optional<stream_admission::admitted> take(const token& stream) {
    auto taken = waiting_.extract(stream);
    if (taken.empty())
      return std::nullopt;
    return std::move(taken.mapped().client);
  }

  /// The client, if it waits, is gone.
  void forget(const token& stream) {
    if (waiting_.empty())
      return;
    if (const auto gone = waiting_.extract(stream); !gone.empty())
      questions_->forget(gone.mapped().question);
  }

  [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

private:
  struct waiter {
    authorizer::number question;
    stream_admission::admitted client;
  };

  authorizer* questions_;
  std::function<void(loop_order)> way_;
  std::unordered_map<token, waiter> waiting_;
};

} // namespace herald
