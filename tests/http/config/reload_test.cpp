#include "http/config/reload.hpp"

#include <gtest/gtest.h>

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

} // namespace
} // namespace herald
