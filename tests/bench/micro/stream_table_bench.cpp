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

/// A log that events fit in: one that does not is no event to anybody.
constexpr stream_table_options options{
  .log_bytes = 1 << 20, .private_queue_bytes = 1 << 20, .window_bytes = 1 << 18};

void run_to_end(stream_table& table) {
  while (table.run_slice(256)) {
  }
}

/// One event to all streams, of which one in so many is bare (0: none); items are deliveries.
void stream_table_pass(benchmark::State& state) {
  free_sockets sockets;
  stream_table table{options, sockets};
  const auto streams = static_cast<int>(state.range(0));
  const auto bare = static_cast<int>(state.range(1));
  for (int i = 0; i < streams; ++i)
    table.attach(
      table.add(i + 3, static_cast<std::uint64_t>(i), 0),
      {"head", {}, bare != 0 && i % bare == 0 ? framing::bare : framing::chunked});
  run_to_end(table);
  const std::string frame(230, 'x');
  for (auto _ : state) {
    table.broadcast(frame, service_type::event);
    run_to_end(table);
  }
  state.SetItemsProcessed(state.iterations() * streams);
}
BENCHMARK(stream_table_pass)->ArgsProduct({{1'000, 10'000, 100'000}, {0, 1, 2}});

/// The same for as many streams that are named one by one.
void stream_table_shared_frame(benchmark::State& state) {
  free_sockets sockets;
  stream_table table{options, sockets};
  const auto streams = static_cast<int>(state.range(0));
  for (int i = 0; i < streams; ++i)
    table.attach(
      table.add(i + 3, static_cast<std::uint64_t>(i), 0), {"head", {}, framing::chunked});
  run_to_end(table);
  const std::string text(230, 'x');
  for (auto _ : state) {
    shared_frame frame{text, service_type::event};
    for (stream_slot slot = 0; slot < table.slots(); ++slot) {
      // As a feed does it.
      while (!table.room_for(frame))
        table.run_slice(256);
      table.push(slot, frame);
    }
    run_to_end(table);
  }
  state.SetItemsProcessed(state.iterations() * streams);
}
BENCHMARK(stream_table_shared_frame)->Arg(1'000)->Arg(10'000)->Arg(100'000);

void stream_table_targeted_frame(benchmark::State& state) {
  free_sockets sockets;
  stream_table table{options, sockets};
  const auto slot = table.add(3, 1, 0);
  table.attach(slot, {"head", {}, framing::chunked});
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
  stream_table table{options, sockets};
  for (auto _ : state) {
    const auto slot = table.add(3, 1, 0);
    table.attach(slot, {"head", {}, framing::chunked});
    run_to_end(table);
    table.drop(slot, end_reason::client_closed);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(stream_table_come_and_go);

} // namespace
} // namespace herald::bench
