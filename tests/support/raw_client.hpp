#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace herald::testing {

/// A bare TCP connection to 127.0.0.1 that can say anything, well-formed or not. Every wait ends.
class raw_client {
public:
  /// An answer as it came; status 0 if there was none.
  struct reply {
    int status = 0;
    /// The lines of the head, each with its line end, in lower case.
    std::string head;
    /// The same as they came.
    std::string raw_head;
    std::string body;

    [[nodiscard]] bool has(std::string_view line_start) const {
      return head.find("\r\n" + std::string(line_start)) != std::string::npos;
    }
    /// The value of a header, given by its name in lower case; empty if there is none.
    [[nodiscard]] std::string header(std::string_view name) const;
  };

  explicit raw_client(std::uint16_t port);
  ~raw_client();
  raw_client(raw_client&& other) noexcept;
  raw_client& operator=(raw_client&&) = delete;

  [[nodiscard]] bool connected() const noexcept { return descriptor_ >= 0; }

  /// False once the peer takes no more.
  bool send(std::string_view bytes);

  /// Reads one answer by its Content-Length; `head_only` for an answer to HEAD.
  reply read_reply(bool head_only = false);

  /// Reads until this text comes, or has come behind the last answer.
  bool wait_for(std::string_view text);

  /// Whether the peer closes the connection, having sent nothing more.
  bool is_closed();

  /// Whether the peer has closed the connection by now.
  bool is_closed_now();

private:
  bool fill(std::chrono::milliseconds limit);

  int descriptor_ = -1;
  std::string buffer_;
  bool ended_ = false;
};

} // namespace herald::testing
