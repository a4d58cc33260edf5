#include "http/service/reload.hpp"

#include <gtest/gtest.h>

#include "http/config/settings.hpp"

namespace herald {
namespace {

using keys = std::vector<std::string>;

TEST(Reload, ChangesWhatMayAndNamesWhatNeedsARestart) {
  config running;
  auto wanted = running;
  wanted.log.level = log::level::debug;
  wanted.api.port = 1;
  const auto outcome = reload(running, wanted);
  EXPECT_EQ(outcome.changed, keys{"log.level"});
  EXPECT_EQ(outcome.needs_restart, keys{"api.port"});
  EXPECT_EQ(running.log.level, log::level::debug);
  EXPECT_EQ(running.api.port, config{}.api.port);
}

/// Another value for a setting, which is good by itself.
setting_value other_than(const setting& s, const setting_value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value))
    return *number + 1;
  if (s.key == "log.level")
    return std::string{"debug"};
  if (std::holds_alternative<std::string>(value))
    return std::string{"other"};
  const bool of_origins = s.key.find("origins") != std::string_view::npos;
  return std::vector<std::string>{of_origins ? "https://other.example" : "other.example"};
}

TEST(Reload, ChangesAllThatIsLive) {
  keys live;
  for (const auto& s : settings()) {
    if (s.when != applies::live || s.file_only())
      continue;
    live.emplace_back(s.key);
    config running;
    auto wanted = running;
    const auto value = other_than(s, value_of(running, s));
    ASSERT_EQ(assign(wanted, s, value), std::nullopt) << s.key;
    EXPECT_EQ(reload(running, wanted).changed, keys{std::string{s.key}});
    EXPECT_EQ(value_of(running, s), value) << s.key;
  }
  EXPECT_GE(live.size(), 10u);
}

TEST(Reload, ChangesNothingWhereWhatIsLiveBreaksARuleWithoutTheRest) {
  config running;
  auto wanted = running;
  wanted.log.level = log::level::debug;
  wanted.api.max_event_bytes = 512;
  wanted.api.max_body_bytes = 1024;
  ASSERT_FALSE(validate(wanted));
  const auto outcome = reload(running, wanted);
  ASSERT_TRUE(outcome.broken);
  EXPECT_EQ(outcome.broken->key, "api.max_event_bytes");
  EXPECT_TRUE(outcome.changed.empty());
  EXPECT_EQ(running.log.level, log::level::info);
  EXPECT_EQ(running.api.max_body_bytes, config{}.api.max_body_bytes);
}

TEST(Reload, TakesOtherKeysOfWebhooksFromTheSameFile) {
  config running;
  running.webhook.secret_file = "keys";
  running.webhook.keys = {"one"};
  auto wanted = running;
  wanted.webhook.keys = {"other", "one"};
  EXPECT_EQ(reload(running, wanted).changed, keys{"webhook.secret_file"});
  EXPECT_EQ(running.webhook.keys, wanted.webhook.keys);
}

TEST(Reload, HasNothingToSayWhereNothingHasChanged) {
  config running;
  const auto outcome = reload(running, config{});
  EXPECT_TRUE(outcome.changed.empty());
  EXPECT_TRUE(outcome.needs_restart.empty());
}

TEST(Reload, NamesSettingsThatOnlyAFileCanSay) {
  config running;
  auto wanted = running;
  wanted.tasks.commands["backup"].argv = {"/bin/true"};
  EXPECT_EQ(
    reload(running, wanted).needs_restart, (keys{"tasks.commands", "supervision.children"}));
}

TEST(Reload, ChangesTheKeysOfTheApi) {
  config running;
  auto wanted = running;
  wanted.api.keys.push_back({"shop", std::string(64, 'a'), {}, {}, {}, {}, {}, {}, {}});
  const auto outcome = reload(running, wanted);
  EXPECT_EQ(outcome.changed, keys{"api.keys"});
  EXPECT_TRUE(outcome.needs_restart.empty());
  EXPECT_EQ(running.api.keys, wanted.api.keys);
  EXPECT_TRUE(reload(running, wanted).changed.empty());
}

TEST(Reload, TakesTheLastKeyAwayOnlyWhereTheApiMayBeOpen) {
  config running;
  running.api.host = "0.0.0.0";
  running.api.keys.push_back({"shop", std::string(64, 'a'), {}, {}, {}, {}, {}, {}, {}});
  auto wanted = running;
  wanted.api.keys.clear();
  const auto outcome = reload(running, wanted);
  ASSERT_TRUE(outcome.broken);
  EXPECT_EQ(outcome.broken->key, "api.host");
  EXPECT_EQ(running.api.keys.size(), 1u);
}

} // namespace
} // namespace herald
