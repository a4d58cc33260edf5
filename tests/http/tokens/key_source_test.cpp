#include "http/tokens/key_source.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "actors/system/owned_fd.hpp"
#include "messages/errors.hpp"
#include "tests/support/bare_listener.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/loopback_server.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tls_backend.hpp"
#include "tests/support/token_issuer.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::eventually;
using testing::jwks_of;
using testing::signing_key;
using testing::token_issuer;

const token_issuer& issuer() {
  return token_issuer::shared();
}

/// An issuer's server, whose document is what the test says at the moment.
class issuer_server : public testing::loopback_server {
public:
  issuer_server() {
    Get("/keys", [this](const httplib::Request&, httplib::Response& reply) {
      const std::lock_guard lock{mutex_};
      ++requests_;
      changed_.notify_all();
      reply.status = status_;
      if (!location_.empty())
        reply.set_header("Location", location_);
      reply.set_content(document_, "application/json");
    });
    start();
  }

  ~issuer_server() override { end(); }

  void answer(std::string document, int status = 200, std::string location = {}) {
    const std::lock_guard lock{mutex_};
    document_ = std::move(document);
    status_ = status;
    location_ = std::move(location);
  }

  [[nodiscard]] int requests() {
    const std::lock_guard lock{mutex_};
    return requests_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string document_ = "{}";
  std::string location_;
  int status_ = 200;
  int requests_ = 0;
};

class KeySource : public ::testing::Test {
protected:
  KeySource() {
    options.jwks_refresh_s = 24h;
    options.jwks_refetch_s = 24h;
    options.jwks_max_stale_s = 24h;
  }

  void open() {
    auto opened = key_source::open(options, numbers);
    ASSERT_TRUE(opened.engaged()) << describe(opened.error()).detail;
    source = std::move(*opened);
  }

  /// "SETTING DETAIL" of the failure to open it.
  std::string refused() {
    const auto opened = key_source::open(options, numbers);
    if (opened)
      return "opened";
    const auto why = describe(opened.error());
    EXPECT_EQ(describe(key_source::check_files(options)).detail, why.detail);
    return why.field + ' ' + why.detail;
  }

  [[nodiscard]] bool takes(const signing_key& key) const {
    return std::holds_alternative<stream_grant>(
      source->verifier()->verify(key.token(issuer().claims()), issuer().now));
  }

  [[nodiscard]] bool shows(const std::string& line) const {
    return ("\n" + numbers.render()).find("\n" + line + "\n") != std::string::npos;
  }

  [[nodiscard]] bool fetch_has_failed() const { return shows("herald_auth_keys_failing 1"); }

  testing::temporary_folder files;
  metrics numbers;
  auth_options options = token_issuer::rules();
  std::unique_ptr<key_source> source;
};

TEST_F(KeySource, HasKeysOfFilesFromTheStart) {
  options.secret_file = files.write("secret", issuer().secret + "\n");
  options.jwks_file = files.write("keys", jwks_of({issuer().ec, issuer().rsa}));
  EXPECT_FALSE(key_source::check_files(options));
  open();
  EXPECT_TRUE(source->has_keys());
  for (const auto& key : {issuer().hmac, issuer().ec, issuer().rsa})
    EXPECT_TRUE(takes(key)) << key.algorithm();
  EXPECT_FALSE(takes(issuer().ed));
  EXPECT_TRUE(shows("herald_auth_keys 2"));
  // Nothing will bring a key that is not known.
  EXPECT_EQ(source->miss("new", [](bool) { ADD_FAILURE(); }), key_outlook::none);
}

TEST_F(KeySource, NamesTheSettingOfAFileThatIsNotGood) {
  const auto secret = [&](const std::string& file) {
    options.secret_file = file;
    return refused();
  };
  const auto gone = (files / "gone").string();
  EXPECT_EQ(secret(gone), "auth.secret_file " + gone + " cannot be read");
  EXPECT_EQ(
    secret(files.path().string()), "auth.secret_file " + files.path().string() + " cannot be read");
  EXPECT_EQ(
    secret(files.write("short", std::string(31, 's') + '\n')),
    "auth.secret_file must have at least 32 bytes");
  EXPECT_EQ(secret(files.write("empty", "")), "auth.secret_file must have at least 32 bytes");
  const auto book = files.write("book", std::string(4097, 's'));
  EXPECT_EQ(secret(book), "auth.secret_file " + book + " has more than 4096 bytes");
  options.secret_file = "";
  const auto jwks = [&](const std::string& file) {
    options.jwks_file = file;
    return refused();
  };
  EXPECT_EQ(jwks(gone), "auth.jwks_file " + gone + " cannot be read");
  EXPECT_EQ(jwks(files.write("none", "{}")), "auth.jwks_file keys must be an array of keys");
  EXPECT_EQ(jwks(files.write("no-key", R"({"keys":[]})")), "auth.jwks_file keys has no key of use");
  options.max_jwks_bytes = 1024;
  const auto large = files.write("large", std::string(1025, ' '));
  EXPECT_EQ(jwks(large), "auth.jwks_file " + large + " has more than 1024 bytes");
}

TEST_F(KeySource, ReadsFilesUpToTheirLimits) {
  const std::string longest(4096, 's');
  const auto document = jwks_of({issuer().ec});
  options.secret_file = files.write("secret", longest);
  options.jwks_file = files.write("keys", document);
  options.max_jwks_bytes = document.size();
  open();
  EXPECT_TRUE(takes(signing_key::secret(longest)));
  EXPECT_TRUE(takes(issuer().ec));
}

TEST_F(KeySource, ReadsFilesAgain) {
  const auto other = signing_key::secret(std::string(40, 't'));
  options.secret_file = files.write("secret", issuer().secret);
  options.jwks_file = files.write("keys", jwks_of({issuer().ec}));
  open();
  const auto before = source->verifier();
  EXPECT_EQ(source->reload(), std::nullopt);
  // Nothing has changed, and whoever remembers tokens may go on.
  EXPECT_EQ(source->verifier(), before);
  files.write("secret", std::string(40, 't'));
  files.write("keys", jwks_of({issuer().ed}));
  EXPECT_EQ(source->reload(), std::nullopt);
  EXPECT_TRUE(takes(other));
  EXPECT_TRUE(takes(issuer().ed));
  EXPECT_FALSE(takes(issuer().hmac));
  EXPECT_FALSE(takes(issuer().ec));
}

TEST_F(KeySource, KeepsTheKeysOfAFileThatIsNotGoodAnyMore) {
  options.secret_file = files.write("secret", issuer().secret);
  options.jwks_file = files.write("keys", jwks_of({issuer().ec}));
  open();
  files.write("secret", "short");
  files.write("keys", jwks_of({issuer().ed}));
  const auto why = source->reload();
  ASSERT_TRUE(why.has_value());
  EXPECT_EQ(describe(*why).field, "auth.secret_file");
  EXPECT_TRUE(takes(issuer().hmac));
  // The other one is good, and counts.
  EXPECT_TRUE(takes(issuer().ed));
  files.write("keys", "{");
  EXPECT_TRUE(source->reload().has_value());
  EXPECT_TRUE(takes(issuer().ed));
}

TEST_F(KeySource, FetchesTheDocument) {
  issuer_server server;
  server.answer(jwks_of({issuer().ec}));
  options.jwks_url = server.url("/keys");
  open();
  EXPECT_TRUE(eventually([&] { return source->has_keys(); }));
  EXPECT_TRUE(takes(issuer().ec));
  EXPECT_TRUE(
    eventually([&] { return shows(R"(herald_auth_key_fetches_total{result="fetched"} 1)"); }));
}

TEST_F(KeySource, FetchesByTls) {
  const testing::tls_backend server;
  std::string escaped;
  for (const unsigned char c : jwks_of({issuer().ed})) {
    constexpr const char* digits = "0123456789abcdef";
    escaped += {'%', digits[c >> 4U], digits[c & 15U]};
  }
  options.jwks_url = server.url("/text/" + escaped);
  open();
  EXPECT_TRUE(eventually([&] { return fetch_has_failed(); }));
  EXPECT_FALSE(source->has_keys());
  source.reset();
  options.ca_file = server.ca_file();
  open();
  EXPECT_TRUE(eventually([&] { return source->has_keys(); }));
  EXPECT_TRUE(takes(issuer().ed));
}

TEST_F(KeySource, StartsWithoutItsSourceAndFindsItLater) {
  issuer_server server;
  server.answer("not yet", 503);
  options.jwks_url = server.url("/keys");
  options.jwks_refetch_s = 20ms;
  open();
  EXPECT_TRUE(eventually([&] { return fetch_has_failed(); }));
  EXPECT_FALSE(source->has_keys());
  server.answer(jwks_of({issuer().ec}));
  EXPECT_TRUE(eventually([&] { return source->has_keys(); }));
  EXPECT_TRUE(takes(issuer().ec));
  EXPECT_TRUE(eventually([&] { return shows("herald_auth_keys_failing 0"); }));
}

TEST_F(KeySource, StartsWhereNobodyListens) {
  testing::bare_listener gone;
  options.secret_file = files.write("secret", issuer().secret);
  options.jwks_url = gone.url() + "/keys";
  gone.close();
  open();
  EXPECT_TRUE(eventually([&] { return fetch_has_failed(); }));
  EXPECT_TRUE(shows(R"(herald_auth_key_fetches_total{result="failed"} 1)"));
  // The secret does not wait for the source.
  EXPECT_TRUE(takes(issuer().hmac));
  EXPECT_EQ(source->miss("new", [](bool) { ADD_FAILURE(); }), key_outlook::later);
}

TEST_F(KeySource, KeepsItsKeysWhileTheSourceIsAway) {
  issuer_server server;
  server.answer(jwks_of({issuer().ec}));
  options.jwks_url = server.url("/keys");
  options.jwks_refetch_s = 10ms;
  open();
  ASSERT_TRUE(eventually([&] { return source->has_keys(); }));
  const auto before = source->verifier();
  struct answer {
    const char* what;
    std::string document;
    int status;
    std::string location;
  };
  for (const auto& [what, document, status, location] : std::vector<answer>{
         {"down", "", 503, ""},
         {"another page", "<html>", 200, ""},
         {"no keys", R"({"keys":[]})", 200, ""},
         {"10 MB", std::string(10'000'000, ' '), 200, ""},
         {"elsewhere", "", 302, "http://169.254.169.254/latest/meta-data/"}}) {
    server.answer(document, status, location);
    EXPECT_FALSE(source->reload().has_value());
    EXPECT_TRUE(eventually([&] { return fetch_has_failed(); })) << what;
    EXPECT_EQ(source->verifier(), before) << what;
    server.answer(jwks_of({issuer().ec}));
    EXPECT_TRUE(eventually([&] { return !fetch_has_failed(); })) << what;
    EXPECT_EQ(source->verifier(), before) << what;
  }
}

TEST_F(KeySource, GivesUpASourceThatIsSlow) {
  const testing::bare_listener silent;
  options.jwks_url = silent.url() + "/keys";
  options.jwks_timeout_ms = 50ms;
  open();
  EXPECT_TRUE(eventually([&] { return fetch_has_failed(); }));
}

TEST_F(KeySource, EndsDuringAFetch) {
  const testing::bare_listener silent;
  options.jwks_url = silent.url() + "/keys";
  options.jwks_timeout_ms = 10min;
  open();
  const owned_fd client{silent.take()};
  bool told = false;
  EXPECT_EQ(source->miss("new", [&](bool) { told = true; }), key_outlook::soon);
  source.reset();
  EXPECT_FALSE(told);
}

TEST_F(KeySource, DropsKeysThatAreTooOld) {
  issuer_server server;
  server.answer(jwks_of({issuer().ec}));
  options.secret_file = files.write("secret", issuer().secret);
  options.jwks_url = server.url("/keys");
  options.jwks_refetch_s = 10ms;
  options.jwks_max_stale_s = 1ms;
  open();
  ASSERT_TRUE(eventually([&] { return takes(issuer().ec); }));
  server.answer("", 503);
  EXPECT_FALSE(source->reload().has_value());
  EXPECT_TRUE(eventually([&] { return !takes(issuer().ec); }));
  EXPECT_TRUE(takes(issuer().hmac));
  EXPECT_TRUE(shows("herald_auth_keys 0"));
  server.answer(jwks_of({issuer().ec}));
  EXPECT_TRUE(eventually([&] { return takes(issuer().ec); }));
}

TEST_F(KeySource, FetchesForATokenWhoseKeyIsNotKnown) {
  issuer_server server;
  server.answer(jwks_of({issuer().ec}));
  options.jwks_url = server.url("/keys");
  options.jwks_refetch_s = 1ms;
  open();
  ASSERT_TRUE(eventually([&] { return takes(issuer().ec); }));
  // The issuer rotates its keys: the new one is good, and the old one is not any more.
  server.answer(jwks_of({issuer().ed}));
  std::atomic<int> finals = 0;
  EXPECT_TRUE(eventually([&] {
    return source->miss("new", [&](bool final) { finals += final ? 1 : 0; }) == key_outlook::soon;
  }));
  EXPECT_TRUE(eventually([&] { return finals == 1; }));
  EXPECT_TRUE(takes(issuer().ed));
  EXPECT_FALSE(takes(issuer().ec));
}

TEST_F(KeySource, TellsWhoWaitsThatTheSourceIsAway) {
  issuer_server server;
  server.answer(jwks_of({issuer().ec}));
  options.jwks_url = server.url("/keys");
  options.jwks_refetch_s = 1ms;
  open();
  ASSERT_TRUE(eventually([&] { return takes(issuer().ec); }));
  server.answer("", 503);
  std::atomic<int> told = 0;
  std::atomic<int> finals = 0;
  EXPECT_TRUE(eventually([&] {
    return source->miss("new", [&](bool final) {
      finals += final ? 1 : 0;
      ++told;
    }) == key_outlook::soon;
  }));
  EXPECT_TRUE(eventually([&] { return told == 1; }));
  EXPECT_EQ(finals, 0);
}

TEST_F(KeySource, TellsWhoCameDuringAFetchThatAnotherMayBringTheKey) {
  const testing::bare_listener slow;
  options.jwks_url = slow.url() + "/keys";
  open();
  const owned_fd client{slow.take()};
  std::atomic<int> told = 0;
  std::atomic<int> finals = 0;
  EXPECT_EQ(
    source->miss(
      "new",
      [&](bool final) {
        finals += final ? 1 : 0;
        ++told;
      }),
    key_outlook::soon);
  const auto document = jwks_of({issuer().ec});
  const auto answer =
    "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(document.size()) + "\r\n\r\n" + document;
  ASSERT_EQ(
    ::write(client.get(), answer.data(), answer.size()), static_cast<ssize_t>(answer.size()));
  EXPECT_TRUE(eventually([&] { return told == 1; }));
  EXPECT_EQ(finals, 0);
  EXPECT_TRUE(takes(issuer().ec));
}

TEST_F(KeySource, IsNotAskedMoreOftenThanAllowed) {
  issuer_server server;
  server.answer(jwks_of({issuer().ec}));
  options.jwks_url = server.url("/keys");
  open();
  ASSERT_TRUE(eventually([&] { return takes(issuer().ec); }));
  ASSERT_TRUE(eventually([&] { return source->miss("new", [](bool) {}) == key_outlook::later; }));
  for (int i = 0; i != 1000; ++i)
    EXPECT_EQ(source->miss(std::to_string(i), [](bool) { ADD_FAILURE(); }), key_outlook::later);
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(KeySource, FetchesAgainByItself) {
  issuer_server server;
  server.answer(jwks_of({issuer().ec}));
  options.jwks_url = server.url("/keys");
  options.jwks_refresh_s = 5ms;
  open();
  ASSERT_TRUE(eventually([&] { return takes(issuer().ec); }));
  server.answer(jwks_of({issuer().ed}));
  EXPECT_TRUE(eventually([&] { return takes(issuer().ed); }));
  EXPECT_FALSE(takes(issuer().ec));
}

} // namespace
} // namespace herald
