#include "messages/wire/event_json.hpp"

#include <string>

#include <benchmark/benchmark.h>

#include "tests/bench/micro/samples.hpp"

namespace herald::bench {
namespace {

constexpr int batch_size = 100;

void parse(benchmark::State& state, const std::string& body, event_format format, int events) {
  for (auto _ : state) {
    auto parsed = parse_events(body, {}, format);
    if (!parsed || parsed->drafts.size() != static_cast<std::size_t>(events)) {
      state.SkipWithError("not parsed");
      return;
    }
    benchmark::DoNotOptimize(parsed->drafts.data());
  }
  state.SetItemsProcessed(state.iterations() * events);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

void json_parse_one_event(benchmark::State& state) {
  parse(state, sample_body(), event_format::json, 1);
}
BENCHMARK(json_parse_one_event);

void json_parse_batch(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < batch_size; ++i)
    body += (i == 0 ? "[" : ",") + sample_body();
  parse(state, body + "]", event_format::json, batch_size);
}
BENCHMARK(json_parse_batch);

void json_parse_lines(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < batch_size; ++i)
    body += sample_body() + "\n";
  parse(state, body, event_format::ndjson, batch_size);
}
BENCHMARK(json_parse_lines);

void json_write_receipt(benchmark::State& state) {
  publish_receipt receipt;
  receipt.ids.assign(1, {1'700'000'000'000'000});
  receipt.recipients = 10'000;
  for (auto _ : state)
    benchmark::DoNotOptimize(receipt_json(receipt, false));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(json_write_receipt);

} // namespace
} // namespace herald::bench
