#include "actors/registry/connection_table.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>

namespace herald {

namespace {

/// So many members are looked at one by one for the transports that reach them; where there are
/// more, some of them are likely everywhere.
constexpr std::size_t few_members = 64;

/// Of a URL no more is kept.
constexpr std::size_t max_url_bytes = 1024;

/// Makes sure that one more can be put into an index without allocating. Not by `reserve` alone,
/// which makes one of the very size that is asked for: it would be made smaller and larger again by
/// those who come and go, and would be full where too many of its places are spoilt by those who
/// have gone.
template <class Index>
void make_room(Index& index) {
  if (index.size() < index.max_load())
    return;
  index.reserve(index.size() + index.size() / 16 + 1);
  // That, and every other number that the same size has room for, changes nothing: only a larger
  // one is sure to be made.
  if (index.size() >= index.max_load())
    index.reserve(index.bucket_count() + 1);
}

} // namespace

std::size_t connection_table::id_hash::operator()(std::string_view id) const noexcept {
  return std::hash<std::string_view>{}(id);
}
std::size_t connection_table::id_hash::operator()(slot_number n) const noexcept {
  return (*this)((*slots)[n].id());
}
bool connection_table::id_equal::operator()(std::string_view a, slot_number b) const noexcept {
  return a == (*slots)[b].id();
}
bool connection_table::id_equal::operator()(slot_number a, std::string_view b) const noexcept {
  return (*slots)[a].id() == b;
}
std::size_t connection_table::token_hash::operator()(const token& t) const noexcept {
  return t.hash();
}
std::size_t connection_table::token_hash::operator()(slot_number n) const noexcept {
  return (*slots)[n].stream.hash();
}
bool connection_table::token_equal::operator()(const token& a, slot_number b) const noexcept {
  return a == (*slots)[b].stream;
}
bool connection_table::token_equal::operator()(slot_number a, const token& b) const noexcept {
  return (*slots)[a].stream == b;
}

connection_table::connection_table()
  : by_id_(0, id_hash{&slots_}, id_equal{&slots_}),
    by_token_(0, token_hash{&slots_}, token_equal{&slots_}),
    by_serial_(serial_less{&slots_}) {}

std::optional<connection_table::connection> connection_table::open(const opening& what) {
  const auto holder = by_id_.find(what.id);
  const auto same_token = by_token_.find(what.stream);
  if (holder != by_id_.end() && same_token != by_token_.end() && *holder == *same_token)
    return std::nullopt;

  // All that can throw comes first, so that a failure leaves the table as it was.
  slot made;
  made.stream = what.stream;
  const auto url = what.url.substr(0, max_url_bytes);
  const auto address = what.address.substr(0, max_address_bytes);
  made.texts = std::make_unique<char[]>(what.id.size() + url.size() + address.size()); // NOLINT
  auto* texts = made.texts.get();
  for (const auto text : {what.id, url, address})
    texts += text.copy(texts, text.size());
  static_assert(max_request_id_bytes <= std::numeric_limits<std::uint8_t>::max());
  made.id_length = static_cast<std::uint8_t>(what.id.size());
  made.url_length = static_cast<std::uint16_t>(url.size());
  made.address_length = static_cast<std::uint8_t>(address.size());
  made.connected_at = what.at;
  made.via = what.via;
  made.transport = what.transport;
  made.targeted = what.targeted;
  make_room(by_id_);
  make_room(by_token_);
  if (what.via >= on_transport_.size())
    on_transport_.reserve(what.via + 1U);
  std::optional<connection> replaced;
  if (holder != by_id_.end())
    replaced = as_connection(slots_[*by_id_.find(what.id)]);
  const auto n = free_slot();
  made.serial = last_serial_ + 1;
  slots_[n] = std::move(made);
  try {
    slots_[n].agent = keep_agent(what.agent);
    if (what.hears)
      hearers_.set(n, *what.hears);
    by_serial_.insert(by_serial_.end(), n);
  } catch (...) {
    put_back(n);
    throw;
  }
  ++last_serial_;

  if (replaced)
    release(*by_id_.find(what.id));
  if (const auto moved = by_token_.find(what.stream); moved != by_token_.end())
    release(*moved);
  if (what.via >= on_transport_.size())
    on_transport_.resize(what.via + 1U);
  ++on_transport_[what.via];
  by_id_.insert(n);
  by_token_.insert(n);
  return replaced;
}

std::optional<connection_table::connection> connection_table::close(const token& stream) {
  const auto found = by_token_.find(stream);
  if (found == by_token_.end())
    return std::nullopt;
  auto closed = as_connection(slots_[*found]);
  release(*found);
  return closed;
}

std::optional<connection_table::connection> connection_table::find(const request_id& id) const {
  const auto found = by_id_.find(std::string_view{id.str()});
  if (found == by_id_.end())
    return std::nullopt;
  return as_connection(slots_[*found]);
}

std::optional<connection_table::connection> connection_table::find(const token& stream) const {
  const auto found = by_token_.find(stream);
  if (found == by_token_.end())
    return std::nullopt;
  return as_connection(slots_[*found]);
}

std::optional<connection_view> connection_table::view(const token& stream) const {
  const auto found = by_token_.find(stream);
  if (found == by_token_.end())
    return std::nullopt;
  return view_of(*found);
}

std::optional<reach> connection_table::reach_of(const token& stream) const {
  const auto found = by_token_.find(stream);
  if (found == by_token_.end())
    return std::nullopt;
  return reach_at(*found);
}

void connection_table::set_reach(const token& stream, const reach& hears) {
  if (const auto found = by_token_.find(stream); found != by_token_.end())
    hearers_.set(*found, hears);
}

connection_table::audience_size connection_table::measure(const audience_ptr& to) const {
  audience_size result;
  if (!to) {
    result.connections = size() - hearers_.without_broadcast();
    return result;
  }
  if (to->everyone()) {
    result.connections = size() - hearers_.without_broadcast();
  } else {
    result.connections = hearers_.count(*to);
    if (const auto page = by_id_.find(std::string_view{to->page.str()});
        page != by_id_.end() && slots_[*page].targeted) {
      result.page = as_connection(slots_[*page]);
      result.connections += hears_without_page(*page, *to) ? 0U : 1U;
    }
  }
  for (const auto& id : to->except) {
    const auto found = by_id_.find(std::string_view{id.str()});
    if (found == by_id_.end())
      continue;
    result.except.push_back(as_connection(slots_[*found]));
    const bool heard = to->everyone() ? hearers_.hears_broadcast(*found)
                                      : (id == to->page && slots_[*found].targeted)
                                          || hears_without_page(*found, *to);
    result.connections -= heard ? 1U : 0U;
  }
  return result;
}

void connection_table::add_transports(
  const audience& to, std::vector<transport_index>& into) const {
  if (hearers_.count(to) > few_members) {
    for (std::size_t via = 0; via < on_transport_.size(); ++via)
      if (on_transport_[via] != 0)
        into.push_back(static_cast<transport_index>(via));
  } else {
    std::vector<audience_index::member> found;
    hearers_.find(to, found);
    for (const auto n : found)
      into.push_back(slots_[n].via);
  }
  std::sort(into.begin(), into.end());
  into.erase(std::unique(into.begin(), into.end()), into.end());
}

/// Whether an event would be for a connection if it were not for its page, and not kept from it.
bool connection_table::hears_without_page(slot_number n, const audience& to) const {
  auto others = to;
  others.page = {};
  others.except.clear();
  return !others.everyone()
         && hearers_.reach_of(n).hears(std::make_shared<const audience>(std::move(others)));
}

reach connection_table::reach_at(slot_number n) const {
  auto found = hearers_.reach_of(n);
  found.page = request_id{std::string{slots_[n].id()}};
  found.targeted = slots_[n].targeted;
  return found;
}

connection_page connection_table::page(
  std::uint64_t after, std::size_t limit, const connection_filter& which) const {
  if (!which.all())
    return filtered(after, limit, which);
  connection_page result;
  result.total = size();
  auto it = by_serial_.upper_bound(after);
  for (; it != by_serial_.end() && result.connections.size() < limit; ++it)
    result.connections.push_back(view_of(*it));
  if (it != by_serial_.end() && !result.connections.empty())
    result.next = slots_[*std::prev(it)].serial;
  return result;
}

connection_page connection_table::filtered(
  std::uint64_t after, std::size_t limit, const connection_filter& which) const {
  using kind = audience_index::key_kind;
  std::optional<std::vector<slot_number>> all;
  const auto narrow = [&all](std::vector<slot_number> found) {
    if (!all) {
      all = std::move(found);
      return;
    }
    std::vector<slot_number> both;
    std::set_intersection(
      all->begin(), all->end(), found.begin(), found.end(), std::back_inserter(both));
    all = std::move(both);
  };
  const auto with_key = [&](kind of, const std::string& name) {
    std::vector<slot_number> found;
    hearers_.find_key(of, name, found);
    return found;
  };
  if (!which.subject.empty())
    narrow(with_key(kind::subject, which.subject));
  if (!which.role.empty())
    narrow(with_key(kind::role, which.role));
  if (which.topic == "*" || which.topic.ends_with("/*")) {
    narrow(with_key(kind::pattern, which.topic));
  } else if (!which.topic.empty()) {
    audience on;
    on.topics.push_back(which.topic);
    std::vector<slot_number> found;
    hearers_.find(on, found);
    narrow(std::move(found));
  }

  connection_page result;
  result.total = all->size();
  const auto serial = [this](slot_number n) {
    return slots_[n].serial;
  };
  std::erase_if(*all, [&](slot_number n) { return serial(n) <= after; });
  const auto shown = std::min(limit, all->size());
  std::ranges::partial_sort(*all, all->begin() + static_cast<std::ptrdiff_t>(shown), {}, serial);
  for (std::size_t i = 0; i < shown; ++i)
    result.connections.push_back(view_of((*all)[i]));
  if (shown != 0 && shown < all->size())
    result.next = serial((*all)[shown - 1]);
  return result;
}

connection_view connection_table::view_of(slot_number n) const {
  const auto& s = slots_[n];
  return {
    request_id{std::string{s.id()}},
    s.stream,
    std::string{s.url()},
    s.transport,
    s.connected_at,
    reach_at(n),
    {std::string{s.address()}, s.agent != nullptr ? s.agent->first : std::string{}}};
}

std::vector<connection_table::connection>
connection_table::of_subject(std::string_view subject) const {
  std::vector<slot_number> found;
  hearers_.find_key(audience_index::key_kind::subject, subject, found);
  std::sort(found.begin(), found.end(), serial_less{&slots_});
  std::vector<connection> result;
  result.reserve(found.size());
  for (const auto n : found)
    result.push_back(as_connection(slots_[n]));
  return result;
}

topic_page connection_table::topics(std::uint64_t after, std::size_t limit) const {
  topic_page result;
  result.total = hearers_.pattern_total();
  // One more says whether there are more.
  auto found = hearers_.patterns(after, limit + 1);
  if (found.size() > limit) {
    found.pop_back();
    result.next = found.back().cursor;
  }
  for (auto& one : found)
    result.topics.push_back({std::move(one.pattern), one.members});
  return result;
}

bool connection_table::check() const {
  if (by_id_.size() != by_token_.size() || by_serial_.size() != by_token_.size())
    return false;
  if (slots_.size() != by_id_.size() + free_.size())
    return false;
  if (hearers_.check())
    return false;
  auto uncounted = agents_;
  for (const auto& s : slots_)
    if (s.agent != nullptr && --uncounted.at(s.agent->first) == 0)
      uncounted.erase(s.agent->first);
  if (!uncounted.empty())
    return false;
  if (std::accumulate(on_transport_.begin(), on_transport_.end(), std::size_t{0}) != size())
    return false;
  return std::all_of(by_token_.begin(), by_token_.end(), [this](slot_number n) {
    const auto found = by_id_.find(slots_[n].id());
    return found != by_id_.end() && *found == n;
  });
}

connection_table::connection connection_table::as_connection(const slot& s) {
  return {request_id{std::string{s.id()}}, s.stream, s.via};
}

connection_table::agent_map::value_type* connection_table::keep_agent(std::string_view name) {
  if (name.empty())
    return nullptr;
  auto& kept = *agents_.try_emplace(std::string{name.substr(0, max_agent_bytes)}).first;
  ++kept.second;
  return &kept;
}

void connection_table::drop_agent(agent_map::value_type* agent) noexcept {
  if (agent != nullptr && --agent->second == 0)
    agents_.erase(agents_.find(agent->first));
}

connection_table::slot_number connection_table::free_slot() {
  if (free_.empty()) {
    // Room for every slot to be freed without allocating: `release` must not fail. Not slot by
    // slot: a list of one number more each time would be allocated anew by every connect.
    if (free_.capacity() == slots_.size())
      free_.reserve(2 * slots_.size() + 1);
    slots_.emplace_back();
    return static_cast<slot_number>(slots_.size() - 1);
  }
  const auto n = free_.back();
  free_.pop_back();
  return n;
}

void connection_table::release(slot_number n) noexcept {
  by_id_.erase(by_id_.find(n));
  by_token_.erase(by_token_.find(n));
  by_serial_.erase(n);
  --on_transport_[slots_[n].via];
  put_back(n);
}

void connection_table::put_back(slot_number n) noexcept {
  hearers_.remove(n);
  drop_agent(slots_[n].agent);
  slots_[n] = slot{};
  free_.push_back(n);
}

} // namespace herald
