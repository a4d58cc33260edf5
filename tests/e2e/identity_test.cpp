#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/child_program.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/nginx_server.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/standing_proxy.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/web_application.hpp"

// Whose a page is, in real browsers: what they send and refuse to send, and whether the scripts of
// deploy/FRONTEND.md do with it what that says.

namespace herald {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using json = nlohmann::json;

const std::string e2e = HERALD_SOURCE_DIR "/tests/e2e/";

/// Browsers take as much of a machine to start as a test is else given.
constexpr auto patience_for_a_browser = 2 * patience;

std::string in_a_query(const std::string& text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0)
      escaped += c;
    else
      escaped.append({'%', digits[byte / 16], digits[byte % 16]});
  }
  return escaped;
}

std::string at(const std::string& host, std::uint16_t port) {
  return host + ":" + std::to_string(port);
}

/// What a page is given to do, as a query: names and values.
using order = std::vector<std::pair<std::string, std::string>>;

std::string page_at(const std::string& origin, const order& what) {
  auto url = origin + "/?";
  for (const auto& [name, value] : what)
    url.append(name).append("=").append(in_a_query(value)).append("&");
  return url;
}

class real_browser {
public:
  /// Trusts `certificate`, if there is one, for these hosts.
  real_browser(
    const std::string& program, const std::string& url, const std::string& certificate = {},
    const std::vector<std::string>& hosts = {}) {
    std::vector<std::string> call = {
      "python3", e2e + "clients/open_page.py", program, folder_.path().string(), url};
    if (!certificate.empty())
      call.push_back(certificate);
    call.insert(call.end(), hosts.begin(), hosts.end());
    program_.emplace(std::move(call));
  }

private:
  temporary_folder folder_;
  std::optional<child_program> program_;
};

/// A herald that asks for credentials, and an application whose user has them.
class identified {
public:
  void start_herald(std::vector<std::string> more = {}) {
    herald.reset();
    auto arguments = web_application::settings(folder.path());
    arguments.insert(
      arguments.end(), {"--auth-mode", "required", "--auth-leeway-s", "0", "--api-port",
                        std::to_string(api_port), "--stream-port", std::to_string(stream_port),
                        "--journal-path", (folder / "journal").string(), "--stream-retry-ms", "100",
                        "--shutdown-retry-window-ms", "0"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    herald.emplace(std::move(arguments));
    api.emplace(herald->api_port());
  }

  /// To the page's user alone.
  void publish(int number) {
    const json event{{"event", "note"}, {"subject", "ann"}, {"data", number}};
    EXPECT_EQ(api->post("/api/events", event.dump()).status, 202);
  }
  [[nodiscard]] bool has_notes(std::size_t count) const {
    return eventually([&] { return app.count("note") >= count; });
  }
  /// The page has had these notes, each once and in order, and missed nothing.
  void expect_notes(int count) const {
    const auto notes = app.seen("note");
    ASSERT_EQ(notes.size(), static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
      EXPECT_EQ(notes[static_cast<std::size_t>(i)]["data"], std::to_string(i));
    EXPECT_EQ(app.count("gap"), 0u);
  }

  [[nodiscard]] std::size_t connections() {
    return json_of(api->get("/api/connections"))["total"].get<std::size_t>();
  }
  [[nodiscard]] bool wait_for_the_page() {
    return eventually([this] { return connections() == 1; }, patience_for_a_browser);
  }
  /// Ends the page's stream. What is published then waits for it to come back.
  void cut() { EXPECT_EQ(api->del("/api/connections/page").status, 204); }

  /// At this error of the page its EventSource has stopped for good.
  [[nodiscard]] bool is_turned_away(std::size_t times = 1) const {
    const auto closed = [&] {
      const auto errors = app.seen("error");
      return errors.size() >= times && errors[times - 1]["readyState"] == 2;
    };
    return eventually(closed, patience_for_a_browser);
  }
  [[nodiscard]] std::int64_t found(const std::string& result) {
    return static_cast<std::int64_t>(
      metric(*api, "herald_auth_total{port=\"stream\",result=\"" + result + "\"}"));
  }

  [[nodiscard]] std::string streams(const std::string& host = "127.0.0.1") const {
    return "http://" + at(host, stream_port);
  }
  [[nodiscard]] std::string application(const std::string& host = "127.0.0.1") const {
    return "http://" + at(host, app.port());
  }

  temporary_folder folder;
  std::uint16_t api_port = free_port();
  std::uint16_t stream_port = free_port();
  std::optional<herald_process> herald;
  std::optional<http_client> api;
  web_application app{e2e + "identity.html", api_port};
  std::optional<real_browser> browser;
};

void skip_without(const std::string& program) {
  if (!has_program(program))
    GTEST_SKIP() << program << " is not installed";
}

/// In one of the browsers, `chromium` or `firefox-esr`.
class BrowserIdentity : public ::testing::TestWithParam<const char*>, protected identified {
protected:
  void SetUp() override { skip_without(GetParam()); }
  void open(const std::string& url) { browser.emplace(GetParam(), url); }
};

// From 127.0.0.1 to localhost: of another site.

TEST_P(BrowserIdentity, OpensByATicketAcrossSitesAndComesBackWithTheSameUrl) {
  start_herald();
  open(page_at(
    application(), {{"way", "ticket"}, {"herald", streams("localhost")}, {"request_id", "page"}}));
  ASSERT_TRUE(wait_for_the_page());
  publish(0);
  ASSERT_TRUE(has_notes(1));
  cut();
  publish(1);
  publish(2);
  ASSERT_TRUE(has_notes(3));
  EXPECT_EQ(app.asked(), 1u) << "of the same ticket";
  EXPECT_EQ(app.count("open"), 2u);
  expect_notes(3);
}

/// It has had no event, and is away when there are some.
TEST_P(BrowserIdentity, LosesNothingOfAQuietStreamThatIsCut) {
  start_herald({"--stream-retry-ms", "1500"});
  open(page_at(
    application(), {{"way", "ticket"}, {"herald", streams("localhost")}, {"request_id", "page"}}));
  ASSERT_TRUE(eventually([&] { return app.count("cursor") == 1; }, patience_for_a_browser));
  cut();
  publish(0);
  publish(1);
  EXPECT_EQ(connections(), 0u) << "it is away";
  ASSERT_TRUE(has_notes(2));
  publish(2);
  ASSERT_TRUE(has_notes(3));
  EXPECT_EQ(app.asked(), 1u);
  expect_notes(3);
}

TEST_P(BrowserIdentity, GetsANewTicketFromAHeraldThatWasKilled) {
  start_herald();
  open(page_at(
    application(), {{"way", "ticket"}, {"herald", streams("localhost")}, {"request_id", "page"}}));
  ASSERT_TRUE(eventually([&] { return app.count("cursor") == 1; }, patience_for_a_browser));
  herald->kill();
  start_herald();
  publish(0);
  ASSERT_TRUE(has_notes(1));
  publish(1);
  ASSERT_TRUE(has_notes(2));
  EXPECT_GE(app.asked(), 2u);
  expect_notes(2);
}

TEST_P(BrowserIdentity, ReadsByFetchWithATokenAcrossSites) {
  start_herald();
  open(page_at(
    application(), {{"way", "fetch"}, {"herald", streams("localhost")}, {"request_id", "page"}}));
  ASSERT_TRUE(wait_for_the_page());
  publish(0);
  ASSERT_TRUE(has_notes(1));
  cut();
  publish(1);
  publish(2);
  ASSERT_TRUE(has_notes(3));
  expect_notes(3);
}

/// As on a developer's machine: browsers take localhost for secure.
TEST_P(BrowserIdentity, HasItsCookieOnLocalhostWithoutTls) {
  start_herald({"--stream-cors-origins", application("localhost")});
  open(page_at(
    application("localhost"),
    {{"way", "cookie"}, {"herald", streams("localhost")}, {"request_id", "page"}}));
  ASSERT_TRUE(wait_for_the_page());
  publish(0);
  ASSERT_TRUE(has_notes(1));
  cut();
  publish(1);
  ASSERT_TRUE(has_notes(2));
  expect_notes(2);
}

/// The page has had no event when its stream is about to end, and there is no stream at all when
/// there are some.
TEST_P(BrowserIdentity, LosesNothingWhereItRenewsAQuietStream) {
  start_herald();
  app.give_for(12s);
  standing_proxy proxy{stream_port};
  open(page_at(
    application(), {{"way", "ticket"},
                    {"herald", "http://" + at("localhost", proxy.port())},
                    {"request_id", "page"}}));
  ASSERT_TRUE(wait_for_the_page());
  app.hold();
  ASSERT_TRUE(eventually([&] { return app.count("expired") >= 1; }));
  app.give_for(1h);
  proxy.pass_to(free_port());
  app.let_go();
  ASSERT_TRUE(eventually([&] { return proxy.told() >= 1 && connections() == 0; }));
  publish(0);
  publish(1);
  proxy.pass_to(stream_port);
  ASSERT_TRUE(has_notes(2));
  publish(2);
  ASSERT_TRUE(has_notes(3));
  expect_notes(3);
}

TEST_P(BrowserIdentity, IsTurnedAwayForGoodWithoutAGoodCredential) {
  start_herald({"--stream-cors-origins", application("localhost")});
  for (const std::string more : {"", "&ticket=none"}) {
    const auto before = app.count("error");
    open(page_at(
      application("localhost"),
      {{"way", "plain"}, {"stream", streams("localhost") + stream_target("page") + more}}));
    ASSERT_TRUE(is_turned_away(before + 1)) << more;
  }
  EXPECT_EQ(app.count("open"), 0u);
  EXPECT_EQ(found("missing"), 1) << "and has not come again";
  EXPECT_EQ(found("invalid"), 1);
}

TEST_P(BrowserIdentity, AsksForNoCredentialsOnceItsUserIsSignedOut) {
  start_herald();
  open(page_at(
    application(), {{"way", "ticket"}, {"herald", streams("localhost")}, {"request_id", "page"}}));
  ASSERT_TRUE(wait_for_the_page());
  app.sign_out();
  EXPECT_EQ(api->post("/api/revocations", R"({"sub":"ann"})").status, 204);
  ASSERT_TRUE(eventually([&] { return app.count("sign_in") == 1; }));
  EXPECT_EQ(connections(), 0u);
  EXPECT_EQ(app.asked(), 2u);
}

INSTANTIATE_TEST_SUITE_P(
  , BrowserIdentity, ::testing::Values("chromium", "firefox-esr"),
  [](const auto& row) { return std::string{row.param} == "chromium" ? "Chromium" : "Firefox"; });

/// Pages and streams on hosts with names, behind an nginx that has a certificate for them.
class BrowserIdentityOverTls : public BrowserIdentity {
protected:
  void SetUp() override {
    BrowserIdentity::SetUp();
    for (const auto* program : {"nginx", "openssl"})
      if (!IsSkipped())
        skip_without(program);
    if (IsSkipped())
      return;
    const auto made = run_program(
      {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
       "-nodes", "-days", "1", "-subj", "/CN=herald test", "-addext",
       "subjectAltName=DNS:*.shop.localhost,DNS:www.other.localhost", "-keyout", key, "-out",
       certificate});
    ASSERT_EQ(made.status, exited(0)) << made.standard_error;
    std::tie(nginx, port) = nginx_on_a_free_port([this](const std::string& at_port) {
      return "server { listen 127.0.0.1:" + at_port + " ssl http2; ssl_certificate " + certificate
             + "; ssl_certificate_key " + key
             + "; proxy_http_version 1.1; proxy_set_header Connection ''; "
               "proxy_set_header Host $http_host; proxy_buffering off; "
               "location = /api/sse/stream { proxy_pass http://127.0.0.1:"
             + std::to_string(stream_port) + "; } location / { proxy_pass http://127.0.0.1:"
             + std::to_string(app.port()) + "; } }";
    });
    app.set_cookies_with("Domain=shop.localhost; Path=/; HttpOnly; Secure; SameSite=Lax");
    start_herald({"--stream-cors-origins", origin(shop) + "," + origin(other_site)});
  }

  [[nodiscard]] std::string origin(const std::string& host) const {
    return "https://" + at(host, port);
  }
  void open(const std::string& url) {
    std::vector<std::string> hosts;
    for (const auto& host : {shop, events, other_page, other_site})
      hosts.push_back(at(host, port));
    browser.emplace(GetParam(), url, certificate, hosts);
  }
  /// A page of this host, once the shop has given its user the cookie, opens a stream with it.
  void go_on_to(const std::string& host) {
    const auto page =
      page_at(origin(host), {{"way", "plain"}, {"stream", origin(events) + stream_target("page")}});
    open(page_at(origin(shop), {{"next", page}}));
  }

  const std::string shop = "www.shop.localhost";
  const std::string events = "events.shop.localhost";
  /// Of the same site, and not listed.
  const std::string other_page = "blog.shop.localhost";
  /// Listed.
  const std::string other_site = "www.other.localhost";
  std::string key = (folder / "key.pem").string();
  std::string certificate = (folder / "certificate.pem").string();
  std::unique_ptr<nginx_server> nginx;
  std::uint16_t port = 0;
};

TEST_P(BrowserIdentityOverTls, SendsItsCookieAcrossTheOriginsOfASite) {
  open(
    page_at(origin(shop), {{"way", "cookie"}, {"herald", origin(events)}, {"request_id", "page"}}));
  ASSERT_TRUE(wait_for_the_page());
  publish(0);
  ASSERT_TRUE(has_notes(1));
  cut();
  publish(1);
  ASSERT_TRUE(has_notes(2));
  EXPECT_EQ(app.asked(), 1u);
  expect_notes(2);
}

/// Its browser sends no Origin then.
TEST_P(BrowserIdentityOverTls, SendsItsCookieToItsOwnOrigin) {
  open(page_at(origin(other_page), {{"way", "cookie"}, {"herald", ""}, {"request_id", "page"}}));
  ASSERT_TRUE(wait_for_the_page());
  publish(0);
  ASSERT_TRUE(has_notes(1));
  expect_notes(1);
}

TEST_P(BrowserIdentityOverTls, SendsTheCookieOfAPageThatIsNotListedInVain) {
  go_on_to(other_page);
  ASSERT_TRUE(is_turned_away());
  EXPECT_EQ(metric(*api, R"(herald_stream_refused_total{reason="origin"})"), 1);
  EXPECT_EQ(app.count("open"), 0u);
}

TEST_P(BrowserIdentityOverTls, SendsNoCookieFromAnotherSite) {
  go_on_to(other_site);
  ASSERT_TRUE(is_turned_away());
  EXPECT_EQ(found("missing"), 1);
  EXPECT_EQ(app.count("open"), 0u);
}

INSTANTIATE_TEST_SUITE_P(
  , BrowserIdentityOverTls, ::testing::Values("chromium", "firefox-esr"),
  [](const auto& row) { return std::string{row.param} == "chromium" ? "Chromium" : "Firefox"; });

/// A page that renews its credential again and again: in which browser, and which way.
class BrowserRenewal : public ::testing::TestWithParam<std::tuple<const char*, const char*>>,
                       protected identified {};

TEST_P(BrowserRenewal, HasEachEventOnceAndInOrder) {
  const auto& [program, way] = GetParam();
  skip_without(program);
  if (IsSkipped())
    return;
  start_herald({"--auth-renew-s", "2", "--stream-cors-origins", application("localhost")});
  app.give_for(4s);
  browser.emplace(
    program, page_at(
               application("localhost"),
               {{"way", way}, {"herald", streams("localhost")}, {"request_id", "page"}}));
  ASSERT_TRUE(wait_for_the_page());
  // As fast as the page reports them, with some under way at every moment.
  int published = 0;
  const auto before = app.asked();
  while (app.asked() < before + 4) {
    publish(published++);
    ASSERT_TRUE(
      eventually([&] { return app.count("note") + 20 >= static_cast<std::size_t>(published); }));
  }
  ASSERT_TRUE(has_notes(static_cast<std::size_t>(published)));
  expect_notes(published);
}

INSTANTIATE_TEST_SUITE_P(
  , BrowserRenewal,
  ::testing::Combine(
    ::testing::Values("chromium", "firefox-esr"), ::testing::Values("cookie", "ticket", "fetch")),
  [](const auto& row) {
    const std::string browser = std::get<0>(row.param);
    return (browser == "chromium" ? "Chromium_" : "Firefox_") + std::string{std::get<1>(row.param)};
  });

} // namespace
} // namespace herald
