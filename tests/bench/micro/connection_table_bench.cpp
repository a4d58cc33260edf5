#include "actors/registry/connection_table.hpp"

#include <cstdint>
#include <string>

#include <benchmark/benchmark.h>

namespace herald::bench {
namespace {

connection_table::opening page(std::uint64_t number, std::string& id) {
  id = "page-" + std::to_string(number);
  connection_table::opening what;
  what.id = id;
  what.stream = token::from_bits(number * 0x9e3779b97f4a7c15, number);
  what.url = "/api/sse/stream?request_id=page";
  return what;
}

void fill(connection_table& table, std::uint64_t streams) {
  std::string id;
  for (std::uint64_t i = 0; i < streams; ++i)
    table.open(page(i, id));
}

/// A stream opens and closes among many others.
void connection_table_open_and_close(benchmark::State& state) {
  connection_table table;
  const auto streams = static_cast<std::uint64_t>(state.range(0));
  fill(table, streams);
  auto number = streams;
  std::string id;
  for (auto _ : state) {
    const auto what = page(number++, id);
    table.open(what);
    table.close(what.stream);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(connection_table_open_and_close)->Arg(1'000)->Arg(100'000);

void connection_table_find(benchmark::State& state) {
  connection_table table;
  const auto streams = static_cast<std::uint64_t>(state.range(0));
  fill(table, streams);
  std::uint64_t number = 0;
  for (auto _ : state) {
    const request_id id{"page-" + std::to_string(number)};
    benchmark::DoNotOptimize(table.find(id));
    number = (number + 7919) % streams;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(connection_table_find)->Arg(1'000)->Arg(100'000);

/// A hundred at a time, one page after the other.
void connection_table_page(benchmark::State& state) {
  connection_table table;
  fill(table, static_cast<std::uint64_t>(state.range(0)));
  std::uint64_t after = 0;
  for (auto _ : state)
    after = table.page(after, 100).next.value_or(0);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(connection_table_page)->Arg(1'000)->Arg(100'000);

} // namespace
} // namespace herald::bench
