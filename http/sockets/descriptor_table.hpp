#pragma once

#include <cstddef>
#include <vector>

namespace herald {

/// Raises the limit of descriptors as far as this process may, and gives what was reached. The
/// limit holds for each table of descriptors.
std::size_t raise_descriptor_limit();

/// Gives the calling thread a table of descriptors of its own (`unshare(CLONE_FILES)`): it can have
/// as many as the limit allows beside those of all other threads, and the kernel need not count
/// references for calls on them. In it are the standard streams and `keep`, under the numbers that
/// they have; the copies of all others are closed, or closing them elsewhere would close nothing.
///
/// False, and nothing is changed, where the system does not allow it.
bool take_own_descriptors(std::vector<int> keep);

} // namespace herald
