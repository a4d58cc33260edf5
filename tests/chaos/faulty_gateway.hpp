#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace herald::testing {

/// An SSE Gateway as herald sees it, `POST /internal/send` and nothing else, whose answers are ours
/// to spoil. Keeps what each token was sent.
class faulty_gateway {
public:
  enum class mood : std::uint8_t {
    good,
    failing,   ///< 500 to everything
    slow,      ///< each answer takes its time
    resetting, ///< takes a send, or does not, and hangs up without an answer
    hanging,   ///< never answers
  };

  faulty_gateway();
  faulty_gateway(const faulty_gateway&) = delete;
  faulty_gateway& operator=(const faulty_gateway&) = delete;
  ~faulty_gateway() { crash(); }

  [[nodiscard]] std::string url() const;
  void be(mood how) { mood_ = how; }

  /// A stream is open here.
  void open(const std::string& token);
  /// All connections die, streams are forgotten, nobody listens.
  void crash();
  /// Listens again, on the same port.
  void start();
  /// Listens elsewhere, with sockets that are made by what is handed to `inside`.
  void move(std::string address, std::function<void(const std::function<void()>&)> inside);
  /// Its connections end, streams and listener stay. What tells the other side of it, the network
  /// may lose.
  void hang_up();

  /// The data of what a token was sent, in the order in which it came.
  [[nodiscard]] std::vector<std::string> sent_to(const std::string& token) const;

private:
  void accept_all(int listener);
  void serve(int fd);
  bool answer(int fd, const std::string& body);
  int status_of(const std::string& body);

  void listen();

  std::uint16_t port_;
  std::string address_ = "127.0.0.1";
  std::function<void(const std::function<void()>&)> inside_ = [](const auto& make) {
    make();
  };
  std::atomic<mood> mood_ = mood::good;
  std::atomic<bool> stopping_ = false;
  int listener_ = -1;
  std::thread acceptor_;

  mutable std::mutex mutex_;
  std::set<std::string> open_;
  std::map<std::string, std::vector<std::string>> sent_;
  std::vector<std::thread> connections_;
  std::set<int> descriptors_;
};

} // namespace herald::testing
