#include "http/tokens/key_source.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <fstream>
#include <iterator>
#include <utility>
#include <variant>

#include <pthread.h>

#include "actors/system/signals_blocked.hpp"
#include "actors/telemetry/log.hpp"
#include "messages/errors.hpp"

namespace herald {

namespace {

using clock = std::chrono::steady_clock;

constexpr const char* component = "auth-keys";

/// A secret is no book.
constexpr std::size_t max_secret_bytes = 4096;

/// Between two looks where nothing is due.
constexpr std::chrono::hours longest_nap{1};

caf::expected<std::string>
text_of_file(const std::string& name, std::size_t max_bytes, const std::string& setting) {
  std::ifstream file{name, std::ios::binary};
  std::string text(max_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad() || (file.fail() && !file.eof()))
    return fail(ec::invalid_field, name + " cannot be read", setting);
  if (text.size() > max_bytes)
    return fail(
      ec::invalid_field, name + " has more than " + std::to_string(max_bytes) + " bytes", setting);
  return text;
}

struct read_secret_file {
  std::string text;
  token_key_ptr key;
};

caf::expected<read_secret_file> secret_of(const auth_options& options) {
  constexpr const char* setting = "auth.secret_file";
  const auto file = text_of_file(options.secret_file, max_secret_bytes, setting);
  if (!file)
    return file.error();
  const auto secret = secret_in(*file);
  auto read = key_of_secret(secret);
  if (auto* key = std::get_if<token_key_ptr>(&read))
    return read_secret_file{std::string{secret}, std::move(*key)};
  return fail(ec::invalid_field, std::get<std::string>(read), setting);
}

struct read_document {
  std::string text;
  jwks_keys jwks;
};

caf::expected<read_document> document_of(const auth_options& options) {
  constexpr const char* setting = "auth.jwks_file";
  auto file = text_of_file(options.jwks_file, options.max_jwks_bytes, setting);
  if (!file)
    return file.error();
  auto read = read_jwks(*file, allowed_algorithms{options.algorithms}, options.max_keys);
  if (read)
    return read_document{std::move(*file), std::move(*read)};
  const auto why = describe(read.error());
  return fail(ec::invalid_field, why.field + " " + why.detail, setting);
}

std::unique_ptr<document_fetch> make_fetch(const auth_options& options) {
  const auto url = parse_http_url(options.jwks_url);
  if (!url)
    return nullptr;
  return std::make_unique<document_fetch>(
    document_fetch_options{*url, options.ca_file, options.jwks_timeout_ms, options.max_jwks_bytes});
}

void log_keys(const jwks_keys& read) {
  log::info(
    component, "keys_changed", {{"keys", read.keys.size()}, {"left_out", read.left_out.size()}});
  for (const auto& why : read.left_out)
    log::info(component, "key_left_out", {{"why", why}});
}

} // namespace

caf::expected<std::unique_ptr<key_source>>
key_source::open(auth_options options, metrics& numbers) {
  std::unique_ptr<key_source> source{new key_source{std::move(options), numbers}};
  if (auto error = source->read_files())
    return error;
  if (source->fetch_) {
    const signals_blocked meanwhile;
    source->thread_ = std::thread{[self = source.get()] {
      self->run();
    }};
  }
  return source;
}

caf::error key_source::check_files(const auth_options& options) {
  if (!options.secret_file.empty())
    if (const auto read = secret_of(options); !read)
      return read.error();
  if (!options.jwks_file.empty())
    if (const auto read = document_of(options); !read)
      return read.error();
  return {};
}

key_source::key_source(auth_options options, metrics& numbers)
  : options_(std::move(options)),
    allowed_(options_.algorithms),
    keys_in_force_(numbers.gauge("herald_auth_keys", "Public keys that tokens are verified with")),
    failing_(
      numbers.gauge("herald_auth_keys_failing", "1 while the JWKS document cannot be fetched")),
    fetched_(numbers.counter(
      "herald_auth_key_fetches_total", "Fetches of the JWKS document", {{"result", "fetched"}})),
    failed_(numbers.counter(
      "herald_auth_key_fetches_total", "Fetches of the JWKS document", {{"result", "failed"}})),
    fetch_(make_fetch(options_)),
    schedule_(options_.jwks_refresh_s, options_.jwks_refetch_s, options_.jwks_max_stale_s) {
  publish();
}

key_source::~key_source() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  wake_.notify_one();
  if (fetch_)
    fetch_->cancel();
  if (thread_.joinable())
    thread_.join();
}

verifier_ptr key_source::verifier() const {
  const std::lock_guard lock{mutex_};
  return verifier_;
}

bool key_source::has_keys() const {
  const std::lock_guard lock{mutex_};
  return secret_ != nullptr || !published_.empty();
}

key_outlook key_source::miss(std::string_view key_id, fetch_handler over) {
  const std::lock_guard lock{mutex_};
  if (!fetch_ || ending_)
    return key_outlook::none;
  const auto outlook = schedule_.miss(key_id, clock::now());
  if (outlook == key_outlook::soon && over)
    waiting_.push_back(std::move(over));
  wake_.notify_one();
  return outlook;
}

std::optional<caf::error> key_source::reload() {
  auto error = read_files();
  {
    const std::lock_guard lock{mutex_};
    schedule_.demand();
  }
  wake_.notify_one();
  if (!error)
    return std::nullopt;
  const auto why = describe(error);
  log::error(component, "keys_not_read", {{"setting", why.field}, {"reason", why.detail}});
  return error;
}

caf::error key_source::read_files() {
  auto error = read_secret();
  auto other = read_jwks_file();
  return error ? error : other;
}

caf::error key_source::read_secret() {
  if (options_.secret_file.empty())
    return {};
  auto read = secret_of(options_);
  if (!read)
    return read.error();
  const std::lock_guard lock{mutex_};
  if (read->text == secret_text_)
    return {};
  secret_text_ = std::move(read->text);
  secret_ = std::move(read->key);
  publish();
  return {};
}

caf::error key_source::read_jwks_file() {
  if (options_.jwks_file.empty())
    return {};
  auto read = document_of(options_);
  if (!read)
    return read.error();
  const std::lock_guard lock{mutex_};
  if (read->text == document_)
    return {};
  log_keys(read->jwks);
  document_ = std::move(read->text);
  published_ = std::move(read->jwks.keys);
  publish();
  return {};
}

void key_source::run() {
  ::pthread_setname_np(::pthread_self(), "auth-keys");
  std::unique_lock lock{mutex_};
  while (!ending_) {
    const auto now = clock::now();
    if (schedule_.stale(now)) {
      drop_stale();
      schedule_.dropped();
    }
    if (schedule_.due(now)) {
      fetch(lock);
      continue;
    }
    const auto longest = now + longest_nap;
    wake_.wait_until(lock, std::min(schedule_.next().value_or(longest), longest));
  }
}

void key_source::fetch(std::unique_lock<std::mutex>& lock) {
  schedule_.begin(clock::now());
  const auto asked_before = std::exchange(waiting_, {});
  lock.unlock();
  bool brought = false;
  try {
    brought = take(fetch_->get());
  } catch (const std::exception& e) {
    log::error(component, "keys_not_fetched", {{"why", e.what()}});
  }
  (brought ? fetched_ : failed_).Increment();
  failing_.Set(brought ? 0 : 1);
  lock.lock();
  if (brought)
    schedule_.succeed(clock::now());
  else
    schedule_.fail(clock::now());
  // Their keys may have been published after the source was asked.
  const auto asked_meanwhile = std::exchange(waiting_, {});
  if (ending_)
    return;
  lock.unlock();
  for (const auto& over : asked_before)
    over(brought);
  for (const auto& over : asked_meanwhile)
    over(false);
  lock.lock();
}

bool key_source::take(const caf::expected<std::string>& document) {
  auto read = document ? read_jwks(*document, allowed_, options_.max_keys)
                       : caf::expected<jwks_keys>{document.error()};
  const std::lock_guard lock{mutex_};
  if (ending_)
    return false;
  if (!read) {
    const auto why = describe(read.error());
    log::warning(
      component, "keys_not_fetched",
      {{"why", why.field.empty() ? why.detail : why.field + " " + why.detail},
       {"keys", published_.size()}});
    return false;
  }
  // Whoever remembers tokens forgets them with their verifier.
  if (*document == document_)
    return true;
  log_keys(*read);
  document_ = *document;
  published_ = std::move(read->keys);
  publish();
  return true;
}

void key_source::drop_stale() {
  if (published_.empty())
    return;
  log::error(component, "keys_too_old", {{"keys", published_.size()}});
  published_.clear();
  document_.clear();
  publish();
}

/// With the lock, or before there is anybody else.
void key_source::publish() {
  keys_in_force_.Set(static_cast<double>(published_.size()));
  verifier_ = std::make_shared<const token_verifier>(
    options_, std::make_shared<const key_set>(secret_, published_));
}

} // namespace herald
