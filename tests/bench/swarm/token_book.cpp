#include "tests/bench/swarm/token_book.hpp"

namespace herald::bench {

token_book::token_book(std::uint16_t port)
  : server_(
    port, "{}", [this](std::string_view body, nanos) { called_back(body); }, [] {}) {
  server_.start();
}

std::vector<std::string> token_book::tokens() const {
  const std::lock_guard hold{mutex_};
  return tokens_;
}

void token_book::called_back(std::string_view body) {
  constexpr std::string_view key = R"("token":")";
  const auto at = body.find(key);
  if (at == body.npos || body.find(R"("connect")") == body.npos)
    return;
  const auto token = body.substr(at + key.size());
  const std::lock_guard hold{mutex_};
  tokens_.emplace_back(token.substr(0, token.find('"')));
}

} // namespace herald::bench
