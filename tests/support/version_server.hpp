#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace herald::testing {

/// A small web server that has the current version, as `version.url` asks for it.
class version_server {
public:
  version_server();
  version_server(const version_server&) = delete;
  version_server& operator=(const version_server&) = delete;
  ~version_server();

  [[nodiscard]] std::string url() const;

  /// What is answered from now on.
  void answer_with(int status, std::string body);
  /// From now on nothing is answered until `let_go`.
  void hold();
  void let_go();

private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

} // namespace herald::testing
