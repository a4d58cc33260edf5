#include "http/api/connection_list_api.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"
#include "http/server/request_arguments.hpp"
#include "messages/wire/connection_json.hpp"

namespace herald {

namespace {

using namespace std::chrono_literals;

/// What all who reach streams may take together to say how far behind those are.
constexpr auto longest_look = 1000ms;

/// A filter of a list: names that break their rule are refused.
caf::expected<connection_filter> filter_of(const api_request& request) {
  connection_filter which;
  which.topic = request.argument("topic").value_or("");
  which.subject = request.argument("subject").value_or("");
  which.role = request.argument("role").value_or("");
  if (const auto broken = pattern_violation(which.topic); broken && request.argument("topic"))
    return fail(ec::invalid_field, std::string{*broken}, "topic");
  for (const auto* name : {"subject", "role"})
    if (const auto value = request.argument(name))
      if (const auto broken = principal_violation(*value))
        return fail(ec::invalid_field, std::string{*broken}, name);
  return which;
}

/// Asks who reach the streams of a page how far behind those are, each once. One that stands still
/// leaves the others their share of the time; of its streams nothing is known.
void add_backlogs(caf::actor_system& system, connection_page& page) {
  std::map<delivery_actor, std::vector<connection_view*>> streams_of;
  for (auto& one : page.connections)
    if (one.via)
      streams_of[one.via].push_back(&one);
  const auto until = std::chrono::steady_clock::now() + longest_look;
  auto unasked = streams_of.size();
  for (const auto& [via, streams] : streams_of) {
    get_backlogs query;
    for (const auto* one : streams)
      query.streams.push_back(one->stream);
    const auto left =
      std::chrono::floor<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const auto share = std::max(left, 0ms) / static_cast<std::int64_t>(unasked--);
    const auto answer = ask<stream_backlogs>(system, via, std::move(query), share);
    const auto known = answer ? std::min(answer->of.size(), streams.size()) : 0;
    for (std::size_t i = 0; i < known; ++i)
      streams[i]->behind = answer->of[i];
  }
}

} // namespace

void add_connection_list_route(
  router& routes, caf::actor_system& system, const connection_lister_actor& lister) {
  routes.add(
    "GET", "/api/connections", {{"limit", "after", "topic", "subject", "role"}},
    [&system, lister](const api_request& request) {
      const auto which = page_arguments(request);
      if (!which)
        return problem(which.error());
      auto filter = filter_of(request);
      if (!filter)
        return problem(filter.error());
      auto page = ask<connection_page>(
        system, lister, list_connections{which->after, which->limit, std::move(*filter)});
      if (!page)
        return problem(page.error());
      add_backlogs(system, *page);
      return json_reply(200, to_json(*page));
    });
}

} // namespace herald
