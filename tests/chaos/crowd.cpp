#include "tests/chaos/crowd.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <utility>

namespace herald::testing {

namespace {

using clock = std::chrono::steady_clock;

/// The data of a chaos event is "publisher number", and perhaps a filler.
std::pair<std::string, std::uint32_t> read_number(std::string_view data) {
  const auto blank = std::min(data.find(' '), data.size());
  return {
    std::string{data.substr(0, blank)},
    static_cast<std::uint32_t>(std::strtoul(data.data() + blank, nullptr, 10))};
}

} // namespace

crowd::crowd(std::uint16_t port, options how)
  : port_(port),
    options_(std::move(how)),
    pages_(options_.pages),
    random_(options_.seed) {
  clients_.reserve(options_.pages);
  options_.connect([this] {
    for (std::size_t i = 0; i < options_.pages; ++i)
      clients_.emplace_back(
        port_, stream_target(options_.prefix + std::to_string(i)), options_.headers,
        options_.address);
  });
}

bool crowd::all_open(std::chrono::milliseconds limit) {
  const auto deadline = clock::now() + limit;
  while (open_now() < size()) {
    if (clock::now() > deadline)
      return false;
    turn();
  }
  return true;
}

std::size_t crowd::open_now() const {
  return static_cast<std::size_t>(
    std::count_if(clients_.begin(), clients_.end(), [](const sse_client& c) {
      return c.status() == 200 && !c.ended();
    }));
}

std::size_t crowd::events() const {
  std::size_t sum = 0;
  for (const auto& p : pages_)
    sum += p.events;
  return sum;
}

std::size_t crowd::least_events() const {
  return std::ranges::min(pages_, {}, &page::events).events;
}

void crowd::turn(std::chrono::milliseconds longest) {
  read_once(clients_, longest);
  const auto now = clock::now();
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    auto& client = clients_[i];
    auto& p = pages_[i];
    if (!client.events().empty())
      for (const auto& event : client.take_events())
        note(p, event);
    if (!client.ended())
      continue;
    if (!std::exchange(p.away, true)) {
      if (client.status() != 0 && client.status() != 200)
        ++refusals_[client.status()];
      const auto spread = static_cast<std::size_t>(options_.retry.count()) + 1;
      p.returns_at = now + std::chrono::milliseconds{random_() % spread};
    } else if (comes_back_ && now >= p.returns_at) {
      send_back(i);
    }
  }
}

void crowd::send_back(std::size_t i) {
  ++returns_;
  pages_[i].away = false;
  options_.connect([this, i] { clients_[i].begin_reconnect(port_); });
}

void crowd::note(page& p, const sse_event& event) {
  ++p.events;
  if (event.name == "gap")
    ++gaps_;
  if (event.name != "chaos")
    return;
  const auto [publisher, number] = read_number(event.data);
  p.numbers[publisher].push_back(number);
}

void crowd::turns_for(std::chrono::milliseconds time) {
  const auto deadline = clock::now() + time;
  while (clock::now() < deadline)
    turn();
}

bool crowd::caught_up(const ledger& taken, std::chrono::milliseconds limit) {
  const auto deadline = clock::now() + limit;
  const auto has_all = [&taken](const page& p) {
    return std::all_of(taken.begin(), taken.end(), [&p](const auto& entry) {
      const auto& [publisher, numbers] = entry;
      if (numbers.empty())
        return true;
      const auto had = p.numbers.find(publisher);
      return had != p.numbers.end() && !had->second.empty() && had->second.back() >= numbers.back();
    });
  };
  while (!std::all_of(pages_.begin(), pages_.end(), has_all)) {
    if (clock::now() > deadline)
      return false;
    turn();
  }
  return true;
}

void crowd::reconnect_all() {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    clients_[i].close();
    send_back(i);
  }
}

void crowd::leave(std::size_t page) {
  clients_[page].close();
}

std::string crowd::complaints(const ledger& taken) const {
  std::ostringstream out;
  std::size_t lines = 0;
  const auto complain = [&](std::size_t i, const std::string& publisher, const std::string& what) {
    if (++lines <= 10)
      out << options_.prefix << i << ": " << what << " of publisher " << publisher << "\n";
  };
  for (std::size_t i = 0; i < pages_.size(); ++i) {
    for (const auto& [publisher, had] : pages_[i].numbers)
      for (std::size_t k = 1; k < had.size(); ++k)
        if (had[k] <= had[k - 1])
          complain(
            i, publisher,
            std::to_string(had[k]) + (had[k] == had[k - 1] ? " again" : " after ")
              + std::to_string(had[k - 1]));
    for (const auto& [publisher, numbers] : taken) {
      const auto found = pages_[i].numbers.find(publisher);
      const auto had =
        found == pages_[i].numbers.end() ? std::vector<std::uint32_t>{} : found->second;
      std::vector<std::uint32_t> missing;
      std::set_difference(
        numbers.begin(), numbers.end(), had.begin(), had.end(), std::back_inserter(missing));
      if (!missing.empty())
        complain(
          i, publisher,
          "misses " + std::to_string(missing.size()) + " from " + std::to_string(missing.front())
            + " to " + std::to_string(missing.back()));
    }
  }
  if (lines > 10)
    out << "and " << lines - 10 << " more\n";
  return out.str();
}

} // namespace herald::testing
