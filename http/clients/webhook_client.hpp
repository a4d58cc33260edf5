#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/system/shared_value.hpp"
#include "actors/webhooks/webhook_queue.hpp"
#include "http/clients/curl_client.hpp"
#include "http/protocol/http_url.hpp"
#include "messages/backend.hpp"

namespace herald {

/// Posts batches to the webhook's receiver, signed as Standard Webhooks has it (`webhook-id`,
/// `webhook-timestamp`, `webhook-signature`), by each of the keys. A redirect is an answer like any
/// other, and no good one: what is posted is for the receiver alone.
class webhook_client {
public:
  /// `keys` are read at each post.
  webhook_client(
    http_url url, const std::string& ca_file, std::chrono::milliseconds timeout,
    shared_value<std::vector<std::string>> keys);

  /// Calls `done` once, on a thread of its own, unless this ends first. Safe from any thread.
  void post(const webhook_batch& batch, std::function<void(const webhook_answered&)> done);

private:
  const http_url url_;
  const std::chrono::milliseconds timeout_;
  const shared_value<std::vector<std::string>> keys_;
  curl_client curl_;
};

} // namespace herald
