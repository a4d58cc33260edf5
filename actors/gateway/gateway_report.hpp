#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "actors/gateway/gateway_queue.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/actors.hpp"

namespace herald {

/// Turns what happens in a shard's queue into metrics, log lines, and messages to the owner of the
/// streams. Used by one thread at a time.
class gateway_report final : public gateway_queue::listener {
public:
  gateway_report(std::size_t shard, stream_owner_actor owner, metrics& numbers);
  gateway_report(const gateway_report&) = delete;
  gateway_report& operator=(const gateway_report&) = delete;
  ~gateway_report() override;

  void sent(service_type service) override { of(service).sent->Increment(); }
  void failed(const token& to, service_type service, std::string_view why) override;
  void lost(service_type service, gateway_queue::loss why) override;
  void retried() override { retries_.Increment(); }
  void close_lost() override;
  void gone(const token& stream, std::string_view why) override;
  void ended(const token& stream) override;
  void settled(const delivery_settled& fact) override;
  void gateway_down(std::string_view why) override;
  void gateway_up() override;

  /// A send has ended after so long.
  void posted(const gateway_queue::attempt& what, const send_outcome& outcome, double seconds);
  /// After every message: how full the queues are. Logs losses and versions that could not be sent,
  /// each in one line, at most once a second.
  void note(const gateway_queue& queue, std::chrono::steady_clock::time_point now);
  /// When to call `note` again for what is not logged yet.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> note_due() const;

private:
  struct per_service {
    prometheus::Counter* sent = nullptr;
    prometheus::Counter* failed = nullptr;
    prometheus::Histogram* duration = nullptr;
  };

  [[nodiscard]] bool has_unlogged() const;
  void log_losses();
  [[nodiscard]] per_service& of(service_type service) {
    return services_[static_cast<std::size_t>(service)];
  }

  std::size_t shard_;
  stream_owner_actor owner_;
  std::array<per_service, service_type_count> services_{};
  std::array<prometheus::Counter*, gateway_queue::loss_count> losses_{};
  prometheus::Counter& closes_lost_;
  prometheus::Counter& retries_;
  prometheus::Counter& probes_alive_;
  prometheus::Counter& probes_gone_;
  prometheus::Counter& probes_failed_;
  prometheus::Gauge& depth_;
  prometheus::Gauge& bytes_;
  prometheus::Gauge& streams_;
  prometheus::Gauge& up_;

  /// Not logged yet.
  std::array<std::size_t, gateway_queue::loss_count> unlogged_{};
  std::array<std::size_t, service_type_count> unlogged_services_{};
  std::size_t unlogged_closes_ = 0;
  /// Versions whose stream was gone or that were refused; the last of them.
  std::size_t unsent_versions_ = 0;
  token unsent_to_;
  std::string unsent_why_;
  /// The last reason for which the gateway did not take a send.
  std::string last_trouble_;
  std::optional<std::chrono::steady_clock::time_point> logged_;
};

} // namespace herald
