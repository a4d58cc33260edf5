#include "tests/support/http_client.hpp"

namespace herald::testing {

http_client::reply http_client::send(
  std::string_view method, std::string_view target, std::string_view body,
  std::string_view headers) {
  if (!ask(method, target, body, headers))
    return {};
  return answer();
}

bool http_client::ask(
  std::string_view method, std::string_view target, std::string_view body,
  std::string_view headers) {
  if (!connection_ || connection_->is_closed_now()) {
    connection_.emplace(port_);
    ++connections_;
  }
  head_only_ = method == "HEAD";
  std::string request;
  request.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  if (method != "GET" && method != "HEAD")
    request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  request.append(headers).append("\r\n").append(body);
  return connection_->connected() && connection_->send(request);
}

http_client::reply http_client::answer() {
  auto answer = connection_->read_reply(head_only_);
  if (answer.status == 0 || answer.has("connection: close"))
    connection_.reset();
  return answer;
}

nlohmann::json json_of(const http_client::reply& reply) {
  return nlohmann::json::parse(reply.body, nullptr, /*allow_exceptions=*/false);
}

} // namespace herald::testing
