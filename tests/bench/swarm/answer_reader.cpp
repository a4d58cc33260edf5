#include "tests/bench/swarm/answer_reader.hpp"

#include "tests/bench/swarm/http_head.hpp"

namespace herald::bench {

std::size_t answer_reader::read_head(std::string_view bytes) {
  const auto head = find_http_head(bytes);
  if (!head) {
    keep(bytes);
    return 0;
  }
  if (head->status != 200) {
    now_ = state::refused;
    rest_ = bytes.substr(0, bytes.find('\r'));
    return 0;
  }
  now_ = state::open;
  chunked_ = head->chunked;
  return head->bytes;
}

std::size_t answer_reader::unwrap(char* bytes, std::size_t size) {
  if (!chunked_)
    return size;
  const auto body = chunks_.decode(bytes, size);
  if (!body)
    now_ = state::malformed;
  else if (chunks_.ended())
    now_ = state::ended;
  return body.value_or(0);
}

void answer_reader::keep(std::string_view bytes) {
  if (bytes.size() > max_answer_line)
    now_ = state::malformed;
  rest_ = bytes;
}

} // namespace herald::bench
