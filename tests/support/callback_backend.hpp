#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace herald::testing {

/// A backend as a gateway sees it: takes callbacks and decides about each connect.
class callback_backend {
public:
  /// Gives the status of the answer; runs on a thread of the server's.
  using verdict = std::function<int(const nlohmann::json& callback)>;

  explicit callback_backend(verdict on_connect = [](const nlohmann::json&) { return 200; });
  callback_backend(const callback_backend&) = delete;
  callback_backend& operator=(const callback_backend&) = delete;
  ~callback_backend();

  [[nodiscard]] std::string url() const;
  /// Answers with this body from now on, instead of `{}`.
  void answer_with(std::string body);
  /// All callbacks that have come, in their order.
  [[nodiscard]] std::vector<nlohmann::json> callbacks() const;

private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

} // namespace herald::testing
