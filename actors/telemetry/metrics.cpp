#include "actors/telemetry/metrics.hpp"

#include <iterator>
#include <utility>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace herald {

namespace {

const prometheus::Histogram::BucketBoundaries latency_buckets = {
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

const prometheus::Histogram::BucketBoundaries short_latency_buckets = {
  0.000001, 0.0000025, 0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025,
  0.0005,   0.001,     0.0025,   0.005,   0.01,     0.05,    0.25,   1};

const prometheus::Histogram::BucketBoundaries duration_buckets = {0.1, 0.5, 1,   5,   10,   30,
                                                                  60,  120, 300, 600, 1800, 3600};

class counter_elsewhere : public prometheus::Collectable {
public:
  counter_elsewhere(std::string name, std::string help, std::function<double()> value)
    : name_(std::move(name)),
      help_(std::move(help)),
      value_(std::move(value)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    prometheus::ClientMetric now;
    now.counter.value = value_();
    return {{name_, help_, prometheus::MetricType::Counter, {now}}};
  }

private:
  std::string name_;
  std::string help_;
  std::function<double()> value_;
};

} // namespace

prometheus::Counter&
metrics::counter(const std::string& name, const std::string& help, const labels& with) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(with);
}

prometheus::Gauge&
metrics::gauge(const std::string& name, const std::string& help, const labels& with) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(with);
}

prometheus::Histogram&
metrics::latency(const std::string& name, const std::string& help, const labels& with) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(
    with, latency_buckets);
}

prometheus::Histogram&
metrics::short_latency(const std::string& name, const std::string& help, const labels& with) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(
    with, short_latency_buckets);
}

prometheus::Histogram&
metrics::duration(const std::string& name, const std::string& help, const labels& with) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(
    with, duration_buckets);
}

void metrics::counted_elsewhere(
  const std::string& name, const std::string& help, std::function<double()> value) {
  elsewhere_.push_back(std::make_unique<counter_elsewhere>(name, help, std::move(value)));
}

std::string metrics::render() const {
  auto all = registry_.Collect();
  for (const auto& one : elsewhere_) {
    auto more = one->Collect();
    std::move(more.begin(), more.end(), std::back_inserter(all));
  }
  return prometheus::TextSerializer{}.Serialize(all);
}

} // namespace herald
