#include "http/api/keyed_requests.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <caf/scoped_actor.hpp>

#include "actors/idempotency/idempotency.hpp"
#include "http/protocol/json_reply.hpp"
#include "http/server/api_dispatcher.hpp"
#include "tests/support/api_routes.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

class KeyedRequests : public testing::api_routes {
protected:
  KeyedRequests() {
    book_ = idempotency_actor{
      spawn_idempotency(system(), {"idempotency", {}, nullptr}, {300s, 1 << 20}, numbers_, {})};
    add_keyed_requests(routes, system(), book_);
    routes.add_header("Herald-Last-Event-ID", [this] { return std::to_string(++place_); });
    routes.add("POST", "/api/things", {{"wait"}}, [this](const api_request& request) {
      const auto number = ++carried_out_;
      seen_.push_back(request.once != nullptr);
      if (under_way_)
        under_way_();
      auto reply = json_reply(status_, std::to_string(number));
      reply.headers.emplace_back("Location", "/api/things/" + std::to_string(number));
      return reply;
    });
    routes.add("POST", "/api/callback", foreign_protocol, [this](const api_request&) {
      return json_reply(200, std::to_string(++carried_out_));
    });
    routes.add("POST", "/api/secrets", unkeyed_route, [this](const api_request& request) {
      seen_.push_back(request.once != nullptr);
      return json_reply(201, std::to_string(++carried_out_));
    });
    routes.add("POST", "/api/broken", no_parameters, [this](const api_request&) -> api_reply {
      ++carried_out_;
      throw std::runtime_error("broken");
    });
  }
  ~KeyedRequests() override {
    caf::scoped_actor self{system()};
    caf::anon_send_exit(book_, caf::exit_reason::kill);
    self->wait_for(book_);
  }

  api_reply
  post(std::vector<std::string> keys, const char* body = "{}", const char* target = "/api/things") {
    if (!dispatcher_)
      dispatcher_ = std::make_unique<api_dispatcher>(routes, numbers_);
    request_head head;
    head.method = "POST";
    head.target = target;
    head.headers.emplace_back("Host", "h");
    for (auto& key : keys)
      head.headers.emplace_back("idempotency-key", std::move(key));
    return dispatcher_->answer(head, body);
  }

  static std::string header(const api_reply& reply, std::string_view name) {
    std::string all;
    for (const auto& [one, value] : reply.headers)
      if (one == name)
        all += value;
    return all;
  }

  metrics numbers_;
  idempotency_actor book_;
  std::unique_ptr<api_dispatcher> dispatcher_;
  std::atomic<int> place_ = 100;
  std::atomic<int> carried_out_ = 0;
  std::vector<bool> seen_;
  int status_ = 202;
  std::function<void()> under_way_;
};

TEST_F(KeyedRequests, AreAnsweredAsTheFirstWas) {
  const auto first = post({"k"});
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(header(first, "Idempotent-Replayed"), "");
  const auto again = post({"k"});
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.content_type, first.content_type);
  EXPECT_EQ(header(again, "Location"), "/api/things/1");
  EXPECT_EQ(header(again, "Herald-Last-Event-ID"), header(first, "Herald-Last-Event-ID"));
  EXPECT_EQ(header(again, "Idempotent-Replayed"), "true");
  EXPECT_EQ(carried_out_, 1);
}

TEST_F(KeyedRequests, BelongToTheirTarget) {
  post({"k"});
  EXPECT_EQ(post({"k"}, "{}", "/api/things?wait=true").body, "2");
  EXPECT_EQ(post({"k2"}).body, "3");
  EXPECT_EQ(post({"k"}).body, "1");
}

TEST_F(KeyedRequests, AreRefusedWithAnotherBody) {
  post({"k"});
  const auto refused = post({"k"}, R"({"a":1})");
  EXPECT_EQ(refused.status, 422);
  EXPECT_NE(refused.body.find(R"("field":"Idempotency-Key")"), std::string::npos) << refused.body;
  EXPECT_EQ(carried_out_, 1);
}

TEST_F(KeyedRequests, WantAKeyThatIsOne) {
  for (const auto& bad :
       {std::string{}, std::string(256, 'x'), std::string{"a b"}, std::string{"\xc3\xa4"},
        std::string{"a\x7f"}}) {
    const auto refused = post({bad});
    EXPECT_EQ(refused.status, 400) << bad;
    EXPECT_NE(refused.body.find(R"("field":"Idempotency-Key")"), std::string::npos) << refused.body;
  }
  EXPECT_EQ(post({"a", "b"}).status, 400) << "two of them are none";
  EXPECT_EQ(carried_out_, 0);
  EXPECT_EQ(post({std::string(255, '~')}).status, 202);
}

TEST_F(KeyedRequests, KeepFinalAnswersOnly) {
  int expected = 0;
  for (const int kept : {200, 201, 202, 204, 404, 409, 422}) {
    status_ = kept;
    const auto key = std::to_string(kept);
    post({key});
    ++expected;
    EXPECT_EQ(post({key}).status, kept);
    EXPECT_EQ(carried_out_, expected) << kept;
  }
  for (const int not_kept : {400, 401, 403, 408, 413, 429, 500, 503, 504, 507}) {
    status_ = not_kept;
    const auto key = std::to_string(not_kept);
    post({key});
    status_ = 202;
    const auto again = post({key});
    expected += 2;
    EXPECT_EQ(again.status, 202) << not_kept;
    EXPECT_EQ(header(again, "Idempotent-Replayed"), "");
    EXPECT_EQ(carried_out_, expected) << not_kept;
  }
}

TEST_F(KeyedRequests, WaitForTheOneThatIsUnderWay) {
  std::promise<void> entered;
  std::promise<void> go_on;
  under_way_ = [&] {
    entered.set_value();
    go_on.get_future().wait();
  };
  dispatcher_ = std::make_unique<api_dispatcher>(routes, numbers_);
  auto first = std::async(std::launch::async, [this] { return post({"k"}); });
  entered.get_future().wait();
  auto second = std::async(std::launch::async, [this] { return post({"k"}); });
  const auto refused = post({"k"}, "[]");
  EXPECT_EQ(refused.status, 422) << "another body need not wait";
  go_on.set_value();
  EXPECT_EQ(first.get().body, "1");
  EXPECT_EQ(second.get().body, "1");
  EXPECT_EQ(carried_out_, 1);
}

TEST_F(KeyedRequests, WaitForAsLongAsARequestOfTheirRouteMayTake) {
  std::vector<std::chrono::milliseconds> longest;
  add_keyed_requests(
    routes, system(),
    spawn<idempotency_actor>(
      [&longest](const claim_key& wish) {
        longest.push_back(wish.longest);
        return key_grant{};
      },
      [](const settle_claim&) {}, [](const leave_claim&) {}, [](const claim_answered&) {},
      [](const claim_released&) {}));
  route_input takes;
  takes.longest = [](const api_request&) {
    return 60s;
  };
  routes.add("POST", "/api/slow", takes, [](const api_request&) { return json_reply(201, "{}"); });
  EXPECT_EQ(post({"k"}).status, 202);
  EXPECT_EQ(post({"k"}, "{}", "/api/slow").status, 201);
  EXPECT_EQ(longest, (std::vector<std::chrono::milliseconds>{10s, 65s}))
    << "carried out, and recorded";
}

TEST_F(KeyedRequests, AreTriedAnewWhereTheHandlerHasThrown) {
  EXPECT_EQ(post({"k"}, "{}", "/api/broken").status, 500);
  EXPECT_EQ(post({"k"}, "{}", "/api/broken").status, 500);
  EXPECT_EQ(carried_out_, 2);
}

/// Where something is made of the seed of a key before it is answered.
TEST_F(KeyedRequests, HoldAKeyToItsBodyWhereSomethingMayHaveBeenDone) {
  routes.add("POST", "/api/planned", planned_route, [this](const api_request&) {
    return json_reply(status_, "{}");
  });
  for (const int refused : {400, 429}) {
    status_ = refused;
    const auto key = std::to_string(refused);
    post({key}, "{}", "/api/planned");
    status_ = 202;
    EXPECT_EQ(post({key}, "[]", "/api/planned").status, 202) << refused;
  }
  for (const int perhaps : {500, 503, 504}) {
    status_ = perhaps;
    const auto key = std::to_string(perhaps);
    post({key}, "{}", "/api/planned");
    status_ = 202;
    EXPECT_EQ(post({key}, "[]", "/api/planned").status, 422) << perhaps;
    EXPECT_EQ(post({key}, "{}", "/api/planned").status, 202) << perhaps;
  }
}

TEST_F(KeyedRequests, AreNoMatterOfTheProtocolsOfOthersAndOfRequestsWithoutAKey) {
  EXPECT_EQ(post({"k"}, "{}", "/api/callback").body, "1");
  EXPECT_EQ(post({"k"}, "{}", "/api/callback").body, "2");
  EXPECT_EQ(post({}).body, "3");
  EXPECT_EQ(post({}).body, "4");
  EXPECT_EQ(seen_, (std::vector<bool>{false, false}));
}

TEST_F(KeyedRequests, AreCarriedOutEachTimeWhereTheAnswerIsASecret) {
  EXPECT_EQ(post({"k"}, "{}", "/api/secrets").body, "1");
  const auto second = post({"k"}, "{}", "/api/secrets");
  EXPECT_EQ(second.body, "2");
  EXPECT_EQ(header(second, "Idempotent-Replayed"), "");
  EXPECT_EQ(seen_, (std::vector<bool>{false, false}));
}

TEST_F(KeyedRequests, PublishWithTheAnswerThatTheirReceiptBecomes) {
  api_request request;
  request.once = std::make_shared<const claimed_key>(
    claimed_key{{"name", "hash"}, 7, {}, {{"Herald-Last-Event-ID", "5"}}, {}});
  const auto once = publish_once(request, [](const publish_receipt& receipt) {
    return json_reply(202, std::to_string(receipt.recipients));
  });
  EXPECT_EQ(once->key.claim, 7u);
  const auto answer = once->answer_of({{}, 3});
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, "3");
  EXPECT_EQ(answer.headers, (router::header_list{{"Herald-Last-Event-ID", "5"}}));
}

} // namespace
} // namespace herald
