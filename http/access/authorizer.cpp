#include "http/access/authorizer.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "actors/telemetry/log.hpp"
#include "messages/text/ascii.hpp"

namespace herald {

namespace {

using kind = post_outcome::kind;

/// An application that is away would fill the log.
constexpr std::chrono::seconds log_pause{1};
/// What a question takes beside its headers.
constexpr std::size_t question_bytes = 512;

prometheus::Counter& questions(metrics& numbers, const char* result) {
  return numbers.counter(
    "herald_auth_questions_total", "Questions to the application who a page is",
    {{"result", result}});
}

curl_client_options client_options(const auth_options& options) {
  curl_client_options client;
  client.ca_file = options.ca_file;
  client.max_connections = options.authorize_connections;
  client.max_redirects = 0;
  client.name = "auth-questions";
  return client;
}

/// As libcurl takes them: it would leave one out that ends with its colon.
std::vector<std::string> lines_of(const header_list& headers) {
  std::vector<std::string> lines;
  lines.reserve(headers.size());
  for (const auto& [name, value] : headers) {
    const bool empty = value.find_first_not_of(" \t") == std::string::npos;
    auto& line = lines.emplace_back(name);
    line += empty ? ";" : ": ";
    if (!empty)
      line += value;
  }
  return lines;
}

/// By these a connection itself is somebody's: the next question over it would be, too.
bool binds_connection(const header_list& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const auto& header) {
    if (!same_ignoring_case(header.first, "Authorization"))
      return false;
    const auto scheme = ascii_lower(header.second.substr(0, header.second.find(' ')));
    return scheme == "negotiate" || scheme == "ntlm";
  });
}

authorize_verdict
verdict_of(const curl_outcome& how, const auth_options& options, wall_time asked) {
  // These count whatever becomes of their body.
  const bool refuses = how.status == 401 || how.status == 403;
  if (how.what != kind::answered && !refuses)
    return no_answer{how.why};
  return read_authorize_answer({how.status, how.body, how.challenge}, options, asked);
}

} // namespace

authorizer::authorizer(auth_options options, metrics& numbers)
  : options_(std::move(options)),
    url_(parse_http_url(options_.authorize_url).value_or(http_url{})),
    granted_(questions(numbers, "granted")),
    refused_(questions(numbers, "refused")),
    timed_out_(questions(numbers, "timed_out")),
    unreachable_(questions(numbers, "unreachable")),
    bad_answers_(questions(numbers, "bad_answer")),
    no_room_(questions(numbers, "no_room")),
    given_up_(questions(numbers, "given_up")),
    opened_(numbers.counter(
      "herald_auth_question_connections_total", "Connections opened for such questions")),
    failing_(numbers.gauge(
      "herald_auth_questions_failing", "1 while the application has given no answer that counts")),
    shown_(numbers.gauge("herald_auth_questions", "Questions that are asked, or wait for it")),
    shown_bytes_(numbers.gauge("herald_auth_question_bytes", "Memory of those")),
    duration_(numbers.latency(
      "herald_auth_question_seconds", "From when a page is asked about until the answer.")),
    client_(client_options(options_)) {}

authorizer::~authorizer() = default;

std::optional<authorizer::number> authorizer::ask(const header_list& headers, handler over) {
  question added{lines_of(headers), question_bytes,
                 clock::now(),      std::chrono::system_clock::now(),
                 std::move(over),   binds_connection(headers)};
  for (const auto& line : added.headers)
    added.bytes += line.size();
  const std::lock_guard lock{mutex_};
  const bool waits = under_way_.size() >= options_.authorize_connections;
  if (
    added.bytes > options_.authorize_max_bytes - std::min(bytes_, options_.authorize_max_bytes)
    || (waits && waiting_.size() >= options_.authorize_max_waiting)) {
    no_room_.Increment();
    return std::nullopt;
  }
  bytes_ += added.bytes;
  const auto which = ++last_;
  if (waits)
    waiting_.emplace(which, std::move(added));
  else
    put(which, added);
  show();
  return which;
}

void authorizer::forget(number which) {
  const std::lock_guard lock{mutex_};
  if (const auto found = waiting_.find(which); found != waiting_.end()) {
    bytes_ -= found->second.bytes;
    waiting_.erase(found);
    given_up_.Increment();
    show();
    return;
  }
  // It is answered all the same: ended, it would cost its connection, and the application no less.
  if (const auto found = under_way_.find(which); found != under_way_.end())
    found->second.over = nullptr;
}

/// With the lock.
void authorizer::put(number which, question& what) {
  curl_client::order order;
  order.url = url_;
  order.deadline = what.begun + options_.authorize_timeout_ms;
  order.get = true;
  order.headers = std::move(what.headers);
  order.max_body_bytes = options_.authorize_max_answer_bytes;
  order.alone = what.alone;
  order.done = [this, which](const curl_outcome& how) {
    ended(which, how);
  };
  under_way_.emplace(which, std::move(what));
  client_.post(std::move(order));
}

/// With the lock. Gives those whose time is over before their turn.
std::vector<authorizer::question> authorizer::put_next() {
  std::vector<question> late;
  while (!waiting_.empty() && under_way_.size() < options_.authorize_connections) {
    auto next = waiting_.extract(waiting_.begin());
    auto& what = next.mapped();
    if (what.begun + options_.authorize_timeout_ms > clock::now()) {
      put(next.key(), what);
      continue;
    }
    bytes_ -= what.bytes;
    late.push_back(std::move(what));
  }
  return late;
}

void authorizer::ended(number which, const curl_outcome& how) {
  question over;
  std::vector<question> late;
  {
    const std::lock_guard lock{mutex_};
    over = std::move(under_way_.extract(which).mapped());
    bytes_ -= over.bytes;
    late = put_next();
    show();
  }
  conclude(over, how);
  for (const auto& one : late)
    conclude(one, {kind::timed_out, 0, "no answer in time, as others have none"});
}

void authorizer::conclude(const question& what, const curl_outcome& how) {
  opened_.Increment(static_cast<double>(how.opened));
  duration_.Observe(std::chrono::duration<double>(clock::now() - what.begun).count());
  auto said = verdict_of(how, options_, what.asked);
  count(said, how);
  const auto* const nothing = std::get_if<no_answer>(&said);
  failing_.Set(nothing == nullptr ? 0 : 1);
  if (nothing != nullptr)
    tell_failure(nothing->why);
  if (what.over)
    what.over(std::move(said));
}

void authorizer::count(const authorize_verdict& said, const curl_outcome& how) {
  if (std::holds_alternative<stream_grant>(said))
    granted_.Increment();
  else if (std::holds_alternative<turned_down>(said))
    refused_.Increment();
  else if (how.what == kind::timed_out)
    timed_out_.Increment();
  else if (how.what != kind::answered && how.status == 0)
    unreachable_.Increment();
  else
    bad_answers_.Increment();
}

/// On the client's thread alone.
void authorizer::tell_failure(const std::string& why) {
  const auto now = clock::now();
  if (logged_ && now - *logged_ < log_pause) {
    ++unlogged_;
    return;
  }
  logged_ = now;
  log::warning(
    "auth-questions", "not_answered", {{"why", why}, {"unlogged", std::exchange(unlogged_, 0)}});
}

/// With the lock.
void authorizer::show() {
  shown_.Set(static_cast<double>(waiting_.size() + under_way_.size()));
  shown_bytes_.Set(static_cast<double>(bytes_));
}

} // namespace herald
