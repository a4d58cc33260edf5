#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/loopback_server.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/token_maker.hpp"

namespace herald {
namespace {

using namespace testing;

/// Where a herald takes its keys from, beside what it wants of tokens.
std::vector<std::string> with(std::vector<std::string> more) {
  more.insert(more.end(), {"--auth-issuer=https://issuer.example", "--auth-audience=herald"});
  return more;
}

TEST(TokenKeys, OfAFileThatIsNotGoodKeepHeraldFromStarting) {
  const temporary_folder folder;
  const auto secret = folder.write("secret", "hunter2\n");
  for (const auto* action : {"--check-config", "--api-port=0"}) {
    const auto ended =
      run_herald(with({"--api-port=0", "--stream-port=0", "--auth-secret-file=" + secret, action}));
    EXPECT_EQ(ended.status, exited(1)) << action;
    EXPECT_EQ(ended.standard_error, "herald: auth.secret_file: must have at least 32 bytes\n");
  }
}

TEST(TokenKeys, AreReadAgainOnAHangup) {
  const temporary_folder folder;
  const auto keys = folder.write("keys", jwks_of({signing_key::ed25519("a")}));
  herald_process herald{with({"--auth-jwks-file=" + keys})};
  http_client api{herald.api_port()};
  EXPECT_EQ(metric(api, "herald_auth_keys"), 1);
  folder.write("keys", jwks_of({signing_key::ed25519("a"), signing_key::p256("b")}));
  herald.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return metric(api, "herald_auth_keys") == 2; }));
  folder.write("keys", "{");
  herald.signal(SIGHUP);
  EXPECT_TRUE(herald.logs("keys_not_read setting=auth.jwks_file"));
  EXPECT_EQ(metric(api, "herald_auth_keys"), 2);
}

TEST(TokenKeys, AreFetchedWhileHeraldRuns) {
  loopback_server issuer;
  issuer.Get("/keys", [&](const httplib::Request&, httplib::Response& reply) {
    reply.set_content(jwks_of({signing_key::ed25519("a")}), "application/json");
  });
  issuer.start();
  herald_process herald{with({"--auth-jwks-url=" + issuer.url("/keys?key=hunter2")})};
  http_client api{herald.api_port()};
  EXPECT_TRUE(eventually([&] { return metric(api, "herald_auth_keys") == 1; }));
  EXPECT_EQ(metric(api, "herald_auth_keys_failing"), 0);
  // It is gone: herald keeps what it has, and says so, but not with the query.
  issuer.end();
  herald.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return metric(api, "herald_auth_keys_failing") == 1; }));
  EXPECT_EQ(metric(api, "herald_auth_keys"), 1);
  const auto log = herald.full_log();
  EXPECT_NE(log.find("keys_not_fetched"), std::string::npos);
  EXPECT_EQ(log.find("hunter2"), std::string::npos);
}

} // namespace
} // namespace herald
