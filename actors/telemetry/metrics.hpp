#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace herald {

/// The numbers that herald shows at `/metrics`, named by Prometheus conventions.
///
/// A component asks for its numbers once, when it is built, and keeps the references: they live as
/// long as this object, and counting on them is lock-free and safe from any thread. Asking again
/// for the same name and labels gives the same number, so a rebuilt component goes on counting.
/// Labels never take values without bound (no ids, no paths, no event names).
class metrics {
public:
  using labels = std::map<std::string, std::string>;

  prometheus::Counter&
  counter(const std::string& name, const std::string& help, const labels& with = {});
  prometheus::Gauge&
  gauge(const std::string& name, const std::string& help, const labels& with = {});
  /// Seconds, with buckets from 0.1 ms to 10 s.
  prometheus::Histogram&
  latency(const std::string& name, const std::string& help, const labels& with = {});

  /// Seconds, with buckets from 1 us to 1 s.
  prometheus::Histogram&
  short_latency(const std::string& name, const std::string& help, const labels& with = {});

  /// Seconds, with buckets from 0.1 s to an hour.
  prometheus::Histogram&
  duration(const std::string& name, const std::string& help, const labels& with = {});

  /// A counter that is kept elsewhere, and asked for at each `render`, on its thread. Before the
  /// first `render`.
  void counted_elsewhere(
    const std::string& name, const std::string& help, std::function<double()> value);

  /// Everything, in the Prometheus text format 0.0.4.
  [[nodiscard]] std::string render() const;

private:
  prometheus::Registry registry_;
  std::vector<std::unique_ptr<prometheus::Collectable>> elsewhere_;
};

} // namespace herald
