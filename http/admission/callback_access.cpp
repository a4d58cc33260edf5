#include "http/admission/callback_access.hpp"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <utility>

#include "http/access/authorize_question.hpp"
#include "http/access/authorizer.hpp"
#include "http/access/ticket_book.hpp"

namespace herald {

namespace {

using std::chrono::system_clock;
using awaited = stream_access::awaited;

/// What a thread waits for, until it is there or the page has left. Shared, as it may come after
/// nobody waits for it any longer.
template <class Answer>
class awaited_answer {
public:
  void give(Answer answer) {
    const std::lock_guard lock{mutex_};
    answer_ = std::move(answer);
    over_.notify_all();
  }
  void leave() {
    const std::lock_guard lock{mutex_};
    has_left_ = true;
    over_.notify_all();
  }
  [[nodiscard]] std::optional<Answer> wait_until(callback_access::time_point until) {
    std::unique_lock lock{mutex_};
    over_.wait_until(lock, until, [&] { return answer_ || has_left_; });
    return answer_;
  }
  [[nodiscard]] bool has_left() {
    const std::lock_guard lock{mutex_};
    return has_left_;
  }

private:
  std::mutex mutex_;
  std::condition_variable over_;
  std::optional<Answer> answer_;
  bool has_left_ = false;
};

} // namespace

/// One of the threads that may wait at once, if there is room for it.
class callback_access::place {
public:
  /// `leave` ends the wait; it is called while others are held up.
  place(callback_access& all, const token& stream, std::function<void()> leave)
    : all_(all),
      stream_(stream),
      leave_(std::move(leave)) {
    const std::lock_guard lock{all_.mutex_};
    if (all_.waiting_.size() >= all_.options_.auth.max_waiting_callbacks) {
      all_.refused_.Increment();
      return;
    }
    all_.waiting_.emplace(stream_, this);
    taken_ = true;
    show();
  }
  ~place() {
    if (!taken_)
      return;
    const std::lock_guard lock{all_.mutex_};
    const auto [first, last] = all_.waiting_.equal_range(stream_);
    all_.waiting_.erase(
      std::find_if(first, last, [this](const auto& one) { return one.second == this; }));
    show();
  }
  place(const place&) = delete;
  place& operator=(const place&) = delete;

  [[nodiscard]] bool taken() const noexcept { return taken_; }
  void leave() const { leave_(); }

private:
  void show() const { all_.shown_.Set(static_cast<double>(all_.waiting_.size())); }

  callback_access& all_;
  const token stream_;
  const std::function<void()> leave_;
  bool taken_ = false;
};

callback_access::callback_access(stream_options options, metrics& numbers)
  : options_(std::move(options)),
    findings_(numbers, "gateway"),
    access_(options_, findings_, "gateway-pages"),
    shown_(numbers.gauge(
      "herald_auth_waiting_callbacks",
      "Connects of a gateway that wait for the application, or for a key.")),
    refused_(numbers.counter(
      "herald_auth_waiting_callbacks_refused_total",
      "Connects that could not wait, as auth.max_waiting_callbacks did.")) {}

void callback_access::change_origins(std::vector<std::string> origins) {
  const std::lock_guard lock{mutex_};
  options_.cors_origins = std::move(origins);
  access_.reconfigure();
}

std::optional<callback_access::refusal> callback_access::ask(
  const request_head& page, stream_opening& opening, const token& stream, time_point until) {
  const auto fetched = std::make_shared<awaited_answer<bool>>();
  std::optional<stream_access::refusal> refused;
  {
    const std::lock_guard lock{mutex_};
    refused = access_.ask(
      page, opening, system_clock::now(), [fetched](bool final) { fetched->give(final); });
  }
  if (refused && refused->awaits == awaited::application)
    return wait_for_application(page, opening, stream, until);
  if (!refused || refused->awaits == awaited::nothing)
    return for_page(std::move(refused));
  bool final = false;
  {
    const place here{*this, stream, [&] {
                       fetched->leave();
                     }};
    if (here.taken())
      final = fetched->wait_until(until).value_or(false);
  }
  if (fetched->has_left())
    return refusal{std::nullopt, true};
  const std::lock_guard lock{mutex_};
  refused = access_.ask(page, opening, system_clock::now());
  // Its key is none of those that there are.
  if (refused && !refused->reply && final)
    refused = access_.refuse_token(opening, system_clock::now());
  return for_page(std::move(refused));
}

void callback_access::left(const token& stream) {
  const std::lock_guard lock{mutex_};
  const auto [first, last] = waiting_.equal_range(stream);
  std::for_each(first, last, [](const auto& one) { one.second->leave(); });
}

void callback_access::refused_by_owner(ec why) const {
  access_.refused_by_owner(why);
}

void callback_access::give_back(std::string_view ticket) {
  options_.tickets->give_back(ticket);
}

std::optional<callback_access::refusal>
callback_access::for_page(std::optional<stream_access::refusal> refused) {
  if (!refused)
    return std::nullopt;
  return refusal{std::move(refused->reply)};
}

std::optional<callback_access::refusal> callback_access::wait_for_application(
  const request_head& page, stream_opening& opening, const token& stream, time_point until) {
  const auto told = std::make_shared<awaited_answer<authorize_verdict>>();
  authorize_verdict said = no_answer{"too many pages are asked about"};
  {
    const place here{*this, stream, [&] {
                       told->leave();
                     }};
    std::optional<authorizer::number> question;
    // What a proxy says of where the page is, the gateway may have let through from anybody.
    if (here.taken())
      question = options_.questions->ask(
        question_headers(page, {}, false),
        [told](authorize_verdict answer) { told->give(std::move(answer)); });
    if (question) {
      auto answer = told->wait_until(until);
      if (!answer)
        options_.questions->forget(*question);
      said = std::move(answer).value_or(no_answer{"no answer in time"});
    }
  }
  if (told->has_left())
    return refusal{std::nullopt, true};
  const std::lock_guard lock{mutex_};
  return for_page(access_.take(said, opening, system_clock::now()));
}

} // namespace herald
