#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <httplib.h>

namespace herald::testing {

/// An application that is asked who pages are, at `/authorize`. What it is asked anywhere else it
/// remembers, and answers with 404.
class asked_application {
public:
  /// Answers a question; runs on a thread of the server's.
  using rule = std::function<void(const httplib::Request&, httplib::Response&)>;

  /// At a port that is free, or at this one. A grant for `ann` where nothing else is said.
  explicit asked_application(int port = 0);
  asked_application(const asked_application&) = delete;
  asked_application& operator=(const asked_application&) = delete;
  /// Lets go of whom it holds.
  ~asked_application();

  [[nodiscard]] std::string url() const;
  void answer_by(rule how);
  /// 200 and this body.
  void answer_with(std::string body);
  /// What comes from now on waits.
  void hold();
  void let_go();

  /// What has come, in its order.
  [[nodiscard]] std::vector<httplib::Request> questions() const;
  [[nodiscard]] std::size_t count() const { return questions().size(); }
  [[nodiscard]] bool wait_for_questions(std::size_t count) const;

private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

} // namespace herald::testing
