#include "http/clients/curl_client.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/bare_listener.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/tls_backend.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using kind = post_outcome::kind;

class CurlClient : public ::testing::Test {
protected:
  void use(curl_client_options options = {}) {
    options.ca_file = server.ca_file();
    client = std::make_unique<curl_client>(std::move(options));
  }

  /// POSTs and waits for the outcome.
  curl_outcome post(const std::string& url, std::chrono::milliseconds time = testing::patience) {
    return outcome_of(order_of(url, time));
  }

  curl_outcome outcome_of(curl_client::order order) {
    const auto url = order.url.text();
    std::size_t before = 0;
    {
      const std::lock_guard lock{mutex};
      before = outcomes.size();
    }
    submit(std::move(order));
    std::unique_lock lock{mutex};
    const bool told =
      changed.wait_for(lock, 2 * testing::patience, [&] { return outcomes.size() > before; });
    EXPECT_TRUE(told) << url;
    return told ? outcomes.back() : curl_outcome{};
  }

  static curl_client::order
  order_of(const std::string& url, std::chrono::milliseconds time = testing::patience) {
    return {*parse_http_url(url), "{\"a\":1}", curl_client::clock::now() + time, false, nullptr};
  }

  void submit(const std::string& url) { submit(order_of(url)); }
  void submit(curl_client::order order) {
    order.done = [this](const curl_outcome& how) {
      const std::lock_guard lock{mutex};
      outcomes.push_back(how);
      changed.notify_all();
    };
    client->post(std::move(order));
  }

  /// "POST /callback {"a":1}" of the last request.
  [[nodiscard]] std::string last() const {
    const auto asked = server.requests().back();
    return asked["method"].get<std::string>() + ' ' + asked["path"].get<std::string>() + ' '
           + asked["body"].get<std::string>();
  }

  testing::tls_backend server;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<curl_outcome> outcomes;
  std::unique_ptr<curl_client> client;
};

TEST_F(CurlClient, PostsJsonOverTlsAndKeepsTheConnection) {
  use();
  for (int i = 0; i < 3; ++i) {
    const auto how = post(server.url("/callback?secret=s"));
    EXPECT_EQ(how.what, kind::answered) << how.why;
    EXPECT_EQ(how.status, 200u);
    EXPECT_EQ(how.opened, i == 0 ? 1u : 0u);
    EXPECT_EQ(last(), "POST /callback?secret=s {\"a\":1}");
  }
  const auto all = server.requests();
  EXPECT_EQ(all.at(0)["type"], "application/json");
  EXPECT_EQ(all.at(2)["peer"], all.at(0)["peer"]);
}

TEST_F(CurlClient, PassesTheStatusOn) {
  use();
  for (const unsigned status : {204U, 400U, 403U, 500U}) {
    const auto how = post(server.url("/status/" + std::to_string(status)));
    EXPECT_EQ(how.what, kind::answered);
    EXPECT_EQ(how.status, status);
  }
}

TEST_F(CurlClient, TrustsNoCertificateOfAnUnknownAuthority) {
  client = std::make_unique<curl_client>(curl_client_options{});
  const auto how = post(server.url("/callback"));
  EXPECT_EQ(how.what, kind::unreachable);
  EXPECT_NE(how.why.find("certificate"), std::string::npos) << how.why;
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(CurlClient, TrustsNoCertificateOfAnotherName) {
  use();
  const auto how = post(server.url("/callback", "localhost"));
  EXPECT_EQ(how.what, kind::unreachable);
}

TEST_F(CurlClient, FollowsRedirectsWithinTheHostAsFetchDoes) {
  use();
  const std::string body = " {\"a\":1}";
  for (const auto& [status, request] :
       {std::pair{"307", "POST /callback" + body},
        {"308", "POST /callback" + body},
        std::pair<const char*, std::string>{"301", "GET /callback "},
        {"302", "GET /callback "},
        {"303", "GET /callback "}})
    for (const auto* location : {"/callback", "https://@HOST/callback", "//@HOST/callback"}) {
      const auto how = post(server.url(std::string{"/redirect/"} + status + '/' + location));
      EXPECT_EQ(how.what, kind::answered) << how.why;
      EXPECT_EQ(how.status, 200u) << status << ' ' << location;
      EXPECT_EQ(last(), request) << status << ' ' << location;
    }
}

TEST_F(CurlClient, FollowsNoRedirectToAnotherHostOrToAPlainConnection) {
  use();
  for (const auto* location :
       {"https://localhost/callback", "https://127.0.0.2/callback", "http://@HOST/callback",
        "ftp://@HOST/callback", "https://user@@HOST/callback", ""}) {
    const auto before = server.requests().size();
    const auto how = post(server.url(std::string{"/redirect/307/"} + location));
    EXPECT_EQ(how.what, kind::answered) << location;
    EXPECT_EQ(how.status, 307u) << location;
    EXPECT_EQ(server.requests().size(), before + 1) << location;
  }
}

TEST_F(CurlClient, EndsAChainOfRedirects) {
  curl_client_options options;
  options.max_redirects = 2;
  use(options);
  EXPECT_EQ(post(server.url("/redirect/307//redirect/307//callback")).status, 200u);
  EXPECT_EQ(post(server.url("/redirect/307//redirect/307//redirect/307//callback")).status, 307u);
}

TEST_F(CurlClient, SaysWhatDidNotComeInTime) {
  use();
  const testing::bare_listener silent;
  const auto how = post(silent.url(), 100ms);
  EXPECT_EQ(how.what, kind::timed_out);
}

TEST_F(CurlClient, SaysThatNobodyIsThere) {
  use();
  const auto how = post("https://127.0.0.1:" + std::to_string(testing::free_port()) + "/");
  EXPECT_EQ(how.what, kind::unreachable);
  EXPECT_FALSE(how.why.empty());
}

TEST_F(CurlClient, GoesByTheStatusWhateverTheBody) {
  use();
  for (const std::string& body :
       {"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + std::string(900'000, 'x'),
        std::string{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"},
        std::string{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}}) {
    testing::scripted_server other{"}", {{body}}};
    const auto how = post(other.url());
    EXPECT_EQ(how.what, kind::answered) << how.why;
    EXPECT_EQ(how.status, 200u);
    use();
  }
}

TEST_F(CurlClient, GetsABodyThatIsWanted) {
  use();
  const auto get = [&](const std::string& answer, std::size_t most) {
    testing::scripted_server other{"\r\n\r\n", {{answer}}};
    curl_client::order order;
    order.url = *parse_http_url(other.url());
    order.deadline = curl_client::clock::now() + testing::patience;
    order.get = true;
    order.max_body_bytes = most;
    const auto how = outcome_of(std::move(order));
    use();
    return how;
  };
  const std::string head = "HTTP/1.1 401 No\r\nWWW-Authenticate:  Bearer a \r\n"
                           "www-authenticate: Basic\r\nContent-Length: ";
  auto how = get(head + "5\r\n\r\nabcde", 5);
  EXPECT_EQ(how.what, kind::answered) << how.why;
  EXPECT_EQ(how.status, 401u);
  EXPECT_EQ(how.body, "abcde");
  EXPECT_EQ(how.challenge, "Bearer a");
  how = get(head + "6\r\n\r\nabcdef", 5);
  EXPECT_EQ(how.what, kind::unreachable);
  EXPECT_EQ(how.why, "the answer is too large");
  EXPECT_EQ(how.status, 401u);
  how = get(head + "5\r\n\r\nab", 5);
  EXPECT_EQ(how.what, kind::unreachable) << "it has no end";
  EXPECT_EQ(how.status, 401u);
}

TEST_F(CurlClient, SendsHeadersWithTheFirstRequestOfAnOrder) {
  use();
  curl_client::order order;
  order.url = *parse_http_url(server.url("/callback"));
  order.deadline = curl_client::clock::now() + testing::patience;
  order.get = true;
  order.headers = {"Content-Type: text/x-of-the-order"};
  EXPECT_EQ(outcome_of(order).status, 200u);
  EXPECT_EQ(server.requests().back()["type"], "text/x-of-the-order");
  EXPECT_EQ(last(), "GET /callback ");
  order.get = false;
  order.headers = {};
  order.url = *parse_http_url(server.url("/redirect/303//callback"));
  EXPECT_EQ(outcome_of(order).status, 200u);
  EXPECT_NE(server.requests().back()["type"], "application/json") << "of what was a POST";
}

TEST_F(CurlClient, SharesNoConnectionOfAnOrderThatIsAlone) {
  curl_client_options options;
  options.idle_time = 10min;
  use(options);
  curl_client::order order;
  order.url = *parse_http_url(server.url("/callback"));
  order.deadline = curl_client::clock::now() + testing::patience;
  for (const auto& [alone, opened] : {std::pair{false, 1U}, {true, 1U}, {true, 1U}, {false, 0U}}) {
    order.alone = alone;
    EXPECT_EQ(outcome_of(order).opened, opened);
  }
}

TEST_F(CurlClient, TellsAnOutcomeUntilThereIsMemoryForIt) {
  use();
  for (const std::size_t most : {0U, 1000U})
    for (const auto status : {"200", "500"}) {
      auto order = order_of(server.url(std::string{"/status/"} + status));
      order.max_body_bytes = most;
      auto times = std::make_shared<std::vector<curl_outcome>>();
      auto bodies = std::make_shared<std::vector<std::string>>();
      order.done = [=, this](const curl_outcome& how) {
        const std::lock_guard lock{mutex};
        times->push_back(how);
        if (times->size() < 4)
          throw std::bad_alloc{};
        changed.notify_all();
      };
      order.read = [=, this](std::string body) {
        const std::lock_guard lock{mutex};
        bodies->push_back(std::move(body));
        if (bodies->size() == 1)
          throw std::bad_alloc{};
        changed.notify_all();
      };
      client->post(std::move(order));
      std::unique_lock lock{mutex};
      // Of a body that is not wanted the first outcome is lost, with all that libcurl knows of it.
      const bool is_read = most != 0 && std::string_view{status} == "200";
      ASSERT_TRUE(changed.wait_for(lock, testing::patience, [&] {
        return times->size() == 4 && bodies->size() == (is_read ? 2 : 0);
      }));
      EXPECT_EQ(times->back().what, most == 0 ? kind::unreachable : kind::answered);
      EXPECT_EQ(times->back().body, times->at(1).body);
      EXPECT_TRUE(!is_read || bodies->at(1) == bodies->at(0));
    }
  EXPECT_EQ(post(server.url("/callback")).status, 200u);
}

TEST_F(CurlClient, TellsThatARequestCouldNotBeMadeUntilThereIsMemoryForIt) {
  use();
  auto order = order_of(server.url("/callback"));
  // libcurl takes no longer text of anybody (CURL_MAX_INPUT_LENGTH).
  curl_client_options options;
  options.ca_file = std::string(8'000'001, 'x');
  client = std::make_unique<curl_client>(options);
  std::size_t times = 0;
  order.done = [&](const curl_outcome& how) {
    const std::lock_guard lock{mutex};
    if (++times < 3)
      throw std::bad_alloc{};
    outcomes.push_back(how);
    changed.notify_all();
  };
  client->post(std::move(order));
  {
    std::unique_lock lock{mutex};
    ASSERT_TRUE(changed.wait_for(lock, testing::patience, [&] { return !outcomes.empty(); }));
  }
  EXPECT_EQ(outcomes.back().what, kind::unreachable);
  EXPECT_FALSE(outcomes.back().why.empty());
  EXPECT_EQ(times, 3u);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(CurlClient, HasManyUnderWayAtOnce) {
  use();
  constexpr std::size_t many = 100;
  for (std::size_t i = 0; i < many; ++i)
    submit(server.url("/callback"));
  std::unique_lock lock{mutex};
  ASSERT_TRUE(changed.wait_for(lock, testing::patience, [&] { return outcomes.size() == many; }));
  for (const auto& how : outcomes)
    EXPECT_EQ(how.status, 200u) << how.why;
}

TEST_F(CurlClient, TellsWhomThereWasNoMemoryToTell) {
  use();
  auto order = order_of(server.url("/callback"));
  order.done = [this](const curl_outcome& how) {
    const std::lock_guard lock{mutex};
    outcomes.push_back(how);
    changed.notify_all();
    if (outcomes.size() == 1)
      throw std::bad_alloc{};
  };
  client->post(std::move(order));
  {
    std::unique_lock lock{mutex};
    ASSERT_TRUE(changed.wait_for(lock, testing::patience, [&] { return outcomes.size() == 2; }));
    EXPECT_EQ(outcomes[0].what, kind::answered);
    EXPECT_EQ(outcomes[1].what, kind::unreachable);
    EXPECT_EQ(outcomes[1].why, "Out of memory");
  }
  EXPECT_EQ(post(server.url("/callback")).status, 200u) << "others go on";
}

TEST_F(CurlClient, EndsWithPostsUnderWay) {
  use();
  const testing::bare_listener silent;
  submit(silent.url());
  client.reset();
  EXPECT_TRUE(outcomes.empty());
}

} // namespace
} // namespace herald
