#include "http/admission/client_limits.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using limit = client_limits::limit;

const client_limits::time_point beginning{1h};
const client_address address{1};
const client_address other_address{2};
const client_address ann = counted_as_subject("ann");
const client_address bob = counted_as_subject("bob");

missed_events missed(std::size_t bytes) {
  event what;
  what.data.assign(bytes, 'x');
  return {std::vector<event_ptr>{std::make_shared<const event>(std::move(what))}, {}, {}, {}};
}

class ClientLimits : public ::testing::Test {
protected:
  static limit_settings few() {
    limit_settings each;
    each.failed_auth_per_min = 1;
    each.max_addresses = 2;
    each.opens_per_s = 2;
    each.subject_opens_per_s = 1;
    each.replay_bytes_per_min = 500;
    each.max_subjects = 1;
    return each;
  }
  [[nodiscard]] double forgotten(const char* table) const {
    return testing::metric(
      numbers, std::string{"herald_stream_clients_forgotten_total{table=\""} + table + "\"}");
  }

  metrics numbers;
  client_limits clients{1000, few(), numbers};
};

TEST_F(ClientLimits, LetAnAddressOpenSoManyStreamsInASecond) {
  EXPECT_EQ(clients.open_from(address, beginning), 0ms);
  EXPECT_EQ(clients.open_from(address, beginning), 0ms);
  EXPECT_EQ(clients.open_from(address, beginning), 500ms);
  EXPECT_EQ(clients.open_from(other_address, beginning), 0ms);
  EXPECT_EQ(clients.open_from(address, beginning + 500ms), 0ms);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(clients.open_from(std::nullopt, beginning), 0ms) << "who is counted to nobody";
}

TEST_F(ClientLimits, LetASubjectOpenSoManyStreamsInASecond) {
  EXPECT_EQ(clients.open_as(ann, beginning), 0ms);
  EXPECT_EQ(clients.open_as(ann, beginning), 1s);
  EXPECT_EQ(clients.open_as(ann, beginning + 1s), 0ms);
}

TEST_F(ClientLimits, LookAtNoCredentialOfAnAddressAfterSoManyHaveFailed) {
  EXPECT_EQ(clients.wait_after_failures(address, beginning), 0ms);
  clients.note_failure(address, beginning);
  EXPECT_EQ(clients.wait_after_failures(address, beginning), 60s);
  EXPECT_EQ(clients.wait_after_failures(other_address, beginning), 0ms);
  clients.note_failure(std::nullopt, beginning);
  EXPECT_EQ(clients.wait_after_failures(std::nullopt, beginning), 0ms);
}

TEST_F(ClientLimits, SendSoMuchAgainToAnAddressAndToASubject) {
  EXPECT_EQ(clients.replay({address, ann}, missed(400), beginning), limit::none);
  EXPECT_EQ(clients.replay({other_address, ann}, missed(400), beginning), limit::of_subject);
  EXPECT_EQ(clients.replay({other_address}, missed(900), beginning), limit::none);
  EXPECT_EQ(clients.replay({other_address}, missed(900), beginning), limit::of_address);
  EXPECT_EQ(clients.replay({address, ann}, {}, beginning), limit::none) << "nothing is no matter";
}

TEST_F(ClientLimits, CountNothingToASubjectThatItsAddressKeepsItFrom) {
  EXPECT_EQ(clients.replay({address}, missed(900), beginning), limit::none);
  EXPECT_EQ(clients.replay({address, ann}, missed(400), beginning), limit::of_address);
  EXPECT_EQ(clients.replay({other_address, ann}, missed(400), beginning), limit::none);
}

TEST_F(ClientLimits, SayOfWhomTheyHadToForgetWhatItDid) {
  for (std::uint8_t i = 1; i <= 3; ++i) {
    const client_address from{i};
    clients.note_failure(from, beginning);
    (void)clients.open_from(from, beginning);
    (void)clients.replay({from}, missed(1), beginning);
  }
  EXPECT_EQ(testing::metric(numbers, "herald_auth_addresses_forgotten_total"), 1);
  EXPECT_EQ(forgotten("opens"), 1);
  EXPECT_EQ(forgotten("replays"), 1);
  for (const auto& subject : {ann, bob}) {
    (void)clients.open_as(subject, beginning);
    (void)clients.replay({address, subject}, missed(1), beginning);
  }
  EXPECT_EQ(forgotten("subject_opens"), 1);
  EXPECT_EQ(forgotten("subject_replays"), 1);
}

TEST_F(ClientLimits, KnowAsManyAsTheyAreToldToFromThenOn) {
  auto more = few();
  more.max_addresses = 3;
  more.max_subjects = 2;
  clients.change(more);
  const auto come = [&](const client_address& from, const client_address& subject) {
    clients.note_failure(from, beginning);
    (void)clients.open_from(from, beginning);
    (void)clients.open_as(subject, beginning);
    (void)clients.replay({from, subject}, missed(1), beginning);
  };
  const auto forgotten_of_each = [&] {
    return std::vector<double>{
      testing::metric(numbers, "herald_auth_addresses_forgotten_total"), forgotten("opens"),
      forgotten("replays"), forgotten("subject_opens"), forgotten("subject_replays")};
  };
  come({1}, ann);
  come({2}, bob);
  come({3}, bob);
  EXPECT_EQ(forgotten_of_each(), (std::vector<double>{0, 0, 0, 0, 0}));
  come({4}, counted_as_subject("eve"));
  EXPECT_EQ(forgotten_of_each(), (std::vector<double>{1, 1, 1, 1, 1}));
}

TEST_F(ClientLimits, GoOnWithOthers) {
  clients.note_failure(address, beginning);
  EXPECT_EQ(clients.open_as(ann, beginning), 0ms);
  limit_settings none;
  none.failed_auth_per_min = none.opens_per_s = none.subject_opens_per_s = 0;
  none.replay_bytes_per_min = 0;
  clients.change(none);
  EXPECT_EQ(clients.wait_after_failures(address, beginning), 0ms);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(clients.open_from(address, beginning), 0ms);
    EXPECT_EQ(clients.open_as(ann, beginning), 0ms);
  }
  EXPECT_EQ(clients.replay({address, ann}, missed(900), beginning), limit::none);
  EXPECT_EQ(clients.replay({address, ann}, missed(900), beginning), limit::of_address)
    << "that of addresses is another setting";
}

} // namespace
} // namespace herald
