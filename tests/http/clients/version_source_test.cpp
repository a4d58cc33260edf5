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
#include "tests/support/scripted_server.hpp"
#include "tests/support/tls_backend.hpp"

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
    server.Get(R"(/hops/(\d+))", [](const httplib::Request& request, httplib::Response& response) {
      const auto left = std::stoi(request.matches[1]);
      response.set_redirect(left == 1 ? "/version" : "/hops/" + std::to_string(left - 1));
    });
    server.Get("/beside/here", [](const httplib::Request&, httplib::Response& response) {
      response.set_redirect("there");
    });
    server.Get("/beside/there", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("1", "application/json");
    });
    server.Get("/elsewhere", [](const httplib::Request& request, httplib::Response& response) {
      response.set_redirect(request.get_param_value("to"));
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

  /// Brackets are none of a query's characters.
  static std::string escaped(const std::string& url) {
    std::string made;
    for (const char c : url)
      made += c == '[' ? "%5B" : c == ']' ? "%5D" : std::string(1, c);
    return made;
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

TEST_F(VersionSource, FollowsAsManyRedirectsAsItMay) {
  EXPECT_EQ(failure_of(base() + "/hops/3"), ec::none);
  EXPECT_EQ(failure_of(base() + "/hops/4"), ec::upstream_refused);
}

TEST_F(VersionSource, FollowsARelativeRedirect) {
  const auto document = fetch(base() + "/beside/here");
  ASSERT_TRUE(document);
  EXPECT_EQ(*document, "1");
}

TEST_F(VersionSource, FollowsNoRedirectToAnAddressOfAnotherHostThatIsNotPublic) {
  const auto port = base().substr(base().rfind(':'));
  for (const auto& host : {"localhost", "127.0.0.2", "[::ffff:127.0.0.1]", "0.0.0.0"}) {
    accepted_encoding.clear();
    const auto to = escaped("http://" + (host + port) + "/version");
    const auto document = fetch(base() + "/elsewhere?to=" + to);
    ASSERT_FALSE(document) << host;
    const auto why = describe(document.error());
    EXPECT_EQ(why.code, ec::upstream_refused) << host;
    EXPECT_NE(why.detail.find("not public"), std::string::npos) << why.detail;
    EXPECT_EQ(accepted_encoding, "") << host << " was asked";
  }
  for (const auto* host : {"169.254.169.254", "10.0.0.1", "192.168.0.1", "[fe80::1]", "[fd00::1]"})
    EXPECT_EQ(
      failure_of(base() + "/elsewhere?to=" + escaped(std::string{"http://"} + host + "/")),
      ec::upstream_refused)
      << host;
}

TEST_F(VersionSource, TakesAnswersThatOtherClientsTake) {
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
  for (const std::string& answer :
       {hints + hints + "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"v\": 1 }",
        std::string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "4;a=b\r\n{\"v\"\r\n3 ; c=\"d;e\"\r\n:1}\r\n0\r\nDigest: x\r\n\r\n"},
        std::string{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n\xef\xbb\xbf{\"v\":1}"},
        std::string{"HTTP/1.0 200 OK\r\n\r\n{\"v\":1}"}}) {
    const testing::scripted_server other{"\r\n\r\n", {{answer}}};
    const auto document = fetch(other.url());
    ASSERT_TRUE(document) << describe(document.error()).detail << ": " << answer;
    EXPECT_EQ(*document, R"({"v":1})");
  }
}

TEST_F(VersionSource, RefusesAHeadWithoutEnd) {
  std::string head = "HTTP/1.1 200 OK\r\n";
  while (head.size() < 100'000)
    head += "X: " + std::string(1000, 'x') + "\r\n";
  const testing::scripted_server other{"\r\n\r\n", {{head + "Content-Length: 1\r\n\r\n1"}}};
  EXPECT_EQ(failure_of(other.url()), ec::upstream_unavailable);
}

TEST_F(VersionSource, FetchesOverTlsFromWhomAnAuthorityVouchesFor) {
  const testing::tls_backend secure;
  version_source_options options;
  options.timeout = 10s;
  options.url = secure.url("/redirect/302//callback");
  EXPECT_FALSE(fetch_version_document(options)) << "nobody vouches for it";
  options.ca_file = secure.ca_file();
  const auto document = fetch_version_document(options);
  ASSERT_TRUE(document) << describe(document.error()).detail;
  EXPECT_EQ(*document, "{}");
  options.url = secure.url("/redirect/302/" + base() + "/version");
  EXPECT_FALSE(fetch_version_document(options)) << "plain after TLS";
  EXPECT_EQ(accepted_encoding, "") << "plain after TLS";
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

} // namespace
} // namespace herald
