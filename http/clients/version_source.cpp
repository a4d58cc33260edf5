#include "http/clients/version_source.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <httplib.h>

#include "http/protocol/http_url.hpp"
#include "messages/errors.hpp"
#include "messages/json/json_text.hpp"

namespace herald {

namespace {

using clock = std::chrono::steady_clock;

/// Cuts a client's connection at the deadline. httplib's own time-outs are for each read, so a
/// server that sends a byte now and then could hold us for ever.
class watchdog {
public:
  watchdog(httplib::Client& client, clock::time_point deadline)
    : thread_([this, &client, deadline] {
        std::unique_lock lock{mutex_};
        while (!done_)
          // Again and again: a connection might just have been in the making.
          if (wake_.wait_until(lock, next_cut(deadline)) == std::cv_status::timeout && !done_)
            client.stop();
      }) {}

  ~watchdog() {
    {
      const std::lock_guard lock{mutex_};
      done_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

private:
  static clock::time_point next_cut(clock::time_point deadline) {
    return std::max(deadline, clock::now() + std::chrono::milliseconds{20});
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

/// The answer of a server.
struct answer {
  int status = 0;
  std::string location;
  std::string body;
};

caf::error timed_out() {
  return fail(ec::upstream_timed_out, "the version server did not answer in time");
}

caf::expected<answer>
get(const web_address& address, std::size_t max_bytes, clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
  if (left.count() <= 0)
    return timed_out();
  httplib::Client client{address.origin};
  if (!client.is_valid())
    return fail(ec::upstream_unavailable, "the address of the version server is not valid");
  client.set_connection_timeout(left);
  client.set_read_timeout(left);
  client.set_write_timeout(left);
  client.set_decompress(false);
  client.set_follow_location(false);
  client.set_keep_alive(false);
  answer result;
  bool too_large = false;
  const watchdog guard{client, deadline};
  const auto response = client.Get(
    address.target,
    {{"Accept", "application/json"}, {"Accept-Encoding", "identity"}, {"User-Agent", "herald"}},
    [&](const char* data, std::size_t size) {
      too_large = result.body.size() + size > max_bytes;
      if (!too_large)
        result.body.append(data, size);
      return !too_large;
    });
  if (too_large)
    return fail(
      ec::upstream_refused,
      "the version document is larger than " + std::to_string(max_bytes) + " bytes");
  if (!response && clock::now() >= deadline)
    return timed_out();
  if (!response)
    return fail(ec::upstream_unavailable, "the version server cannot be reached");
  result.status = response->status;
  result.location = response->get_header_value("Location");
  return result;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

caf::expected<std::string> document_of(const answer& got) {
  if (got.status != 200)
    return fail(ec::upstream_refused, "the version server answered " + std::to_string(got.status));
  auto document = compact_json(got.body);
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

std::optional<web_address> parse_web_address(std::string_view url) {
  const auto parsed = parse_http_url(url.substr(0, url.find('#')));
  if (!parsed)
    return std::nullopt;
  return web_address{
    (parsed->tls ? "https://" : "http://") + parsed->authority(), parsed->request_target()};
}

std::optional<web_address> follow(const web_address& base, std::string_view location) {
  if (location.starts_with("//"))
    return parse_web_address(
      base.origin.substr(0, base.origin.find(':') + 1) + std::string(location));
  if (location.starts_with("/"))
    return parse_web_address(base.origin + std::string(location));
  return parse_web_address(location);
}

caf::expected<std::string> fetch_version_document(const version_source_options& options) {
  const auto deadline = clock::now() + options.timeout;
  auto address = parse_web_address(options.url);
  for (std::size_t hops = 0; address; ++hops) {
    const auto got = get(*address, options.max_bytes, deadline);
    if (!got)
      return got.error();
    if (!is_redirect(got->status))
      return document_of(*got);
    if (hops == options.max_redirects)
      return fail(ec::upstream_refused, "the version server redirects too often");
    address = follow(*address, got->location);
  }
  return fail(ec::upstream_refused, "the address of the version document is not an http(s) URL");
}

supervised<version_source_actor> spawn_version_source(
  caf::actor_system& system, shell_options shell, version_source_options options) {
  return spawn_supervised<version_source_actor, version_source, caf::detached>(
    system, std::move(shell),
    [options = std::move(options)](auto*) { return std::make_unique<version_source>(options); });
}

} // namespace herald
