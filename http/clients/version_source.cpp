#include "http/clients/version_source.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <sys/socket.h>

#include "http/clients/curl_handle.hpp"
#include "http/clients/public_address.hpp"
#include "http/protocol/http_url.hpp"
#include "messages/errors.hpp"
#include "messages/json/json_text.hpp"

namespace herald {

namespace {

using clock = std::chrono::steady_clock;

/// Of all heads of an answer together.
constexpr std::size_t max_head_bytes = std::size_t{64} * 1024;

caf::error timed_out() {
  return fail(ec::upstream_timed_out, "the version server did not answer in time");
}

/// One GET.
class request {
public:
  request(const http_url& url, bool trusted, const version_source_options& options)
    : easy_(make_easy()),
      max_bytes_(options.max_bytes),
      trusted_(trusted) {
    auto* list = curl_slist_append(nullptr, "Accept: application/json");
    headers_.reset(curl_slist_append(list, "Accept-Encoding: identity"));
    set(CURLOPT_URL, url.text().c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "herald/" HERALD_VERSION);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_FORBID_REUSE, 1L);
    if (!options.ca_file.empty())
      set(CURLOPT_CAINFO, options.ca_file.c_str());
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_HEADERFUNCTION, &request::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &request::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_OPENSOCKETFUNCTION, &request::on_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
  }

  request(const request&) = delete;
  request& operator=(const request&) = delete;

  /// Nothing once there is an answer.
  [[nodiscard]] caf::error run(clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
    if (left.count() <= 0)
      return timed_out();
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    const auto how = curl_easy_perform(easy_.get());
    if (too_large_)
      return fail(
        ec::upstream_refused,
        "the version document is larger than " + std::to_string(max_bytes_) + " bytes");
    if (forbidden_)
      return fail(
        ec::upstream_refused, "the version server redirects to an address that is not public");
    if (how == CURLE_OPERATION_TIMEDOUT)
      return timed_out();
    if (no_memory_)
      return fail(ec::upstream_unavailable, "there is no memory for the version document");
    if (how != CURLE_OK)
      return fail(ec::upstream_unavailable, "the version server cannot be reached");
    return {};
  }

  [[nodiscard]] unsigned status() const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return static_cast<unsigned>(status);
  }
  [[nodiscard]] std::string_view body() const { return body_; }
  /// Where the answer sends whoever asked; empty for nowhere.
  [[nodiscard]] std::string location() const {
    curl_header* found = nullptr;
    const auto how = curl_easy_header(easy_.get(), "Location", 0, CURLH_HEADER, -1, &found);
    return how == CURLHE_OK ? found->value : "";
  }

private:
  template <class Value>
  void set(CURLoption option, Value value) {
    set_option(easy_, option, value);
  }

  static std::size_t on_header(char*, std::size_t, std::size_t size, void* self) noexcept {
    auto& bytes = static_cast<request*>(self)->head_bytes_;
    bytes += size;
    return bytes <= max_head_bytes ? size : 0;
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept {
    auto& mine = *static_cast<request*>(self);
    mine.too_large_ = mine.body_.size() + size > mine.max_bytes_;
    return answer_libcurl(size, mine.no_memory_, [&] {
      if (!mine.too_large_)
        mine.body_.append(data, size);
      return !mine.too_large_;
    });
  }

  /// Asked with the very address that is connected to: a name cannot be another one by then.
  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* to) noexcept {
    auto& mine = *static_cast<request*>(self);
    if (!mine.trusted_ && !is_public_address(to->addr)) {
      mine.forbidden_ = true;
      return CURL_SOCKET_BAD;
    }
    mine.forbidden_ = false;
    return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  }

  easy_handle easy_;
  header_lines headers_;
  const std::size_t max_bytes_;
  /// Whether the host may have any address.
  const bool trusted_;
  std::size_t head_bytes_ = 0;
  std::string body_;
  bool too_large_ = false;
  bool no_memory_ = false;
  bool forbidden_ = false;
};

caf::expected<std::string> document_of(const request& got) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (got.status() != 200)
    return fail(
      ec::upstream_refused, "the version server answered " + std::to_string(got.status()));
  auto text = got.body();
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  auto document = compact_json(text);
  if (!document)
    return fail(ec::upstream_refused, "the version document is not JSON");
  return document;
}

/// The inside of the actor.
class version_source {
public:
  explicit version_source(version_source_options options) : options_(std::move(options)) {}

  static shell<version_source_actor, version_source>::behavior_type
  behavior(shell<version_source_actor, version_source>& s) {
    return {s.on(&version_source::fetch), s.control()};
  }

  result<version_document> fetch(const fetch_version&) {
    auto document = fetch_version_document(options_);
    if (!document)
      return document.error();
    return version_document{std::move(*document)};
  }

private:
  version_source_options options_;
};

} // namespace

caf::expected<std::string> fetch_version_document(const version_source_options& options) {
  initialize_libcurl();
  const auto deadline = clock::now() + options.timeout;
  const auto home = parse_http_url(options.url);
  if (!home)
    return fail(ec::upstream_refused, "the address of the version document is not an http(s) URL");
  auto url = *home;
  for (std::size_t hops = 0;; ++hops) {
    request get{url, same_host(url, *home), options};
    if (auto error = get.run(deadline))
      return error;
    if (!is_redirect(get.status()))
      return document_of(get);
    if (hops == options.max_redirects)
      return fail(ec::upstream_refused, "the version server redirects too often");
    auto next = redirect_target(url, get.location());
    if (!next)
      return fail(ec::upstream_refused, "the version server redirects to what is no http(s) URL");
    if (url.tls && !next->tls)
      return fail(ec::upstream_refused, "the version server redirects to a plain connection");
    url = std::move(*next);
  }
}

supervised<version_source_actor> spawn_version_source(
  caf::actor_system& system, shell_options shell, version_source_options options) {
  return spawn_supervised<version_source_actor, version_source, caf::detached>(
    system, std::move(shell),
    [options = std::move(options)](auto*) { return std::make_unique<version_source>(options); });
}

} // namespace herald
