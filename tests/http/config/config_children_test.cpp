#include "http/config/config_children.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/config/config_file.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

/// A file with these children.
std::string children(const std::string& text) {
  return R"({"supervision": {"children": )" + text + "}}";
}

std::string wrong_with(const std::string& text) {
  config c;
  return apply_config_file(c, text).value_or("");
}

const child_options& child(const config& c, const char* kind) {
  return c.supervision.children.find(kind)->second;
}

TEST(ConfigChildren, SetWhatIsNamedAndNothingElse) {
  config c;
  ASSERT_EQ(
    apply_config_file(c, children(R"({"connection-registry": {
           "restart": "transient", "shutdown_ms": 1500, "min_backoff_ms": 20, "max_backoff_ms": 900,
           "random_factor": 0.5, "max_mailbox": 7, "when_full": "drop_oldest"},
         "stream-loop": {"random_factor": 1}})")),
    std::nullopt);
  const auto& registry = child(c, "connection-registry");
  EXPECT_EQ(registry.restart, restart_type::transient);
  EXPECT_EQ(registry.shutdown_ms, 1500ms);
  EXPECT_EQ(registry.min_backoff_ms, 20ms);
  EXPECT_EQ(registry.max_backoff_ms, 900ms);
  EXPECT_EQ(registry.random_factor, 0.5);
  EXPECT_EQ(registry.mailbox.max, 7u);
  EXPECT_EQ(registry.mailbox.action, when_full::drop_oldest);
  EXPECT_EQ(child(c, "stream-loop").random_factor, 1.0);
  const config standard;
  EXPECT_EQ(child(c, "stream-loop").shutdown_ms, child(standard, "stream-loop").shutdown_ms);
  EXPECT_EQ(child(c, "version-store").mailbox.max, child(standard, "version-store").mailbox.max);
}

TEST(ConfigChildren, HaveEveryKindOfChild) {
  for (const auto& kind : child_kinds())
    EXPECT_EQ(wrong_with(children("{\"" + std::string{kind.name} + "\": {}}")), "");
}

TEST(ConfigChildren, CountTheirInstancesInTheSettingForIt) {
  config c;
  ASSERT_EQ(
    apply_config_file(
      c, children(R"({"gateway-sender": {"instances": 16}, "task-worker": {"instances": 3},
                      "stream-loop": {"instances": 2}})")),
    std::nullopt);
  EXPECT_EQ(c.gateway.senders, 16u);
  EXPECT_EQ(c.tasks.workers, 3u);
  EXPECT_EQ(c.stream.threads, 2u);
}

TEST(ConfigChildren, AgreeWithTheOtherNameOfTheSetting) {
  const auto both = [](int here, int there) {
    return R"({"gateway": {"senders": )" + std::to_string(there)
           + R"(}, "supervision": {"children": {"gateway-sender": {"instances": )"
           + std::to_string(here) + "}}}}";
  };
  EXPECT_EQ(wrong_with(both(4, 4)), "");
  EXPECT_EQ(
    wrong_with(both(4, 5)),
    "supervision.children.gateway-sender.instances and gateway.senders are one setting: give one "
    "of them, or both the same");
}

TEST(ConfigChildren, LetTheLaterOfTwoFilesSayHowManyThereAre) {
  config c;
  ASSERT_EQ(apply_config_file(c, R"({"gateway": {"senders": 5}})"), std::nullopt);
  ASSERT_EQ(
    apply_config_file(c, children(R"({"gateway-sender": {"instances": 4}})")), std::nullopt);
  EXPECT_EQ(c.gateway.senders, 4u);
  ASSERT_EQ(apply_config_file(c, R"({"gateway": {"senders": 6}})"), std::nullopt);
  EXPECT_EQ(c.gateway.senders, 6u);
}

TEST(ConfigChildren, SayWhatIsWrong) {
  struct bad {
    std::string text;
    std::string complaint;
  };
  const std::string prefix = "supervision.children.";
  const auto registry = [](const std::string& field) {
    return R"({"connection-registry": {)" + field + "}}";
  };
  const auto of_registry = [&](const std::string& rest) {
    return prefix + "connection-registry." + rest;
  };
  for (const auto& [text, complaint] : std::vector<bad>{
         {"[]", "supervision.children must be an object of children, not []"},
         {R"({"conection-registry": {}})",
          prefix
            + "conection-registry is not an actor of herald; the nearest is connection-registry"},
         {R"({"version-store": 3})", prefix + "version-store must be an object of fields, not 3"},
         {registry(R"("restrat": "permanent")"),
          of_registry("restrat is not a field of a child; the nearest is restart")},
         {registry(R"("restart": "always")"),
          of_registry("restart must be one of permanent, transient, temporary, not \"always\"")},
         {registry(R"("restart": 1)"),
          of_registry("restart must be one of permanent, transient, temporary, not 1")},
         {registry(R"("shutdown_ms": 0)"),
          of_registry("shutdown_ms must be a whole number from 1 to 600000, not 0")},
         {registry(R"("min_backoff_ms": "1")"),
          of_registry("min_backoff_ms must be a whole number from 0 to 600000, not \"1\"")},
         {registry(R"("max_backoff_ms": 600001)"),
          of_registry("max_backoff_ms must be a whole number from 0 to 600000, not 600001")},
         {registry(R"("random_factor": 1.1)"),
          of_registry("random_factor must be a number from 0 to 1, not 1.1")},
         {registry(R"("random_factor": "0.2")"),
          of_registry("random_factor must be a number from 0 to 1, not \"0.2\"")},
         {registry(R"("max_mailbox": -1)"),
          of_registry("max_mailbox must be a whole number from 0 to 100000000, not -1")},
         {registry(R"("when_full": "block")"),
          of_registry("when_full must be one of reject, drop_oldest, not \"block\"")},
         {registry(R"("instances": 2)"),
          of_registry("instances cannot be set: herald has one connection-registry")},
         {R"({"gateway-sender": {"instances": 0}})",
          prefix + "gateway-sender.instances must be a whole number from 1 to 256, not 0"},
         {R"({"task-worker": {"max_mailbox": 5}})",
          prefix
            + "task-worker.max_mailbox cannot be set: nothing that waits for a task-worker may be "
              "refused"}})
    EXPECT_EQ(wrong_with(children(text)), complaint);
}

TEST(ConfigChildren, KeepTheLeastBackoffBelowTheGreatest) {
  config c;
  c.supervision.children["task-runner"].min_backoff_ms = 100ms;
  c.supervision.children["task-runner"].max_backoff_ms = 99ms;
  const auto broken = validate(c);
  ASSERT_TRUE(broken);
  EXPECT_EQ(
    broken->rule, "supervision.children.task-runner.min_backoff_ms must not be more than "
                  "supervision.children.task-runner.max_backoff_ms");
}

TEST(ConfigChildren, KnowOneStrategy) {
  EXPECT_EQ(wrong_with(R"({"supervision": {"strategy": "one_for_one"}})"), "");
  EXPECT_EQ(
    wrong_with(R"({"supervision": {"strategy": "one_for_all"}})"),
    "supervision.strategy must be one_for_one, not \"one_for_all\"");
}

TEST(ConfigChildren, ArePrintedAsTheyAreRead) {
  config c;
  ASSERT_EQ(
    apply_config_file(c, children(R"({"gateway-sender": {"instances": 16, "restart": "temporary"},
                      "version-store": {"max_mailbox": 9, "random_factor": 0.25}})")),
    std::nullopt);
  config again;
  ASSERT_EQ(apply_config_file(again, print_config(c)), std::nullopt);
  EXPECT_EQ(print_config(again), print_config(c));
  EXPECT_EQ(again.gateway.senders, 16u);
  EXPECT_EQ(child(again, "gateway-sender").restart, restart_type::temporary);
  EXPECT_EQ(child(again, "version-store").random_factor, 0.25);
}

} // namespace
} // namespace herald
