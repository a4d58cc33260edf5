#pragma once

#include <cerrno>

namespace herald::sqlite {

/// Whether a system's error number says that a file gets no more room: the disk has none, or a
/// quota leaves none.
[[nodiscard]] constexpr bool is_out_of_room(int error) noexcept {
  return error == ENOSPC || error == EDQUOT;
}

} // namespace herald::sqlite
