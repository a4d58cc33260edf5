#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/child_program.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/webhook_receiver.hpp"

namespace herald {
namespace {

using namespace testing;

constexpr const char* secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* other_secret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A receiver that knows Standard Webhooks by a library of other people's.
class StandardWebhooks : public ::testing::Test {
protected:
  void SetUp() override {
    if (!has_program("node"))
      GTEST_SKIP() << "node is not installed";
    receiver.emplace(std::vector<std::string>{
      "node", HERALD_SOURCE_DIR "/tests/e2e/clients/webhooks.mjs", secret});
    ASSERT_TRUE(eventually([&] { return !told().empty() || !receiver->running(); }));
    if (receiver->wait(std::chrono::milliseconds{0}) == exited(77))
      GTEST_SKIP() << receiver->standard_error();
    ASSERT_FALSE(told().empty()) << receiver->standard_error();
  }

  /// All that it has told, its port first.
  std::vector<nlohmann::json> told() {
    std::vector<nlohmann::json> lines;
    std::istringstream output{receiver->standard_output()};
    for (std::string line; std::getline(output, line);)
      if (auto one = nlohmann::json::parse(line, nullptr, false); one.is_object())
        lines.push_back(std::move(one));
    return lines;
  }

  /// What it is told of a stream by a herald that signs with these secrets.
  std::string told_of_a_stream(const std::string& secrets) {
    const auto before = told().size();
    std::ofstream{folder / "secrets"} << secrets;
    const herald_process herald{
      {"--webhook-url", "http://127.0.0.1:" + told()[0]["port"].dump() + "/hooks",
       "--webhook-secret-file", (folder / "secrets").string()}};
    sse_client page{herald.stream_port(), stream_target("d%C3%A9j%C3%A0%20vu")};
    EXPECT_TRUE(page.open());
    EXPECT_TRUE(eventually([&] { return told().size() > before; }));
    return in_short(told().at(before));
  }

  temporary_folder folder;
  std::optional<child_program> receiver;
};

TEST_F(StandardWebhooks, AreWhatHeraldSends) {
  EXPECT_EQ(told_of_a_stream(secret), "stream.opened d\xc3\xa9j\xc3\xa0 vu");
}

TEST_F(StandardWebhooks, MayBeSignedByTwoSecretsWhileTheyChange) {
  EXPECT_EQ(
    told_of_a_stream(std::string{other_secret} + "\n" + secret + "\n"),
    "stream.opened d\xc3\xa9j\xc3\xa0 vu");
}

TEST_F(StandardWebhooks, AreRefusedWhereTheSecretIsAnother) {
  EXPECT_NE(told_of_a_stream(other_secret).find("refused"), std::string::npos);
}

} // namespace
} // namespace herald
