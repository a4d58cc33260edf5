#include "http/service/start_words.hpp"

#include <string>
#include <variant>

#include <gtest/gtest.h>

namespace herald {
namespace {

/// As main has them, to be written into.
struct words {
  explicit words(std::vector<std::string> given) : texts(std::move(given)) {
    for (auto& text : texts)
      pointers.push_back(text.data());
    pointers.push_back(nullptr);
  }
  [[nodiscard]] int count() const { return static_cast<int>(texts.size()); }

  std::vector<std::string> texts;
  std::vector<char*> pointers;
};

TEST(StartWords, WipeSecretsAndKeepThemForTheNextReading) {
  words arguments{{"herald", "--callback-secret", "first", "--version-url=http://v/?key=a"}};
  words variables{{"HERALD_CALLBACK_URL=http://b/c?key=b", "HERALD_STREAM_PORT=7", "PATH=/bin"}};
  const start_words start{arguments.count(), arguments.pointers.data(), variables.pointers.data()};
  start_words::hide_secrets(
    arguments.count(), arguments.pointers.data(), variables.pointers.data());
  EXPECT_EQ(arguments.texts[2], "*****");
  EXPECT_EQ(arguments.texts[3], "--version-url=***************");
  EXPECT_EQ(variables.texts[0], "HERALD_CALLBACK_URL=****************");
  EXPECT_EQ(variables.texts[1], "HERALD_STREAM_PORT=7");
  EXPECT_EQ(variables.texts[2], "PATH=/bin");
  const auto loaded = start.load();
  ASSERT_TRUE(std::holds_alternative<run_options>(loaded));
  const auto& settings = std::get<run_options>(loaded).settings;
  EXPECT_EQ(settings.callback.secret, "first");
  EXPECT_EQ(settings.version.url, "http://v/?key=a");
  EXPECT_EQ(settings.callback.url, "http://b/c?key=b");
  EXPECT_EQ(settings.stream.port, 7);
}

} // namespace
} // namespace herald
