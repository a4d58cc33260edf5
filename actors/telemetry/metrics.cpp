#include "actors/telemetry/metrics.hpp"

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

std::string metrics::render() const {
  return prometheus::TextSerializer{}.Serialize(registry_.Collect());
}

} // namespace herald
