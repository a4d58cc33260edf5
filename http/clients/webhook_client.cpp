#include "http/clients/webhook_client.hpp"

#include <utility>

#include "http/clients/webhook_signature.hpp"

namespace herald {

namespace {

webhook_answered outcome_of(const curl_outcome& how) {
  using kind = post_outcome::kind;
  webhook_answered fact;
  fact.status = static_cast<std::uint16_t>(how.status);
  if (how.what == kind::timed_out)
    fact.why = {ec::upstream_timed_out, "no answer in time", {}};
  else if (how.what != kind::answered)
    fact.why = {ec::upstream_unavailable, how.why, {}};
  else if (how.status < 200 || how.status > 299)
    fact.why = {ec::upstream_refused, "answered " + std::to_string(how.status), {}};
  else
    fact.why = {ec::none, {}, {}};
  return fact;
}

curl_client_options options_of(const std::string& ca_file) {
  curl_client_options options;
  options.ca_file = ca_file;
  options.max_connections = 1;
  options.max_redirects = 0;
  return options;
}

} // namespace

webhook_client::webhook_client(
  http_url url, const std::string& ca_file, std::chrono::milliseconds timeout,
  shared_value<std::vector<std::string>> keys)
  : url_(std::move(url)),
    timeout_(timeout),
    keys_(std::move(keys)),
    curl_(options_of(ca_file)) {}

void webhook_client::post(
  const webhook_batch& batch, std::function<void(const webhook_answered&)> done) {
  using namespace std::chrono;
  const auto at = duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
  curl_client::order order;
  order.url = url_;
  order.body = *batch.body;
  order.deadline = curl_client::clock::now() + timeout_;
  order.done = [done = std::move(done)](const curl_outcome& how) {
    done(outcome_of(how));
  };
  order.headers = {
    "webhook-id: " + batch.id, "webhook-timestamp: " + std::to_string(at),
    "webhook-signature: " + webhook_signatures(*keys_.read(), batch.id, at, *batch.body)};
  curl_.post(std::move(order));
}

} // namespace herald
