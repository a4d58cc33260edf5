#include "http/fanout/stream_table.hpp"

#include <string>

#include <benchmark/benchmark.h>

namespace herald::bench {
namespace {

/// Sockets that take everything, at no cost: what is left is the table's own.
class free_sockets final : public stream_io {
public:
  ssize_t write(int, const iovec* parts, int count) override {
    std::size_t bytes = 0;
    for (int i = 0; i < count; ++i)
      bytes += parts[i].iov_len;
    return static_cast<ssize_t>(bytes);
  }
  void watch_writable(int, stream_slot, bool) override {}
  void ended(const ended_stream&) override {}
};

void run_to_end(stream_table& table) {
  while (table.run_slice(256)) {
  }
}

/// One event to all streams; items are deliveries.
void stream_table_pass(benchmark::State& state) {
  free_sockets sockets;
  stream_table table{{}, sockets};
  const auto streams = static_cast<int>(state.range(0));
  for (int i = 0; i < streams; ++i)
    table.attach(table.add(i + 3, static_cast<std::uint64_t>(i), 0), {"head"});
  run_to_end(table);
  const std::string frame(230, 'x');
  for (auto _ : state) {
    table.broadcast(frame, service_type::event);
    run_to_end(table);
  }
  state.SetItemsProcessed(state.iterations() * streams);
}
BENCHMARK(stream_table_pass)->Arg(1'000)->Arg(10'000)->Arg(100'000);

void stream_table_targeted_frame(benchmark::State& state) {
  free_sockets sockets;
  stream_table table{{}, sockets};
  const auto slot = table.add(3, 1, 0);
  table.attach(slot, {"head"});
  run_to_end(table);
  const std::string frame(230, 'x');
  for (auto _ : state) {
    table.push(slot, frame, service_type::event);
    run_to_end(table);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(stream_table_targeted_frame);

void stream_table_come_and_go(benchmark::State& state) {
  free_sockets sockets;
  stream_table table{{}, sockets};
  for (auto _ : state) {
    const auto slot = table.add(3, 1, 0);
    table.attach(slot, {"head"});
    run_to_end(table);
    table.drop(slot, end_reason::client_closed);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(stream_table_come_and_go);

} // namespace
} // namespace herald::bench
