#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace herald {

/// Whether streams need a credential.
enum class auth_mode : std::uint8_t {
  by_host,  ///< not said: `none` on a loopback address; elsewhere herald does not start
  none,     ///< nobody is asked for one
  optional, ///< who has none hears what is for everyone
  required, ///< who has none gets no stream
};

/// Who streams are for: which tokens are good, and where the keys that say so come from (settings
/// `auth`).
struct auth_options {
  /// File with the secret of HS256 tokens; empty: there are none. One line break at its end is not
  /// part of it.
  std::string secret_file;
  /// File with the JWKS document of the other tokens, and where the document is fetched instead.
  std::string jwks_file;
  std::string jwks_url;
  /// Authorities by which certificates of an https jwks_url or authorize_url are checked, as a PEM
  /// file; empty: the system's.
  std::string ca_file;
  /// What `iss` must be, and what `aud` must name one of. A token without either is not good.
  std::string issuer;
  std::vector<std::string> audience;
  /// A key is good for one of these, the one that it is made for.
  std::vector<std::string> algorithms{"HS256", "RS256", "ES256", "EdDSA"};
  /// What `typ` may be, where there is one: in any case, without `application/`.
  std::vector<std::string> typ{"at+jwt", "JWT"};
  /// How far the clock of who issues tokens may differ from ours.
  std::chrono::milliseconds leeway_s{60'000};
  /// `exp` may be no further away.
  std::chrono::milliseconds max_lifetime_s{86'400'000};
  /// Where roles and patterns of topics are in the claims; dots lead into objects.
  std::string roles_claim = "roles";
  std::string topics_claim = "topics";
  /// Of one token: its text, its roles, its patterns of topics.
  std::size_t max_token_bytes = 8192;
  std::size_t max_roles = 64;
  std::size_t max_topics = 256;

  /// For the whole fetch of a JWKS document.
  std::chrono::milliseconds jwks_timeout_ms{5000};
  /// The document is fetched again this often, since keys are withdrawn, too.
  std::chrono::milliseconds jwks_refresh_s{300'000};
  /// And where a token names a key that is not known, but not more often than this. A fetch that
  /// has failed is tried again after as long.
  std::chrono::milliseconds jwks_refetch_s{30'000};
  /// How long keys are good that could not be fetched again.
  std::chrono::milliseconds jwks_max_stale_s{86'400'000};
  std::size_t max_jwks_bytes = std::size_t{256} << 10U;
  std::size_t max_keys = 64;

  /// Tokens that were good are known again without their signatures, until they end.
  std::size_t max_cached_tokens = 100'000;
  std::size_t max_cached_bytes = std::size_t{32} << 20U;

  auth_mode mode = auth_mode::by_host;
  /// The cookie that may have the token; empty: none.
  std::string cookie = "__Secure-herald";
  /// Patterns that every stream may listen to, whatever its credential says.
  std::vector<std::string> public_topics;
  /// So long before its credential ends a stream is told.
  std::chrono::milliseconds renew_s{20'000};
  /// Pages whose subject is kept; each takes two texts, of 128 and 255 bytes at most.
  std::size_t max_bindings = 1'000'000;
  /// Revocations that are kept; each takes a text of at most 255 bytes.
  std::size_t max_revocations = 100'000;
  /// Tickets that are good, or whose streams may come back.
  std::size_t max_tickets = 100'000;
  std::size_t max_ticket_bytes = std::size_t{64} << 20U;

  /// Where the application is asked who a page is that brings no ticket and, where there are keys,
  /// no token; empty: nowhere. With plain http, elsewhere than on this machine, only where that is
  /// written down: it is sent the credentials of pages.
  std::string authorize_url;
  bool authorize_plain = false;
  /// For a question, from when it is put until the answer is here.
  std::chrono::milliseconds authorize_timeout_ms{5000};
  /// Questions that are asked at once, each over a connection of its own, and questions that wait
  /// for one of those to end.
  std::size_t authorize_connections = 64;
  std::size_t authorize_max_waiting = 8192;
  /// The headers of both.
  std::size_t authorize_max_bytes = std::size_t{32} << 20U;
  std::size_t authorize_max_answer_bytes = std::size_t{64} << 10U;
  /// Connects of an external gateway that wait for the application, or for a key, each on a thread
  /// of the API: fewer than those, so that publishers find one.
  std::size_t max_waiting_callbacks = 512;
  /// A file that has authorize_url instead; see `secret_files` in http/config/config.hpp.
  std::string authorize_url_file{};

  /// Whether there are, or will be, keys of tokens.
  [[nodiscard]] bool takes_tokens() const noexcept {
    return !secret_file.empty() || !jwks_file.empty() || !jwks_url.empty();
  }
  /// Whether streams need a credential, or may have one.
  [[nodiscard]] bool asks() const noexcept {
    return mode == auth_mode::optional || mode == auth_mode::required;
  }
};

} // namespace herald
