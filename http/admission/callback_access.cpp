#include "http/admission/callback_access.hpp"

#include <future>
#include <memory>
#include <utility>

#include "http/access/authorize_question.hpp"
#include "http/access/authorizer.hpp"
#include "http/access/ticket_book.hpp"

namespace herald {

namespace {

using std::chrono::system_clock;
using awaited = stream_access::awaited;

} // namespace

callback_access::callback_access(stream_options options, metrics& numbers)
  : options_(std::move(options)),
    findings_(numbers, "gateway"),
    access_(options_, findings_, "gateway-pages") {}

void callback_access::change_origins(std::vector<std::string> origins) {
  const std::lock_guard lock{mutex_};
  options_.cors_origins = std::move(origins);
  access_.reconfigure();
}

std::optional<callback_access::refusal>
callback_access::ask(const request_head& page, stream_opening& opening, time_point until) {
  auto refused = wait_for_key(page, opening, until);
  if (refused && refused->awaits == awaited::application)
    refused = wait_for_application(page, opening, until);
  if (!refused)
    return std::nullopt;
  return refusal{std::move(refused->reply)};
}

void callback_access::refused_by_owner(ec why) const {
  access_.refused_by_owner(why);
}

void callback_access::give_back(std::string_view ticket) {
  options_.tickets->give_back(ticket);
}

std::optional<stream_access::refusal>
callback_access::wait_for_key(const request_head& page, stream_opening& opening, time_point until) {
  // Shared: a fetch may be over after nobody waits for it any longer.
  const auto fetched = std::make_shared<std::promise<bool>>();
  auto over = fetched->get_future();
  {
    const std::lock_guard lock{mutex_};
    auto refused = access_.ask(
      page, opening, system_clock::now(), [fetched](bool final) { fetched->set_value(final); });
    if (!refused || refused->awaits != awaited::key)
      return refused;
  }
  const bool final = over.wait_until(until) == std::future_status::ready && over.get();
  const std::lock_guard lock{mutex_};
  auto refused = access_.ask(page, opening, system_clock::now());
  // Its key is none of those that there are.
  if (refused && !refused->reply && final)
    refused = access_.refuse_token(opening, system_clock::now());
  return refused;
}

std::optional<stream_access::refusal> callback_access::wait_for_application(
  const request_head& page, stream_opening& opening, time_point until) {
  const auto told = std::make_shared<std::promise<authorize_verdict>>();
  auto answer = told->get_future();
  // What a proxy says of where the page is, the gateway may have let through from anybody.
  const auto question =
    options_.questions->ask(question_headers(page, {}, false), [told](authorize_verdict said) {
      told->set_value(std::move(said));
    });
  authorize_verdict said = no_answer{"too many pages are asked about"};
  if (question && answer.wait_until(until) == std::future_status::ready) {
    said = answer.get();
  } else if (question) {
    options_.questions->forget(*question);
    said = no_answer{"no answer in time"};
  }
  const std::lock_guard lock{mutex_};
  return access_.take(said, opening, system_clock::now());
}

} // namespace herald
