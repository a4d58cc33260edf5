// The head of a request for a stream: read, judged, answered. The first byte chooses the rules.

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "http/admission/stream_request_check.hpp"
#include "http/admission/stream_response.hpp"
#include "http/protocol/http_reply.hpp"
#include "messages/wire/callback_json.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/fed_parser.hpp"

namespace herald::fuzz {

namespace {

constexpr request_limits limits{4096, 4096};

using state = request_parser::state;
using testing::fed_parser;

bool is_head(state now) {
  return now == state::body || now == state::complete;
}

bool same(const request_head& a, const request_head& b) {
  return a.method == b.method && a.target == b.target && a.version == b.version
         && a.headers == b.headers;
}

void check_pieces(const fed_parser& whole, std::string_view bytes) {
  fed_parser pieces{limits};
  in_pieces(bytes, static_cast<std::uint8_t>(bytes.size()), [&](std::string_view piece) {
    return pieces.feed(piece) == state::head;
  });
  require(pieces.parser.now() == whole.parser.now(), "pieces end otherwise");
  require(
    pieces.parser.refusal().detail == whole.parser.refusal().detail,
    "pieces are refused otherwise");
  if (is_head(whole.parser.now()))
    require(same(whole.parser.head(), pieces.parser.head()), "pieces give another request");
}

/// Nothing that the client sent breaks the lines of the answer.
void check_answer(const std::string& bytes, std::size_t headers) {
  const auto end = bytes.find("\r\n\r\n");
  require(end != std::string::npos, "an answer's head has no end");
  const auto head = bytes.substr(0, end);
  require(head.starts_with("HTTP/1.1 "), "an answer has no status line");
  const auto count = [&head](char c) {
    return static_cast<std::size_t>(std::count(head.begin(), head.end(), c));
  };
  require(count('\n') == count('\r'), "a bare CR or LF in an answer");
  require(count('\n') == headers, "a header too many or too few");
}

} // namespace

HERALD_FUZZ_TARGET(stream_head, input) {
  input_reader in{input};
  const auto choice = in.byte();
  stream_rules rules;
  if ((choice & 1U) != 0)
    rules.cors_origins = {"http://a.example", "http://b.example"};
  if ((choice & 2U) != 0)
    rules.cors_origins.clear();
  rules.stand_in = (choice & 4U) != 0;

  fed_parser reader{limits};
  reader.feed(in.rest());
  check_pieces(reader, in.rest());
  if (!is_head(reader.parser.now()))
    return;
  const auto& request = reader.parser.head();
  const auto answer = check_stream_request(request, rules);
  if (const auto* reply = std::get_if<api_reply>(&answer)) {
    const bool no_content = reply->status == 204;
    const bool no_length = no_content || reply->content_type == "text/event-stream";
    const std::size_t own = 2 + (no_content ? 0U : 1U) + (no_length ? 0U : 1U);
    check_answer(render_reply(*reply, request.method != "HEAD"), own + reply->headers.size());
    return;
  }
  const auto& opening = std::get<stream_opening>(answer);
  require(
    opening.id.empty() ? rules.stand_in : !request_id_violation(opening.id.str()),
    "a request_id breaks its rule");
  const std::size_t own = opening.how == framing::chunked ? 6 : 5;
  check_answer(render_stream_head(opening.how, opening.cors), own + opening.cors.size());
  if (opening.headers) {
    const auto text = render_callback_request(opening.url, *opening.headers);
    const auto shown = nlohmann::json::parse(text, nullptr, false);
    require(shown.is_object(), "what the backend is shown is not JSON");
  }
}

} // namespace herald::fuzz
