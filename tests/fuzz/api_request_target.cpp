// A request to the API as it comes in over a connection: head, counted or chunked body. A naive
// reader must agree about what was accepted and where it ends: that is what smuggling lives on.

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>

#include <sys/socket.h>
#include <unistd.h>

#include "http/protocol/request_parser.hpp"
#include "http/server/api_socket.hpp"
#include "http/server/request_reader.hpp"
#include "messages/text/ascii.hpp"
#include "messages/type_ids.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/chunked_body.hpp"
#include "tests/support/fed_parser.hpp"

namespace herald::fuzz {

namespace {

using state = request_parser::state;
using testing::chunked_body;
using testing::fed_parser;

constexpr std::size_t max_body = 2000;

/// Up to the next line end, which is dropped.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find("\r\n");
  require(end != std::string_view::npos, "a line without its end");
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos
           ? std::string_view{}
           : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Line by line, and each at its first colon, a head says what it was taken for.
void check_head(std::string_view bytes, const request_head& head) {
  require(bytes.find("\r\n\r\n") == bytes.size() - 4, "a head that ends elsewhere");
  for (std::size_t i = 0; i < bytes.size(); ++i)
    require((bytes[i] == '\r') == (bytes.substr(i, 2) == "\r\n"), "a bare CR or LF");
  require(
    take_line(bytes)
      == head.method + ' ' + head.target + (head.version == 11 ? " HTTP/1.1" : " HTTP/1.0"),
    "another request line");
  std::size_t lengths = 0;
  std::size_t codings = 0;
  std::size_t hosts = 0;
  for (const auto& [name, value] : head.headers) {
    const auto line = take_line(bytes);
    const auto colon = line.find(':');
    require(colon != std::string_view::npos && line.substr(0, colon) == name, "another name");
    require(trimmed(line.substr(colon + 1)) == value, "another value");
    const auto lower = ascii_lower(name);
    hosts += lower == "host" ? 1 : 0;
    if (lower == "transfer-encoding") {
      ++codings;
      require(ascii_lower(value) == "chunked", "another coding");
    }
    if (lower == "content-length") {
      ++lengths;
      require(std::stoull(value) == head.content_length, "another length");
    }
  }
  require(bytes == "\r\n", "a header too few");
  require(lengths + codings <= 1, "two lengths");
  require(head.chunked == (codings == 1), "chunks in doubt");
  require(lengths == 1 || head.content_length == 0, "a length of nowhere");
  require(hosts == 1 || (hosts == 0 && head.version == 10), "a Host too many or too few");
}

/// A naive reader sees the same body, and the same bytes behind it.
void check_body(std::string_view bytes, fed_parser& reader) {
  const auto& head = reader.parser.head();
  std::string body{bytes.substr(0, static_cast<std::size_t>(head.content_length))};
  auto rest = bytes.substr(body.size());
  if (head.chunked) {
    chunked_body other{max_body};
    rest = bytes.substr(other.feed(bytes));
    require(other.now() == chunked_body::state::done, "chunks without an end");
    body = other.body();
  }
  require(body == reader.parser.body(), "another body");
  require(rest == reader.unread, "the body ends elsewhere");
}

/// Feeds a piece and allows a body where one comes.
state feed(fed_parser& reader, std::string_view piece) {
  const auto before = reader.parser.now();
  if (reader.feed(piece) == state::body && before == state::head) {
    reader.parser.allow_body(max_body);
    return reader.feed({});
  }
  return reader.parser.now();
}

void check_parser(std::string_view input, std::uint8_t seed) {
  fed_parser whole{request_limits{}};
  const auto now = feed(whole, input);
  require(whole.parser.body().size() <= max_body, "too much was kept");
  fed_parser pieces{request_limits{}};
  std::size_t fed = 0;
  auto state_of_pieces = state::head;
  in_pieces(input, seed, [&](std::string_view piece) {
    fed += piece.size();
    state_of_pieces = feed(pieces, piece);
    return state_of_pieces == state::head || state_of_pieces == state::body;
  });
  require(now == state_of_pieces, "pieces end otherwise");
  if (now == state::refused)
    require(
      whole.parser.refusal().code == pieces.parser.refusal().code, "pieces are refused otherwise");
  if (now != state::complete)
    return;
  require(whole.parser.body() == pieces.parser.body(), "pieces give another body");
  require(
    input.substr(0, fed - pieces.unread.size())
      == input.substr(0, input.size() - whole.unread.size()),
    "pieces end elsewhere");
  while (input.starts_with("\r\n"))
    input.remove_prefix(2);
  const auto end = input.find("\r\n\r\n") + 4;
  check_head(input.substr(0, end), whole.parser.head());
  check_body(input.substr(end), whole);
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
  const loaded_socket peer{input};
  api_socket socket{peer.reader()};
  const std::atomic<std::size_t> limit{max_body};
  const reading_rules rules{&limit, std::chrono::seconds{10}, std::chrono::seconds{10}, {}, {}};
  request_reader reader{rules};
  auto outcome = request_reader::outcome::unfinished;
  while (outcome == request_reader::outcome::unfinished)
    outcome = reader.read(socket);
  require(reader.body().size() <= max_body, "too much was kept");
  require(
    outcome != request_reader::outcome::refused || reader.refusal().code != ec::request_timed_out,
    "waits for what is there");
  if (outcome != request_reader::outcome::complete)
    return;
  fed_parser parser{request_limits{}};
  require(feed(parser, input) == state::complete, "the reader sees a request more");
  require(parser.parser.body() == reader.body(), "the reader sees another body");
}

} // namespace

HERALD_FUZZ_TARGET(api_request, input) {
  input_reader in{input};
  const auto seed = in.byte();
  const auto request = in.rest();
  check_parser(request, seed);
  // The seeds of bodies alone.
  check_parser(
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string{request},
    seed);
  if (!request.empty() && request.size() < 100'000)
    check_reader(request);
}

} // namespace herald::fuzz
