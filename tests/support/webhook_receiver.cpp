#include "tests/support/webhook_receiver.hpp"

#include <fstream>
#include <set>
#include <stdexcept>

#include "tests/support/eventually.hpp"

namespace herald::testing {

namespace {

constexpr const char* secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

} // namespace

webhook_receiver::webhook_receiver() : port_(free_port()) {
  std::ofstream{secret_file()} << secret << '\n';
}

void webhook_receiver::start() {
  program_.emplace(std::vector<std::string>{
    "python3", HERALD_SOURCE_DIR "/tests/support/webhook_receiver.py", std::to_string(port_),
    (folder_ / "events").string(), secret});
  const auto listens = [this] {
    return !program_->standard_output().empty();
  };
  if (!eventually([&] { return listens() || !program_->running(); }) || !listens())
    throw std::runtime_error{"the receiver has not started: " + program_->standard_error()};
}

void webhook_receiver::kill() {
  program_->signal(SIGKILL);
  program_->wait();
}

std::vector<nlohmann::json> webhook_receiver::arrivals() const {
  std::vector<nlohmann::json> all;
  std::ifstream file{folder_ / "events"};
  for (std::string line; std::getline(file, line);)
    // The last one may have been cut off.
    if (auto one = nlohmann::json::parse(line, nullptr, false); one.is_object())
      all.push_back(std::move(one));
  return all;
}

std::vector<nlohmann::json> webhook_receiver::events() const {
  std::set<std::string> seen;
  auto all = arrivals();
  std::erase_if(all, [&](const nlohmann::json& event) {
    return event.contains("id") && !seen.insert(event["id"].get<std::string>()).second;
  });
  return all;
}

std::vector<std::string> webhook_receiver::told(std::size_t count) const {
  std::vector<std::string> all;
  (void)eventually([&] {
    all.clear();
    for (const auto& event : events())
      all.push_back(in_short(event));
    return all.size() >= count;
  });
  return all;
}

std::string in_short(const nlohmann::json& event) {
  if (!event.contains("type"))
    return event.dump();
  auto text = event["type"].get<std::string>();
  for (const auto* name : {"request_id", "topic", "type", "status", "reason"})
    if (const auto found = event["data"].find(name);
        found != event["data"].end() && found->is_string())
      text += ' ' + found->get<std::string>();
  return text;
}

} // namespace herald::testing
