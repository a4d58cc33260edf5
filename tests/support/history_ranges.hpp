#pragma once

#include <memory>
#include <utility>

#include "messages/history.hpp"

namespace herald::testing {

/// All of the blocks, from an event of the first on. They must not be empty.
inline history_range range_of(history_range::block_list blocks, std::size_t from = 0) {
  const auto to = blocks.back()->size();
  return {std::make_shared<const history_range::block_list>(std::move(blocks)), 0, from, to};
}

} // namespace herald::testing
