#include "http/clients/curl_client.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <list>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include "actors/system/signals_blocked.hpp"
#include "http/clients/curl_handle.hpp"

namespace herald {

namespace {

using kind = post_outcome::kind;
using clock = curl_client::clock;

/// Of a body that nobody waits for.
constexpr std::size_t max_unwanted_bytes = std::size_t{64} * 1024;
/// Of all heads of an answer with a body that is wanted, and trailers.
constexpr std::size_t max_head_bytes = std::size_t{64} * 1024;
/// Between two looks where nothing is to be done; an order wakes the thread.
constexpr int longest_nap_ms = 60'000;
/// The same while an outcome waits for somebody to have the memory for it.
constexpr int untold_nap_ms = 100;

/// The value of a header, if the line has the header of this name, which ends with a colon.
std::optional<std::string_view> value_in(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || curl_strnequal(line.data(), name.data(), name.size()) == 0)
    return std::nullopt;
  line.remove_prefix(name.size());
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return line.substr(0, line.find_last_not_of(" \t\r\n") + 1);
}

/// One request of an order, and then the one that it is redirected to. Stays where it is: libcurl
/// has its address.
class transfer {
public:
  /// Not begun. Takes no memory.
  transfer(curl_client::order&& what, const curl_client_options& options)
    : order_(std::move(what)),
      options_(options) {}

  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  [[nodiscard]] CURL* easy() const noexcept { return easy_.get(); }

  /// Makes the order's own request, and behind it the one that it is redirected to. Whether there
  /// is one; none where it throws `std::bad_alloc`.
  [[nodiscard]] bool make_next() {
    if (!easy_)
      add_headers();
    else if (next_)
      redirect();
    else
      return false;
    make_request();
    return true;
  }

  void end(CURLcode how) noexcept { how_ = no_memory_ ? CURLE_OUT_OF_MEMORY : how; }

  /// Tells how it has ended. Where that throws, for want of memory, what is left can be told later.
  void tell_end() {
    tell(outcome());
    if (how_ == CURLE_OK && order_.read && status_ / 100 == 2)
      order_.read(body_);
  }

private:
  [[nodiscard]] curl_outcome outcome() const {
    curl_outcome end{kind::answered, wants_body() || how_ == CURLE_OK ? status_ : 0, {}, opened()};
    end.challenge = challenge_;
    if (how_ == CURLE_OK) {
      if (wants_body())
        end.body = body_;
    } else if (how_ == CURLE_OPERATION_TIMEDOUT) {
      end.what = kind::timed_out;
      end.why = "no answer in time";
    } else {
      end.what = kind::unreachable;
      // Of what a callback has refused libcurl knows nothing better.
      end.why = error_[0] != '\0' && !no_memory_ ? error_.data() : curl_easy_strerror(how_);
      if (too_large_) {
        end.why = "the answer is too large";
        end.status = status();
      }
    }
    return end;
  }

  void add_headers() {
    if (!order_.get) {
      add_header("Content-Type: application/json");
      // Nobody wants to be asked first.
      add_header("Expect:");
    }
    for (const auto& header : order_.headers)
      add_header(header.c_str());
  }

  void redirect() {
    if (makes_get(status_) && !order_.get) {
      order_.get = true;
      headers_.reset();
    }
    order_.url = std::move(*next_);
    ++redirects_;
  }

  void add_header(const char* header) {
    auto* const list = curl_slist_append(headers_.get(), header);
    if (list == nullptr)
      throw std::bad_alloc{};
    // The same list, unless it was empty.
    static_cast<void>(headers_.release());
    headers_.reset(list);
  }

  [[nodiscard]] bool wants_body() const noexcept { return order_.max_body_bytes != 0; }

  void make_request() {
    // A handle of its own each: what the last request has set is not known to all.
    easy_ = make_easy();
    next_.reset();
    status_ = 0;
    body_.clear();
    head_bytes_ = 0;
    body_bytes_ = 0;
    too_large_ = false;
    no_memory_ = false;
    error_[0] = '\0';
    set(CURLOPT_URL, order_.url.text().c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "herald/" HERALD_VERSION);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_MAXAGE_CONN, static_cast<long>(options_.idle_time.count()));
    if (!options_.ca_file.empty())
      set(CURLOPT_CAINFO, options_.ca_file.c_str());
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(order_.deadline - clock::now());
    set(CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(left.count())));
    if (headers_)
      set(CURLOPT_HTTPHEADER, headers_.get());
    if (order_.alone) {
      set(CURLOPT_FRESH_CONNECT, 1L);
      set(CURLOPT_FORBID_REUSE, 1L);
    }
    if (order_.get) {
      set(CURLOPT_HTTPGET, 1L);
    } else {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE, static_cast<long>(order_.body.size()));
      set(CURLOPT_POSTFIELDS, order_.body.c_str());
    }
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_HEADERFUNCTION, &transfer::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &transfer::on_body);
    set(CURLOPT_WRITEDATA, this);
  }

  template <class Value>
  void set(CURLoption option, Value value) {
    set_option(easy_, option, value);
  }

  static std::size_t on_header(char* line, std::size_t, std::size_t size, void* self) noexcept {
    auto& mine = *static_cast<transfer*>(self);
    return answer_libcurl(size, mine.no_memory_, [&] { return mine.take_header({line, size}); });
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept {
    auto& mine = *static_cast<transfer*>(self);
    return answer_libcurl(size, mine.no_memory_, [&] { return mine.take_body({data, size}); });
  }

  bool take_header(std::string_view line) {
    head_bytes_ += line.size();
    too_large_ = wants_body() && head_bytes_ > max_head_bytes;
    if (too_large_)
      return false;
    if (line.starts_with("HTTP/")) {
      location_.clear();
      challenge_.clear();
    } else if (const auto location = value_in(line, "location:")) {
      location_ = *location;
    } else if (const auto challenge = value_in(line, "www-authenticate:")) {
      if (wants_body() && challenge_.empty())
        challenge_ = *challenge;
    } else if (line == "\r\n" || line == "\n") {
      take_head();
    }
    return true;
  }

  bool take_body(std::string_view data) {
    body_bytes_ += data.size();
    const auto most = wants_body() ? order_.max_body_bytes : max_unwanted_bytes;
    if (body_bytes_ > most) {
      too_large_ = wants_body();
      return false;
    }
    if (wants_body() || order_.read)
      body_.append(data);
    return true;
  }

  void take_head() {
    // Interim answers, and trailers, which end as a head does.
    if (status() < 200 || status_ != 0)
      return;
    status_ = status();
    if (is_redirect(status_) && redirects_ < options_.max_redirects)
      next_ = redirect_within_host(order_.url, location_);
    if (!next_ && !wants_body())
      tell({kind::answered, status_, {}, opened()});
  }

  /// Of the last head, also one that is not complete.
  [[nodiscard]] unsigned status() const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return static_cast<unsigned>(status);
  }

  [[nodiscard]] std::size_t opened() const {
    long connects = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connects);
    return static_cast<std::size_t>(std::max(connects, 0L));
  }

  void tell(const curl_outcome& how) {
    if (!order_.done)
      return;
    order_.done(how);
    order_.done = nullptr;
  }

  curl_client::order order_;
  const curl_client_options& options_;
  header_lines headers_;
  easy_handle easy_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  CURLcode how_ = CURLE_OK;
  unsigned status_ = 0;
  std::string location_;
  std::string challenge_;
  std::string body_;
  std::size_t head_bytes_ = 0;
  std::size_t body_bytes_ = 0;
  bool too_large_ = false;
  bool no_memory_ = false;
  std::size_t redirects_ = 0;
  std::optional<http_url> next_;
};

} // namespace

class curl_client::engine {
public:
  explicit engine(curl_client_options options) : options_(std::move(options)) {
    initialize_libcurl();
    multi_.reset(curl_multi_init());
    if (!multi_)
      throw std::bad_alloc{};
    const auto most = static_cast<long>(options_.max_connections);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, most);
    // Also in the threads that resolve names.
    const signals_blocked meanwhile;
    thread_ = std::thread{[this] {
      run();
    }};
    waker_ = std::thread{[this] {
      wake();
    }};
  }

  ~engine() {
    {
      const std::lock_guard lock{mutex_};
      ending_ = true;
    }
    posted_.notify_one();
    waker_.join();
    thread_.join();
    for (const auto& each : under_way_)
      curl_multi_remove_handle(multi_.get(), each.easy());
  }

  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  void post(order what) {
    // All the memory that it needs here to be told how it went.
    std::list<transfer> posted;
    posted.emplace_back(std::move(what), options_);
    {
      const std::lock_guard lock{mutex_};
      orders_.splice(orders_.end(), posted);
    }
    posted_.notify_one();
  }

private:
  struct free_multi {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  void run() {
    ::pthread_setname_np(::pthread_self(), options_.name);
    while (!ending_) {
      start_orders();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      int more = 0;
      while (const auto* message = curl_multi_info_read(multi_.get(), &more))
        if (message->msg == CURLMSG_DONE)
          end(message->easy_handle, message->data.result);
      tell_ends();
      const auto nap = ended_.empty() ? longest_nap_ms : untold_nap_ms;
      curl_multi_poll(multi_.get(), nullptr, 0, nap, nullptr);
    }
  }

  /// Wakes the thread for those who post. A loop of streams cannot: libcurl does it by a
  /// descriptor, and in the loop's own table that is none, or somebody else's.
  void wake() {
    ::pthread_setname_np(::pthread_self(), "curl-waker");
    std::unique_lock lock{mutex_};
    while (!ending_) {
      posted_.wait(lock, [this] { return ending_ || (!orders_.empty() && !woken_); });
      woken_ = true;
      curl_multi_wakeup(multi_.get());
    }
    curl_multi_wakeup(multi_.get());
  }

  std::list<transfer> take_orders() {
    const std::lock_guard lock{mutex_};
    woken_ = false;
    return std::exchange(orders_, {});
  }

  void start_orders() {
    auto begun = take_orders();
    while (!begun.empty()) {
      const auto first = begun.begin();
      auto& where = run_next(*first) ? under_way_ : ended_;
      where.splice(where.end(), begun, first);
    }
  }

  /// Whether it has a request more, which libcurl runs. It has ended otherwise.
  bool run_next(transfer& one) {
    try {
      if (!one.make_next())
        return false;
    } catch (const std::exception&) {
      one.end(CURLE_OUT_OF_MEMORY);
      return false;
    }
    if (curl_multi_add_handle(multi_.get(), one.easy()) == CURLM_OK)
      return true;
    one.end(CURLE_OUT_OF_MEMORY);
    return false;
  }

  void end(CURL* easy, CURLcode how) {
    curl_multi_remove_handle(multi_.get(), easy);
    // libcurl looks at all of them in each round, too.
    const auto found = std::ranges::find(under_way_, easy, &transfer::easy);
    found->end(how);
    if (run_next(*found))
      // There is a request that nobody has looked at.
      curl_multi_wakeup(multi_.get());
    else
      ended_.splice(ended_.end(), under_way_, found);
  }

  void tell_ends() {
    for (auto next = ended_.begin(); next != ended_.end();) {
      const auto one = next++;
      try {
        one->tell_end();
        ended_.erase(one);
      } catch (const std::exception&) {
        // There may be memory a little later.
        continue;
      }
    }
  }

  const curl_client_options options_;
  std::unique_ptr<CURLM, free_multi> multi_;
  std::list<transfer> under_way_;
  /// Of which nobody has been told yet, or not of all.
  std::list<transfer> ended_;
  std::mutex mutex_;
  std::condition_variable posted_;
  /// Not begun.
  std::list<transfer> orders_;
  /// The thread knows that there are orders.
  bool woken_ = false;
  std::atomic<bool> ending_{false};
  std::thread thread_;
  std::thread waker_;
};

curl_client::curl_client(curl_client_options options)
  : engine_(std::make_unique<engine>(std::move(options))) {}

curl_client::~curl_client() = default;

void curl_client::post(order what) {
  engine_->post(std::move(what));
}

} // namespace herald
