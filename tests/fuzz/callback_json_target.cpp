// Bodies of `POST /api/sse/callback`, and the callbacks that herald itself makes.

#include <memory>
#include <string>

#include "messages/wire/callback_json.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

namespace {

/// What herald tells a backend, its own reader must understand.
void there_and_back(const gateway_callback& callback) {
  const bool connects = callback.action == gateway_callback::kind::connect;
  call_backend call;
  call.action = connects ? callback_action::connect : callback_action::disconnect;
  call.stream = callback.stream;
  call.reason = callback.reason;
  const header_list headers{{"Host", "h"}, {"X", callback.url}, {"x", callback.stream.str()}};
  call.request =
    std::make_shared<const std::string>(render_callback_request(callback.url, headers));
  const auto again = parse_callback(render_callback(call));
  require(again.engaged(), "a callback of ours is not understood");
  require(again->action == callback.action, "the action changes on the way");
  require(again->stream == callback.stream, "the token changes on the way");
  require(again->url == callback.url, "the URL changes on the way");
  require(connects || again->reason == callback.reason, "the reason changes on the way");
}

} // namespace

HERALD_FUZZ_TARGET(callback_json, input) {
  const auto callback = parse_callback(input);
  if (!callback)
    return;
  const auto text = callback->stream.str();
  require(!text.empty() && text.size() <= max_token_bytes, "a token breaks its rule");
  require(token::from_text(text) == callback->stream, "a token is not its own text");
  there_and_back(*callback);
}

} // namespace herald::fuzz
