#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <caf/expected.hpp>

#include "actors/telemetry/metrics.hpp"
#include "http/auth/auth_options.hpp"
#include "http/tokens/document_fetch.hpp"
#include "http/tokens/key_schedule.hpp"
#include "http/tokens/key_set.hpp"
#include "http/tokens/token_verifier.hpp"

namespace herald {

using verifier_ptr = std::shared_ptr<const token_verifier>;

/// Where the keys of tokens come from: files, which are read at the start and when they are to be
/// read again, and a JWKS document that a thread of its own fetches. Whoever verifies gets a
/// verifier with the keys of the moment, and waits for nothing.
///
/// Keys that could not be fetched again stay good for `auth.jwks_max_stale_s`. A document that is
/// not good, or a file, changes nothing.
///
/// All functions are safe from any thread.
class key_source {
public:
  /// Reads the files and begins to fetch. `ec::invalid_field` with the setting as field where a
  /// file cannot be read or has no key. A document that cannot be fetched is no error.
  [[nodiscard]] static caf::expected<std::unique_ptr<key_source>>
  open(auth_options options, metrics& numbers);

  /// Whether the files can be read and have keys, as `open` would find them.
  [[nodiscard]] static caf::error check_files(const auth_options& options);

  ~key_source();
  key_source(const key_source&) = delete;
  key_source& operator=(const key_source&) = delete;

  /// With the keys in force now. The same one as long as they are the same.
  [[nodiscard]] verifier_ptr verifier() const;

  /// Called when a fetch is over, on the thread that fetches: it must not wait. The token may be
  /// good by what it has brought. A token whose key is still not known is not good where this is
  /// `final`; otherwise it may be later: the source is away, or was asked before the token came.
  using fetch_handler = std::function<void(bool final)>;

  /// A token came whose key, with this `kid`, is not known. With `key_outlook::soon`, and no other,
  /// `over` is called once, unless this object is destroyed first. How many wait is for the caller
  /// to bound.
  [[nodiscard]] key_outlook miss(std::string_view key_id, fetch_handler over = {});

  /// Reads the files again, and fetches. The first rule that a file breaks; its keys stay as they
  /// are.
  std::optional<caf::error> reload();

  /// Whether there are keys, of whatever kind.
  [[nodiscard]] bool has_keys() const;

private:
  key_source(auth_options options, metrics& numbers);

  [[nodiscard]] caf::error read_files();
  [[nodiscard]] caf::error read_secret();
  [[nodiscard]] caf::error read_jwks_file();
  void run();
  void fetch(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool take(const caf::expected<std::string>& document);
  void drop_stale();
  void publish();

  const auth_options options_;
  const allowed_algorithms allowed_;
  prometheus::Gauge& keys_in_force_;
  prometheus::Gauge& failing_;
  prometheus::Counter& fetched_;
  prometheus::Counter& failed_;
  std::unique_ptr<document_fetch> fetch_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  key_schedule schedule_;
  token_key_ptr secret_;
  std::string secret_text_;
  std::vector<token_key_ptr> published_;
  /// What `published_` was read from.
  std::string document_;
  verifier_ptr verifier_;
  std::vector<fetch_handler> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

} // namespace herald
