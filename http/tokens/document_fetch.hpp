#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include <caf/expected.hpp>

#include "http/protocol/http_url.hpp"

namespace herald {

struct document_fetch_options {
  http_url url;
  /// Of the authorities that the server's certificate is checked by, as PEM; empty: the system's.
  std::string ca_file;
  /// For all of it: names, connections, redirects, the document.
  std::chrono::milliseconds timeout{5000};
  std::size_t max_bytes = std::size_t{256} << 10U;
  std::size_t max_redirects = 3;
};

/// GETs a document, by libcurl, over a new connection each time. Redirects are followed within the
/// host that was asked (`redirect_within_host`) and nowhere else. Proxies of the environment are
/// not used.
class document_fetch {
public:
  explicit document_fetch(document_fetch_options options);
  ~document_fetch();
  document_fetch(const document_fetch&) = delete;
  document_fetch& operator=(const document_fetch&) = delete;

  /// Blocks. `ec::upstream_unavailable` (no connection, no trust), `ec::upstream_timed_out`,
  /// `ec::upstream_refused` (another status than 200, a redirect elsewhere, too large). One thread
  /// at a time.
  [[nodiscard]] caf::expected<std::string> get();

  /// The fetch under way fails at once, and so does each later one. Safe from any thread.
  void cancel() noexcept;

private:
  class transfer;
  struct free_multi {
    void operator()(void* multi) const;
  };

  [[nodiscard]] caf::error run(transfer& one);

  const document_fetch_options options_;
  /// Of libcurl: `CURLM`.
  std::unique_ptr<void, free_multi> multi_;
  std::atomic<bool> cancelled_{false};
};

} // namespace herald
