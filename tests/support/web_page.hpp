#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace herald::testing {

/// A web server with one page, at `/`, that takes what the page reports (`POST /report`, JSON).
class web_page {
public:
  explicit web_page(const std::filesystem::path& file);
  web_page(const web_page&) = delete;
  web_page& operator=(const web_page&) = delete;
  ~web_page();

  [[nodiscard]] std::string url() const;
  /// Everything that was reported, in its order.
  [[nodiscard]] std::vector<nlohmann::json> reports() const;

private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

} // namespace herald::testing
