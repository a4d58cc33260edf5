#include "http/fanout/sse_format.hpp"

#include <string>

#include <benchmark/benchmark.h>

#include "tests/bench/micro/samples.hpp"

namespace herald::bench {
namespace {

void sse_format_event(benchmark::State& state) {
  const auto sample = sample_event();
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_event(out, sample.id, sample.name, sample.data);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sse_format_event);

void sse_format_event_of_many_lines(benchmark::State& state) {
  std::string data;
  for (int i = 0; i < 100; ++i)
    data += "a line of text\n";
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_event(out, {1}, "lines", data);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sse_format_event_of_many_lines);

} // namespace
} // namespace herald::bench
