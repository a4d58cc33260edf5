#include "http/fanout/replay.hpp"

namespace herald {

void replay::render() {
  piece_.clear();
  counts_ = {};
  behind_ = next_;
  while (piece_.size() < piece_bytes_) {
    const auto what = behind_.next();
    if (!what)
      break;
    append_event(piece_, what->id, what->name, what->data, format_);
    ++counts_.at(static_cast<std::size_t>(what->service));
  }
  // Not before: the last event may have a lower id, those up to here were for others.
  if (last())
    append_cursor(piece_, live_from_, cursor_);
  const frame_cover cover{framing_, piece_.size()};
  piece_.insert(0, cover.head()).append(cover.tail());
}

} // namespace herald
