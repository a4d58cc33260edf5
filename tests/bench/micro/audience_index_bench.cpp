#include "actors/audience/audience_index.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <malloc.h>

namespace herald::bench {
namespace {

constexpr std::uint32_t many_topics = 100'000;
constexpr std::uint32_t many_members = 100'000;
constexpr std::uint32_t topics_each = 10;

std::string topic(std::uint32_t number) {
  return "orders/" + std::to_string(number);
}

audience to_topic(std::string name) {
  audience to;
  to.topics.push_back(std::move(name));
  return to;
}

/// A member's topics, at random.
reach some_topics(std::mt19937& random) {
  reach hears;
  for (std::uint32_t i = 0; i < topics_each; ++i)
    hears.patterns.push_back(topic(random() % many_topics));
  return hears;
}

void fill(audience_index& index, std::mt19937& random) {
  for (std::uint32_t who = 0; who < many_members; ++who)
    index.set(who, some_topics(random));
}

std::size_t bytes_in_use() {
  const auto now = mallinfo2();
  return now.uordblks + now.hblkhd;
}

/// A topic of so many members, among many others; items are members.
void audience_index_find(benchmark::State& state) {
  audience_index index;
  std::mt19937 random{1};
  fill(index, random);
  const auto heard = static_cast<std::uint32_t>(state.range(0));
  for (std::uint32_t i = 0; i < heard; ++i) {
    const auto who = i * (many_members / heard);
    auto hears = index.reach_of(who);
    hears.patterns.emplace_back("news/today");
    index.set(who, hears);
  }
  const auto to = to_topic("news/today");
  std::vector<audience_index::member> found;
  for (auto _ : state) {
    found.clear();
    index.find(to, found);
    benchmark::DoNotOptimize(found.data());
  }
  if (found.size() != heard)
    state.SkipWithError("found others than those who hear");
  state.SetItemsProcessed(state.iterations() * heard);
}
BENCHMARK(audience_index_find)->Arg(1)->Arg(10)->Arg(10'000)->Arg(100'000);

void audience_index_find_nobody(benchmark::State& state) {
  audience_index index;
  std::mt19937 random{1};
  fill(index, random);
  const auto to = to_topic("news/today");
  std::vector<audience_index::member> found;
  for (auto _ : state) {
    index.find(to, found);
    benchmark::DoNotOptimize(found.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(audience_index_find_nobody);

/// A random topic each time.
void audience_index_count(benchmark::State& state) {
  audience_index index;
  std::mt19937 random{1};
  fill(index, random);
  std::vector<audience> all;
  for (std::uint32_t i = 0; i < 1'000; ++i)
    all.push_back(to_topic(topic(random() % many_topics)));
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(index.count(all[at]));
    at = (at + 1) % all.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(audience_index_count);

/// A member goes and another comes, with ten topics, among many others.
void audience_index_come_and_go(benchmark::State& state) {
  audience_index index;
  std::mt19937 random{1};
  fill(index, random);
  std::vector<reach> all;
  for (std::uint32_t i = 0; i < 1'000; ++i)
    all.push_back(some_topics(random));
  std::size_t at = 0;
  for (auto _ : state) {
    const auto who = static_cast<audience_index::member>(random() % many_members);
    index.remove(who);
    index.set(who, all[at]);
    at = (at + 1) % all.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(audience_index_come_and_go);

/// What members and topics take, in bytes: all, a key by itself without its name, a subscription
/// without the keys, and all again after a million changes.
void audience_index_memory(benchmark::State& state) {
  for (auto _ : state) {
    std::size_t names = 0;
    for (std::uint32_t i = 0; i < many_topics; ++i)
      names += topic(i).size();
    const auto before_keys = bytes_in_use();
    std::size_t keys = 0;
    {
      // All topics as those of one member: 8 bytes for each, beside the key.
      audience_index index;
      reach hears;
      for (std::uint32_t i = 0; i < many_topics; ++i)
        hears.patterns.push_back(topic(i));
      index.set(0, hears);
      hears = {};
      keys = bytes_in_use() - before_keys - std::size_t{8} * many_topics;
    }
    const auto before = bytes_in_use();
    audience_index index;
    std::mt19937 random{1};
    fill(index, random);
    const auto all = bytes_in_use() - before;
    const auto each = [](std::size_t bytes, std::size_t of) {
      return static_cast<double>(bytes) / static_cast<double>(of);
    };
    state.counters["bytes_per_key"] = each(keys - names, many_topics);
    state.counters["bytes_per_subscription"] = each(all - keys, index.subscriptions());
    state.counters["bytes"] = static_cast<double>(all);
    for (int i = 0; i < 1'000'000; ++i)
      index.set(static_cast<audience_index::member>(random() % many_members), some_topics(random));
    state.counters["bytes_after_changes"] = static_cast<double>(bytes_in_use() - before);
  }
}
BENCHMARK(audience_index_memory)->Iterations(1)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace herald::bench
