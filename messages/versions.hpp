#pragma once

#include <optional>
#include <string>

#include "messages/events.hpp"
#include "messages/ids.hpp"

namespace herald {

/// To the version store: keeps this as the pending version of `id`, over any earlier one, and tells
/// every open stream.
struct queue_version {
  request_id id;
  std::string version;
  std::optional<std::string> changelog;
  /// Of the request that asks for it, if it has a key.
  keyed_publish_ptr once = nullptr;
};

/// The answer to `queue_version`.
struct version_queued {
  /// Whether any stream was open to be told.
  bool delivered = false;
};

/// To the version store: the pending version of `id`, or `ec::no_pending_version`.
struct get_pending_version {
  request_id id;
};

/// A version that waits for (re)connects of its request_id. Stays until it is overwritten.
struct pending_version {
  std::string version;
  std::optional<std::string> changelog;
};

/// To a version source: gets the current version document.
struct fetch_version {};

/// The current version document, as compact JSON text.
struct version_document {
  std::string json;
};

} // namespace herald
