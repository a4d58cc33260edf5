#include "http/clients/version_source.hpp"

#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <gtest/gtest.h>

#include "http/server/ask.hpp"
#include "tests/support/loopback_server.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

/// A small version server.
class VersionSource : public ::testing::Test {
protected:
  VersionSource() {
    server.Get("/version", [this](const httplib::Request& request, httplib::Response& response) {
      accepted_encoding = request.get_header_value("Accept-Encoding");
      response.set_content("{ \"version\" : 1.0 }\n", "application/json");
    });
    server.Get("/broken", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("<html>", "text/html");
    });
    server.Get("/large", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("\"" + std::string(70'000, 'x') + "\"", "application/json");
    });
    server.Get("/endless", [this](const httplib::Request&, httplib::Response& response) {
      response.set_chunked_content_provider(
        "application/json", [this](std::size_t, httplib::DataSink& sink) {
          sent += 1000;
          return sent < 100'000'000 && sink.write(std::string(1000, ' ').data(), 1000);
        });
    });
    server.Get("/hangs", [this](const httplib::Request&, httplib::Response&) { gate.wait(); });
    server.Get("/drips", [this](const httplib::Request&, httplib::Response& response) {
      response.set_chunked_content_provider(
        "application/json", [this](std::size_t, httplib::DataSink& sink) {
          return gate.wait_for(20ms) == std::future_status::timeout && sink.write(" ", 1);
        });
    });
    server.Get("/there", [](const httplib::Request&, httplib::Response& response) {
      response.set_redirect("/version");
    });
    server.Get("/far", [this](const httplib::Request&, httplib::Response& response) {
      response.set_redirect(base() + "/there", 307);
    });
    server.Get("/loop", [](const httplib::Request&, httplib::Response& response) {
      response.set_redirect("/loop");
    });
    server.Get("/file", [](const httplib::Request&, httplib::Response& response) {
      response.set_redirect("file:///etc/passwd");
    });
    server.start();
  }

  ~VersionSource() override {
    opener.set_value();
    server.end();
  }

  [[nodiscard]] std::string base() const { return server.url(""); }

  caf::expected<std::string> fetch(const std::string& url, std::chrono::milliseconds limit = 10s) {
    version_source_options options;
    options.url = url;
    options.timeout = limit;
    return fetch_version_document(options);
  }

  ec failure_of(const std::string& url, std::chrono::milliseconds limit = 10s) {
    const auto document = fetch(url, limit);
    if (document)
      return ec::none;
    const auto why = describe(document.error());
    EXPECT_EQ(why.detail.find("127.0.0.1"), std::string::npos) << why.detail;
    return why.code;
  }

  testing::loopback_server server;
  std::promise<void> opener;
  std::shared_future<void> gate = opener.get_future().share();
  std::atomic<std::size_t> sent{0};
  std::string accepted_encoding;
};

TEST_F(VersionSource, FetchesTheDocumentAsCompactJson) {
  const auto document = fetch(base() + "/version");
  ASSERT_TRUE(document);
  EXPECT_EQ(*document, R"({"version":1.0})");
  EXPECT_EQ(accepted_encoding, "identity");
}

TEST_F(VersionSource, FollowsAFewRedirects) {
  EXPECT_EQ(failure_of(base() + "/there"), ec::none);
  EXPECT_EQ(failure_of(base() + "/far"), ec::none);
  EXPECT_EQ(failure_of(base() + "/loop"), ec::upstream_refused);
  EXPECT_EQ(failure_of(base() + "/file"), ec::upstream_refused);
}

TEST_F(VersionSource, RefusesWhatIsNotAVersionDocument) {
  EXPECT_EQ(failure_of(base() + "/missing"), ec::upstream_refused);
  EXPECT_EQ(failure_of(base() + "/broken"), ec::upstream_refused);
  EXPECT_EQ(failure_of(base() + "/large"), ec::upstream_refused);
  EXPECT_EQ(failure_of(base() + "/endless"), ec::upstream_refused);
  EXPECT_LT(sent, 100'000'000u);
}

TEST_F(VersionSource, GivesUpOnSlowServers) {
  EXPECT_EQ(failure_of(base() + "/hangs", 50ms), ec::upstream_timed_out);
  EXPECT_EQ(failure_of(base() + "/drips", 200ms), ec::upstream_timed_out);
}

TEST_F(VersionSource, TellsWhenNobodyIsThere) {
  server.end();
  EXPECT_EQ(failure_of(base() + "/version"), ec::upstream_unavailable);
  EXPECT_EQ(failure_of("ftp://127.0.0.1/version"), ec::upstream_refused);
  EXPECT_EQ(failure_of(""), ec::upstream_refused);
}

TEST_F(VersionSource, AnswersAsAnActor) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  version_source_options options;
  options.url = base() + "/version";
  const auto source = spawn_version_source(system, {"version-source", {}, nullptr}, options);
  const auto document = ask<version_document>(system, source, fetch_version{});
  ASSERT_TRUE(document);
  EXPECT_EQ(document->json, R"({"version":1.0})");
  caf::anon_send_exit(source, caf::exit_reason::user_shutdown);
}

TEST(WebAddress, TakesUrlsApart) {
  const auto parts = [](std::string_view url) {
    const auto address = parse_web_address(url);
    return address ? address->origin + " " + address->target : "none";
  };
  EXPECT_EQ(parts("http://h"), "http://h /");
  EXPECT_EQ(parts("https://h:1/a/b?c=d#e"), "https://h:1 /a/b?c=d");
  EXPECT_EQ(parts("http://h?c"), "http://h /?c");
  EXPECT_EQ(parts("http://[::1]:8/x"), "http://[::1]:8 /x");
  for (const auto* url : {"", "h/x", "//h/x", "ftp://h/x", "http://", "http:///x", "http://u:p@h/"})
    EXPECT_EQ(parts(url), "none") << url;
}

TEST(WebAddress, FollowsLocations) {
  const web_address base{"https://h:1", "/a"};
  const auto followed = [&](std::string_view location) {
    const auto address = follow(base, location);
    return address ? address->origin + " " + address->target : "none";
  };
  EXPECT_EQ(followed("/b?c"), "https://h:1 /b?c");
  EXPECT_EQ(followed("http://other/b"), "http://other /b");
  EXPECT_EQ(followed("//other/b"), "https://other /b");
  EXPECT_EQ(followed("b"), "none");
  EXPECT_EQ(followed(""), "none");
  EXPECT_EQ(followed("http"), "none");
}

} // namespace
} // namespace herald
