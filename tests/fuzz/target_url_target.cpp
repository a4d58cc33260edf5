// Request targets with their queries and ids, and the URLs of others.

#include <cstdio>
#include <string>

#include "http/protocol/http_url.hpp"
#include "http/protocol/url.hpp"
#include "http/server/request_arguments.hpp"
#include "http/server/router.hpp"
#include "messages/ids.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    char hex[4];
    std::snprintf(hex, sizeof hex, "%%%02X", c);
    out += hex;
  }
  return out;
}

void check_target(std::string_view input) {
  const auto target = split_target(input);
  require(target.path.find('?') == std::string_view::npos, "a path holds a query");
  require(target.path.find('#') == std::string_view::npos, "a path holds a fragment");
  std::string query;
  for (const auto& [name, value] : parse_query(target.query)) {
    require(!name.empty(), "an argument has no name");
    query += escaped(name) + "=" + escaped(value) + "&";
  }
  require(parse_query(query) == parse_query(target.query), "escaping changes a query");
  require(
    query_arguments(target.query).size() >= parse_query(target.query).size(),
    "an argument is not listed");

  router routes;
  routes.add("GET", "/api/tasks/{id}", {}, {});
  routes.add("GET", "/api/tasks/{id}/status", {}, {});
  routes.add("GET", "/api/tasks", {}, {});
  const auto found = routes.find("GET", target.path);
  require(
    found.found == nullptr || found.path_arguments.size() <= 1, "a route has too many arguments");
}

void check_ids(std::string_view input) {
  require(percent_decode(escaped(input)) == input, "percent-decoding is not the inverse");
  require(form_decode(escaped(input)) == input, "form-decoding is not the inverse");
  const auto stream = token::from_text(input);
  require(stream.str() == input, "a token is not its own text");
  require(stream == token::from_text(stream.str()), "a token is not itself");
  if (const auto id = parse_event_id(input))
    require(to_string(*id) == input, "an event id has two texts");
  if (!request_id_violation(input))
    require(
      !input.empty() && input.size() <= max_request_id_bytes
        && input.find_first_of(":\r\n") == std::string_view::npos,
      "a request_id breaks its rule");
}

void check_urls(std::string_view input) {
  if (const auto url = parse_http_url(input)) {
    require(!url->host.empty() && url->port != 0, "a URL has no host or port");
    // Both go into a request as they are.
    constexpr std::string_view breaks{" \r\n\t\0", 5};
    require(
      url->authority().find_first_of(breaks) == std::string::npos, "a host breaks its header");
    require(
      url->request_target().find_first_of(breaks) == std::string::npos,
      "a target breaks its request line");
    require(url->request_target().starts_with("/"), "a target does not start with a slash");
    const auto again = parse_http_url(
      (url->tls ? "https://" : "http://") + url->authority() + url->request_target());
    require(
      again && again->host == url->host && again->port == url->port && again->tls == url->tls,
      "a URL is not itself");
  }
  (void)is_host(input);
  (void)is_loopback(input);
  const auto base = *parse_http_url("http://h/x");
  const auto target = redirect_target(base, input);
  if (const auto within = redirect_within_host(base, input))
    require(target && same_host(*within, base), "a redirect leaves its host");
}

void check_arguments(std::string_view input) {
  api_request request;
  request.query["limit"] = std::string{input};
  request.query["after"] = std::string{input};
  request.query["wait"] = std::string{input};
  request.path_arguments = {std::string{input}};
  if (const auto page = page_arguments(request))
    require(page->limit >= 1 && page->limit <= max_page_limit, "a page is too long");
  (void)number_argument(request, "after");
  (void)switch_argument(request, "wait");
  if (const auto id = request_id_argument(request, 0))
    require(!request_id_violation(id->str()), "a request_id breaks its rule");
}

} // namespace

HERALD_FUZZ_TARGET(target_url, input) {
  check_target(input);
  check_ids(input);
  check_urls(input);
  check_arguments(input);
}

} // namespace herald::fuzz
