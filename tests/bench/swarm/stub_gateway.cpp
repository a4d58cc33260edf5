#include "tests/bench/swarm/stub_gateway.hpp"

#include <charconv>

#include "tests/bench/swarm/publisher.hpp"

namespace herald::bench {

namespace {

constexpr std::size_t callback_connections = 8;

/// The digits behind `key`; 0 if there are none.
std::uint64_t number_behind(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  std::uint64_t number = 0;
  if (at != text.npos)
    std::from_chars(text.data() + at + key.size(), text.data() + text.size(), number);
  return number;
}

} // namespace

stub_gateway::stub_gateway(const gateway_settings& settings, std::size_t streams, progress& run)
  : settings_(settings),
    run_(run),
    streams_(streams),
    counter_(run),
    server_(
      settings.port, R"({"status":"ok"})",
      [this](std::string_view body, nanos received) { sent(body, received); },
      [this] { counter_.flush(); }) {}

stub_gateway::~stub_gateway() {
  stub_gateway::finish();
}

void stub_gateway::open() {
  opened_ = now();
  server_.start();
  if (settings_.callback_port != 0)
    tell_of_streams();
  run_.live = streams_.size();
}

void stub_gateway::tell_of_streams() {
  publish_settings callbacks;
  callbacks.mode = pacing::flat;
  callbacks.port = settings_.callback_port;
  callbacks.target = settings_.callback_target;
  callbacks.headers = {"Content-Type: application/json"};
  callbacks.bodies = {
    R"({"action":"connect","token":"b%S","request":)"
    R"({"url":"/api/sse/stream?request_id=page-%S","headers":{"host":"bench"}}})"};
  callbacks.connections = callback_connections;
  callbacks.events = streams_.size();
  callbacks.warmup_s = 0;
  progress own;
  publisher backend{callbacks, own, [] {
                    }};
  backend.publish_all();
  told_ = backend.tally().answered;
}

void stub_gateway::finish() {
  server_.stop();
  if (finished_)
    return;
  finished_ = true;
  for (auto& stream : streams_)
    counter_.close_owed(stream, opened_);
}

void stub_gateway::tell(run_result& result) const {
  result.clients.opened = streams_.size();
  result.clients.open_at_end = streams_.size();
  if (settings_.callback_port != 0)
    result.clients.failed = streams_.size() - told_;
  result.clients.threads = 1;
  result.clients.bytes = bytes_;
  result.clients.malformed = malformed_;
  result.deliveries.merge(counter_.tally());
}

void stub_gateway::sent(std::string_view body, nanos received) {
  bytes_ += body.size();
  const auto stream = number_behind(body, R"("token":"b)");
  if (stream == 0 || stream > streams_.size()) {
    ++malformed_;
    return;
  }
  seen_event event;
  event.sent_at = number_behind(body, R"(\"t\":)");
  event.number = number_behind(body, R"(\"seq\":)");
  event.has_data = true;
  // Without a number it is a probe, or herald's own event.
  counter_.count(streams_[stream - 1], opened_, event, received);
}

} // namespace herald::bench
