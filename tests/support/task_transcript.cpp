#include "tests/support/task_transcript.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace herald::testing {

void task_transcript::note(const publish& order) {
  EXPECT_FALSE(order.wait);
  for (const auto& d : order.drafts) {
    EXPECT_EQ(d.name, "task_event");
    EXPECT_EQ(d.to, expected_);
    EXPECT_EQ(d.service, service_type::task);
    const auto event = nlohmann::ordered_json::parse(d.data);
    EXPECT_EQ(event.size(), 5u) << d.data;
    EXPECT_EQ(event.at("seq"), by_task_[event.at("task_id")].size() + 1) << d.data;
    EXPECT_EQ(event.at("timestamp").get<std::string>().size(), 24u) << d.data;
    auto line = event.at("event_type").get<std::string>() + " " + event.at("data").dump();
    all_.push_back(line);
    by_task_[event.at("task_id")].push_back(std::move(line));
  }
}

std::vector<std::string> task_transcript::of(const task_id& id) const {
  const auto found = by_task_.find(id.str());
  return found == by_task_.end() ? std::vector<std::string>{} : found->second;
}

} // namespace herald::testing
