// The head of a request for a stream: read, judged, answered. The first byte chooses the rules.

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "http/protocol/head_reader.hpp"
#include "http/streams/stream_head.hpp"
#include "messages/backend.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

namespace {

constexpr std::size_t max_bytes = 4096;

head_reader::state read_whole(head_reader& reader, std::string_view bytes) {
  return bytes.empty() ? head_reader::state::more : reader.feed(bytes);
}

bool same(const stream_request& a, const stream_request& b) {
  return a.method == b.method && a.target == b.target && a.version == b.version
         && a.headers == b.headers;
}

void check_pieces(const head_reader& whole, head_reader::state now, std::string_view bytes) {
  head_reader pieces{max_bytes};
  auto state = head_reader::state::more;
  in_pieces(bytes, static_cast<std::uint8_t>(bytes.size()), [&](std::string_view piece) {
    state = pieces.feed(piece);
    return state == head_reader::state::more;
  });
  const bool complete = now == head_reader::state::complete;
  require((state == head_reader::state::complete) == complete, "pieces end otherwise");
  if (complete)
    require(same(whole.request(), pieces.request()), "pieces give another request");
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
  head_rules rules;
  if ((choice & 1U) != 0)
    rules.cors_origins = {"http://a.example", "http://b.example"};
  if ((choice & 2U) != 0)
    rules.cors_origins.clear();
  rules.stand_in = (choice & 4U) != 0;

  head_reader reader{max_bytes};
  const auto state = read_whole(reader, in.rest());
  check_pieces(reader, state, in.rest());
  if (state != head_reader::state::complete)
    return;
  const auto& request = reader.request();
  const auto answer = check_head(request, rules);
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
  check_answer(render_stream_head(opening.http_1_0, opening.cors), 5 + opening.cors.size());
  if (opening.headers) {
    const auto text = render_callback_request(opening.url, *opening.headers);
    const auto shown = nlohmann::json::parse(text, nullptr, false);
    require(shown.is_object(), "what the backend is shown is not JSON");
  }
}

} // namespace herald::fuzz
