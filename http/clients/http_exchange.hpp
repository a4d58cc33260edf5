#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/system/error_code.hpp>

#include "http/protocol/http_url.hpp"

namespace herald {

/// The end of one POST.
struct post_outcome {
  enum class kind : std::uint8_t {
    /// There is a status: also where the rest of the answer cannot be read.
    answered,
    /// No such host, refused, reset, not HTTP.
    unreachable,
    timed_out,
    /// The server had closed the kept connection and has sent no byte of an answer: the POST can be
    /// made once more, over a new connection.
    stale,
  };

  kind what = kind::unreachable;
  unsigned status = 0;
  /// The answer's body, or the part of it that was read. Valid until the next POST begins.
  std::string_view body;
  /// For the log: what went wrong, and the system's error where there is one.
  std::string_view why;
  boost::system::error_code error;
};

/// One POST at a time over a connection that is kept alive, as bytes: the request that is to be
/// sent, and what the bytes that come in mean. Pure. Interim answers (1xx) are passed over. An
/// answer's head may have 16 KiB; of its body no more than 64 KiB are read.
class http_exchange {
public:
  /// For POSTs of JSON to `url`.
  explicit http_exchange(const http_url& url);
  http_exchange(const http_exchange&) = delete;
  http_exchange& operator=(const http_exchange&) = delete;
  ~http_exchange();

  /// Begins a POST over a connection that has carried one before (`kept`), or over a new one.
  void begin(std::string_view body, bool kept);

  /// The part of the request that is still to be sent. Head and body are one piece: a server that
  /// gets them apart wakes twice.
  [[nodiscard]] std::string_view unsent() const noexcept;
  void sent(std::size_t count) noexcept { sent_ += count; }

  /// Reads bytes of the answer, in any pieces: the outcome, as soon as there is one. Not to be
  /// called after that.
  [[nodiscard]] std::optional<post_outcome> received(std::string_view bytes);
  /// The connection has ended instead: closed by the server, or by an error.
  [[nodiscard]] post_outcome ended(boost::system::error_code error = {});

  /// The status of the answer, once the head of one that is not interim is here.
  [[nodiscard]] std::optional<unsigned> status() const;
  /// Where that answer sends whoever asked; empty for nowhere. Valid until the next POST begins.
  [[nodiscard]] std::string_view location() const;

  /// Whether the connection may carry another POST after this outcome.
  [[nodiscard]] bool keeps_connection() const noexcept { return keeps_connection_; }

private:
  struct answer;

  [[nodiscard]] std::optional<post_outcome> unfinished(bool broken) const;
  [[nodiscard]] post_outcome answered() const;

  /// Up to the value of Content-Length.
  std::string head_;
  std::string request_;
  std::size_t sent_ = 0;
  std::unique_ptr<answer> answer_;
  bool kept_ = false;
  /// A byte of an answer has come.
  bool begun_ = false;
  bool keeps_connection_ = false;
};

} // namespace herald
