#include "http/replay.hpp"

#include "http/sse_format.hpp"

namespace herald {

namespace {

/// A piece ends with the event that takes it past this.
constexpr std::size_t piece_bytes = std::size_t{32} * 1024;

} // namespace

void replay::render(std::string& piece) {
  piece.clear();
  counts_ = {};
  behind_ = next_;
  while (piece.size() < piece_bytes) {
    const auto what = behind_.next();
    if (!what)
      break;
    append_event(piece, what->id, what->name, what->data);
    ++counts_.at(static_cast<std::size_t>(what->service));
  }
}

} // namespace herald
