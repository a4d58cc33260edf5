// What an external gateway or a backend, or whatever stands at its address, answers to a POST.

#include "http/clients/http_exchange.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

namespace {

void begin(http_exchange& exchange) {
  exchange.begin("{}", false);
  exchange.sent(exchange.unsent().size());
}

} // namespace

HERALD_FUZZ_TARGET(http_exchange, input) {
  input_reader in{input};
  const auto seed = in.byte();
  if (in.rest().empty())
    return;
  const http_url url{false, "h", 80, "/"};
  http_exchange whole{url};
  begin(whole);
  auto now = whole.received(in.rest());
  if (!now)
    now = whole.ended();

  // A used exchange starts anew, and pieces say the same.
  static http_exchange pieces{url};
  begin(pieces);
  std::optional<post_outcome> then;
  std::size_t fed = 0;
  in_pieces(in.rest(), seed, [&](std::string_view piece) {
    then = pieces.received(piece);
    fed += piece.size();
    return !then;
  });
  const bool all = fed == in.rest().size();
  if (!then)
    then = pieces.ended();
  require(now->what == then->what, "pieces end otherwise");
  require(now->status == then->status && now->body == then->body, "pieces mean something else");
  require(
    !all || whole.keeps_connection() == pieces.keeps_connection(),
    "pieces leave another connection");
}

} // namespace herald::fuzz
