#include "actors/gateway/gateway_body.hpp"

#include <string>

#include <benchmark/benchmark.h>

#include "tests/bench/micro/samples.hpp"

namespace herald::bench {
namespace {

/// Once per event.
void gateway_body_prepare(benchmark::State& state) {
  const auto sample = sample_event();
  for (auto _ : state)
    benchmark::DoNotOptimize(prepare(sample));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(gateway_body_prepare);

/// Once per stream and event.
void gateway_body_write(benchmark::State& state) {
  const auto prepared = prepare(sample_event());
  const auto to = token::from_bits(0x0123456789abcdef, 0xfedcba9876543210);
  std::string out;
  for (auto _ : state) {
    write_send_body(out, to, prepared.get(), false);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(gateway_body_write);

} // namespace
} // namespace herald::bench
