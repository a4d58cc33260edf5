// What an external gateway, or whatever stands at its address, answers to a send.

#include "http/clients/gateway_answer.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

HERALD_FUZZ_TARGET(gateway_answer, input) {
  using state = gateway_answer::state;
  input_reader in{input};
  const auto seed = in.byte();
  if (in.rest().empty())
    return;
  gateway_answer whole;
  auto now = whole.feed(in.rest());
  if (now == state::more)
    now = whole.end();

  // A used reader starts anew, and pieces say the same.
  static gateway_answer pieces;
  pieces.begin();
  auto then = state::more;
  bool all = true;
  std::size_t fed = 0;
  in_pieces(in.rest(), seed, [&](std::string_view piece) {
    then = pieces.feed(piece);
    fed += piece.size();
    return then == state::more;
  });
  all = fed == in.rest().size();
  if (then == state::more)
    then = pieces.end();
  require(now == then, "pieces end otherwise");
  if (now != state::complete)
    return;
  const auto a = whole.outcome();
  const auto b = pieces.outcome();
  require(a.result == b.result && a.why == b.why, "pieces mean something else");
  require(!all || whole.reusable() == pieces.reusable(), "pieces leave another connection");
}

} // namespace herald::fuzz
