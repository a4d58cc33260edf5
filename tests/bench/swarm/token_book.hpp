#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/swarm/request_server.hpp"

namespace herald::bench {

/// The least backend that an SSE Gateway can have: it lets every stream open, and keeps its token.
class token_book {
public:
  explicit token_book(std::uint16_t port);

  [[nodiscard]] std::vector<std::string> tokens() const;

private:
  void called_back(std::string_view body);

  mutable std::mutex mutex_;
  std::vector<std::string> tokens_;
  request_server server_;
};

} // namespace herald::bench
