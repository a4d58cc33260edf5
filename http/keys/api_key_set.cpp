#include "http/keys/api_key_set.hpp"

#include <map>
#include <string>
#include <utility>

namespace herald {

api_key_set::api_key_set(
  const std::vector<api_key>& keys, const publish_limits& each, const api_key_set& former) {
  // By the name: keys of one name share what they may publish.
  std::map<std::string, publish_rate_ptr> rates;
  for (const auto& one : former.entries_)
    rates[one.who->key.name] = one.who->rate;
  for (const auto& key : keys) {
    const auto digest = bits_of_hex(key.sha256);
    if (!digest)
      continue;
    const auto limits = key.rate.value_or(each);
    auto& rate = rates[key.name];
    if (limits == publish_limits{})
      rate = nullptr;
    else if (!rate || rate->limits() != limits)
      rate = std::make_shared<publish_rate>(limits);
    entries_.push_back({*digest, std::make_shared<const api_caller>(api_caller{key, rate})});
  }
}

api_caller_ptr api_key_set::find(std::string_view presented) const {
  if (!is_api_key(presented))
    return nullptr;
  const auto digest = sha256_of(presented);
  const entry* found = nullptr;
  for (const auto& one : entries_)
    if (same_bits(one.digest, digest))
      found = &one;
  return found != nullptr ? found->who : nullptr;
}

} // namespace herald
