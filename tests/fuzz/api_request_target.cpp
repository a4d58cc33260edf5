// A request to the API as it comes in over a connection: head, counted or chunked body. Beast, as
// the other parser, must agree about where each of them ends: that is what smuggling lives on.

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/protocol/chunked_body.hpp"
#include "http/protocol/request_head.hpp"
#include "http/server/api_socket.hpp"
#include "http/server/request_reader.hpp"
#include "messages/type_ids.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

namespace {

namespace http = boost::beast::http;

constexpr std::size_t max_body = 2000;

/// One request as Beast reads it.
struct other_reading {
  explicit other_reading(std::string_view input) {
    parser.eager(true);
    parser.body_limit(max_body);
    parser.header_limit(2 * max_head_bytes);
    parser.put(boost::asio::buffer(input.data(), input.size()), error);
  }

  /// Whether it only dislikes a value of Connection, an extension of a chunk, a trailer: herald
  /// passes over those, and no end of anything depends on them.
  [[nodiscard]] bool is_picky() const {
    if (!parser.is_header_done())
      return error == http::error::bad_value;
    return error && error != http::error::need_more && error != http::error::bad_chunk;
  }

  http::request_parser<http::string_body> parser;
  boost::system::error_code error;
};

void check_head(std::string_view head) {
  const auto parsed = parse_request_head(head);
  if (!parsed)
    return;
  require(!parsed->chunked || parsed->content_length == 0, "a length beside chunks");
  require(head.ends_with("\r\n\r\n"), "a head without its end");
  http::request_parser<http::empty_body> other;
  other.header_limit(2 * max_head_bytes);
  other.skip(true);
  boost::system::error_code error;
  const auto used = other.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error == http::error::bad_value) // in Connection or Upgrade: bears on no length
    return;
  require(!error, "Beast refuses what we accept");
  require(used == head.size(), "Beast sees another end of the head");
  const auto& request = other.get();
  require(request.method_string() == parsed->method, "Beast sees another method");
  require(request.target() == parsed->target, "Beast sees another target");
  require(request.chunked() == parsed->chunked, "Beast sees another coding");
  const auto length = request[http::field::content_length];
  const auto number = length.empty() ? 0 : std::stoull(std::string(length.data(), length.size()));
  require(number == parsed->content_length, "Beast sees another length");
}

/// Any division into pieces gives the same.
void check_chunks(std::string_view body, std::uint8_t seed) {
  chunked_body whole{max_body};
  const auto used = whole.feed(body);
  chunked_body pieces{max_body};
  std::size_t fed = 0;
  in_pieces(body, seed, [&](std::string_view piece) {
    const auto taken = pieces.feed(piece);
    fed += taken;
    return taken == piece.size() && pieces.now() == chunked_body::state::more;
  });
  require(whole.now() == pieces.now(), "pieces end otherwise");
  require(whole.body() == pieces.body(), "pieces give another body");
  require(used == fed, "pieces end elsewhere");
  require(whole.body().size() <= max_body, "too much was kept");
}

/// A socket that has the whole input and then ends.
class loaded_socket {
public:
  explicit loaded_socket(std::string_view input) {
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()) != 0)
      throw std::runtime_error{"no socket pair"};
    require(
      ::send(ends_[1], input.data(), input.size(), MSG_DONTWAIT)
        == static_cast<ssize_t>(input.size()),
      "the input does not fit into the socket");
    ::shutdown(ends_[1], SHUT_WR);
  }
  ~loaded_socket() { ::close(ends_[1]); }
  loaded_socket(const loaded_socket&) = delete;
  loaded_socket& operator=(const loaded_socket&) = delete;

  /// The end to read from, to be closed by whoever takes it.
  [[nodiscard]] int reader() const { return ends_[0]; }

private:
  std::array<int, 2> ends_{};
};

void check_reader(std::string_view input) {
  static const int never = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const loaded_socket peer{input};
  api_socket socket{peer.reader(), {never, never}};
  reading_limits limits;
  limits.max_body_bytes = max_body;
  request_reader reader{socket, limits};
  const auto outcome = reader.read();
  require(reader.body().size() <= max_body, "too much was kept");
  require(
    outcome != request_reader::outcome::refused || reader.refusal().code != ec::request_timed_out,
    "waits for what is there");
  if (outcome != request_reader::outcome::complete)
    return;
  // Beast does not overlook line ends before a request.
  auto shown = input;
  while (shown.starts_with("\r\n"))
    shown.remove_prefix(2);
  const other_reading other{shown};
  const bool done = other.parser.is_done();
  require(done || other.is_picky(), "Beast does not see a whole request");
  const auto& body = other.parser.get().body();
  require(
    done ? body == reader.body() : reader.body().starts_with(body), "Beast sees another body");
}

} // namespace

HERALD_FUZZ_TARGET(api_request, input) {
  input_reader in{input};
  const auto seed = in.byte();
  const auto request = in.rest();
  const auto head_end = request.find("\r\n\r\n");
  if (head_end != std::string_view::npos) {
    check_head(request.substr(0, head_end + 4));
    check_chunks(request.substr(head_end + 4), seed);
  } else {
    check_chunks(request, seed);
  }
  if (!request.empty() && request.size() < 100'000)
    check_reader(request);
}

} // namespace herald::fuzz
