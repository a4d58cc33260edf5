#include "messages/connections.hpp"

#include <algorithm>

#include "messages/backend.hpp"

namespace herald {

bool covers(const std::vector<std::string>& granted, std::string_view pattern) {
  // A pattern hears the text of each that it covers as if it were a topic.
  return std::any_of(granted.begin(), granted.end(), [pattern](const std::string& one) {
    return pattern_hears(one, pattern);
  });
}

std::string_view shown_path(std::string_view url) {
  constexpr std::size_t most = 256;
  return url.substr(0, std::min(url.find_first_of("?#"), most));
}

std::string_view to_string(close_reason reason) {
  switch (reason) {
  case close_reason::replaced:
    return "replaced";
  case close_reason::requested:
    return "requested";
  }
  return "requested";
}

std::string_view to_string(transport_kind kind) {
  switch (kind) {
  case transport_kind::embedded:
    return "embedded";
  case transport_kind::gateway:
    return "gateway";
  }
  return "embedded";
}

std::string_view to_string(end_reason reason) {
  switch (reason) {
  case end_reason::client_closed:
    return "client_closed";
  case end_reason::server_closed:
    return "server_closed";
  case end_reason::error:
    return "error";
  }
  return "error";
}

std::string_view to_string(callback_action action) {
  return action == callback_action::connect ? "connect" : "disconnect";
}

bool stream_identity::hears_broadcast() const {
  return !bindings || std::find(bindings->begin(), bindings->end(), "broadcast") != bindings->end();
}

std::size_t stream_identity::bytes() const {
  const auto bytes_of = [](const std::vector<std::string>& texts) {
    std::size_t bytes = 0;
    for (const auto& text : texts)
      bytes += sizeof(std::string) + text.size();
    return bytes;
  };
  return sizeof *this + subject.size() + bytes_of(roles) + (bindings ? bytes_of(*bindings) : 0);
}

} // namespace herald
