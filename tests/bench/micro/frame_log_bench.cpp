#include "http/fanout/frame_log.hpp"

#include <string>

#include <benchmark/benchmark.h>

namespace herald::bench {
namespace {

void frame_log_append(benchmark::State& state) {
  frame_log log{std::size_t{8} << 20};
  const std::string frame(230, 'x');
  for (auto _ : state)
    log.append(frame, service_type::event);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(frame_log_append);

/// What each stream of a pass asks for.
void frame_log_view_and_count(benchmark::State& state) {
  frame_log log{std::size_t{8} << 20};
  const std::string frame(230, 'x');
  for (int i = 0; i < 1000; ++i)
    log.append(frame, service_type::event);
  const auto to = log.end();
  const auto from = to - 10 * frame.size();
  for (auto _ : state) {
    benchmark::DoNotOptimize(log.view(from, to));
    benchmark::DoNotOptimize(log.count(from, to));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(frame_log_view_and_count);

} // namespace
} // namespace herald::bench
