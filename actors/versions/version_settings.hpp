#pragma once

#include <cstddef>
#include <string>

namespace herald {

/// Which versions pages are told of (settings `version`).
struct version_settings {
  /// Where the current version document is, http:// or https://; empty: nowhere.
  std::string url;
  /// Pending versions kept; past it the one queued longest ago goes.
  std::size_t max_pending = 100'000;
  /// A file that has the url instead; see `secret_files` in http/config/config.hpp.
  std::string url_file{};
  /// Bytes of the pending versions, with what keeping one costs besides.
  std::size_t max_pending_bytes = std::size_t{64} << 20U;
};

} // namespace herald
