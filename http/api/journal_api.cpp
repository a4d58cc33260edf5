#include "http/api/journal_api.hpp"

#include <string>
#include <utility>

#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "messages/errors.hpp"
#include "messages/json/json_objects.hpp"
#include "messages/json/json_writer.hpp"

namespace herald {

namespace {

/// A disk of 10 MiB a second copies 6 GiB in it. The copy is made all the same when it is over.
constexpr std::chrono::minutes longest_copy{10};

/// The name in the body; empty: none is given.
caf::expected<std::string> parse_name(const std::string& body) {
  if (body.empty())
    return std::string{};
  return parse_object(body, [](json_reader& in) {
    auto name = in.optional_text("name");
    if (name && name->empty())
      in.blame(ec::invalid_field, "must not be empty", "name");
    return std::move(name).value_or("");
  });
}

} // namespace

void add_journal_route(router& routes, journal_copier copy) {
  route_input takes;
  takes.longest = [](const api_request&) {
    return longest_copy;
  };
  routes.add(
    "POST", "/api/journal/backup", std::move(takes),
    [copy = std::move(copy)](const api_request& request) {
      if (!copy)
        return problem(failure{ec::no_such_route, "journal.path is not set", {}});
      auto name = parse_name(request.body);
      if (!name)
        return problem(name.error());
      const auto made = copy(std::move(*name), longest_copy);
      if (!made)
        return problem(made.error());
      return json_reply(
        201, object_writer{}.text("name", made->name).number("bytes", made->bytes).finish());
    });
}

} // namespace herald
