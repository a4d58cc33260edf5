#include "http/tokens/document_fetch.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <utility>

#include <curl/curl.h>

#include "http/clients/curl_handle.hpp"
#include "messages/errors.hpp"

namespace herald {

namespace {

using clock = std::chrono::steady_clock;

/// Of all heads of an answer together, and trailers.
constexpr std::size_t max_head_bytes = std::size_t{64} << 10U;

constexpr int longest_nap_ms = 60'000;

} // namespace

/// One request. Stays where it is: libcurl has its address.
class document_fetch::transfer {
public:
  transfer(const http_url& url, const document_fetch_options& options, clock::time_point deadline)
    : max_bytes_(options.max_bytes) {
    set(CURLOPT_URL, url.text().c_str());
    set(CURLOPT_PROTOCOLS_STR, url.tls ? "https" : "http");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "herald/" HERALD_VERSION);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
    set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(max_bytes_));
    if (!options.ca_file.empty())
      set(CURLOPT_CAINFO, options.ca_file.c_str());
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
    set(CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(left.count())));
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_HEADERFUNCTION, &transfer::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &transfer::on_body);
    set(CURLOPT_WRITEDATA, this);
  }

  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  [[nodiscard]] CURL* easy() const noexcept { return easy_.get(); }
  [[nodiscard]] std::string take_body() { return std::move(body_); }

  [[nodiscard]] unsigned status() const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return static_cast<unsigned>(status);
  }

  /// Where a redirect leads, as an absolute URL; empty where nowhere.
  [[nodiscard]] std::string location() const {
    const char* url = nullptr;
    curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &url);
    return url == nullptr ? std::string{} : std::string{url};
  }

  [[nodiscard]] caf::error error_of(CURLcode how) const {
    if (how == CURLE_OK)
      return {};
    if (how == CURLE_OPERATION_TIMEDOUT)
      return fail(ec::upstream_timed_out, "no answer in time");
    if (head_bytes_ > max_head_bytes)
      return fail(
        ec::upstream_refused,
        "the head is larger than " + std::to_string(max_head_bytes) + " bytes");
    if (how == CURLE_FILESIZE_EXCEEDED || too_large_)
      return fail(
        ec::upstream_refused,
        "the document is larger than " + std::to_string(max_bytes_) + " bytes");
    if (no_memory_)
      return fail(ec::upstream_unavailable, curl_easy_strerror(CURLE_OUT_OF_MEMORY));
    return fail(
      ec::upstream_unavailable, error_[0] != '\0' ? error_.data() : curl_easy_strerror(how));
  }

private:
  template <class Value>
  void set(CURLoption option, Value value) {
    set_option(easy_, option, value);
  }

  static std::size_t on_header(char*, std::size_t, std::size_t size, void* self) noexcept {
    auto& one = *static_cast<transfer*>(self);
    one.head_bytes_ += size;
    return one.head_bytes_ <= max_head_bytes ? size : 0;
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept {
    auto& one = *static_cast<transfer*>(self);
    one.too_large_ = size > one.max_bytes_ - one.body_.size();
    return answer_libcurl(size, one.no_memory_, [&] {
      if (!one.too_large_)
        one.body_.append(data, size);
      return !one.too_large_;
    });
  }

  std::size_t max_bytes_;
  easy_handle easy_ = make_easy();
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::size_t head_bytes_ = 0;
  std::string body_;
  bool too_large_ = false;
  bool no_memory_ = false;
};

void document_fetch::free_multi::operator()(void* multi) const {
  curl_multi_cleanup(multi);
}

document_fetch::document_fetch(document_fetch_options options) : options_(std::move(options)) {
  initialize_libcurl();
  multi_.reset(curl_multi_init());
  if (!multi_)
    throw std::bad_alloc{};
}

document_fetch::~document_fetch() = default;

caf::expected<std::string> document_fetch::get() {
  const auto deadline = clock::now() + options_.timeout;
  std::optional<http_url> url = options_.url;
  for (std::size_t hops = 0; url; ++hops) {
    transfer one{*url, options_, deadline};
    if (auto error = run(one))
      return error;
    if (one.status() == 200)
      return one.take_body();
    if (!is_redirect(one.status()))
      return fail(ec::upstream_refused, "the answer was " + std::to_string(one.status()));
    if (hops == options_.max_redirects)
      return fail(ec::upstream_refused, "it redirects too often");
    url = redirect_within_host(*url, one.location());
  }
  return fail(ec::upstream_refused, "it redirects to elsewhere");
}

caf::error document_fetch::run(transfer& one) {
  curl_multi_add_handle(multi_.get(), one.easy());
  caf::error error = fail(ec::upstream_unavailable, "cancelled");
  for (bool done = false; !done && !cancelled_;) {
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    int more = 0;
    while (const auto* message = curl_multi_info_read(multi_.get(), &more))
      if (message->msg == CURLMSG_DONE) {
        error = one.error_of(message->data.result);
        done = true;
      }
    if (!done)
      curl_multi_poll(multi_.get(), nullptr, 0, longest_nap_ms, nullptr);
  }
  curl_multi_remove_handle(multi_.get(), one.easy());
  return error;
}

void document_fetch::cancel() noexcept {
  cancelled_ = true;
  curl_multi_wakeup(multi_.get());
}

} // namespace herald
