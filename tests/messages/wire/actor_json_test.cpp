#include "messages/wire/actor_json.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

actor_status one_of(std::string kind, std::string name) {
  actor_status status;
  status.kind = std::move(kind);
  status.name = std::move(name);
  return status;
}

TEST(ActorJson, ShowsAnActorThatIsTheOnlyOneOfItsKind) {
  actor_tree tree;
  tree.intensity = 3;
  tree.period = std::chrono::seconds{5};
  tree.children.push_back(one_of("registry", "registry"));
  tree.children[0].max_mailbox = 7;
  EXPECT_EQ(
    to_json(tree),
    R"({"name":"supervisor","strategy":"one_for_one","intensity":3,"period_ms":5000,"actors":[)"
    R"({"name":"registry","state":"running","restart":"permanent","restarts":0,)"
    R"("mailbox_depth":0,"last_error":null,"max_mailbox":7,"instances":1}]})");
}

TEST(ActorJson, SumsUpTheInstancesOfAKind) {
  actor_tree tree;
  tree.children = {
    one_of("store", "store"), one_of("worker", "worker-1"), one_of("worker", "worker-2")};
  tree.children[1].restarts = 1;
  tree.children[1].last_error = "bad \xff";
  tree.children[1].state = actor_state::restarting;
  tree.children[2].restarts = 2;
  tree.children[2].mailbox_depth = 4;
  const auto text = to_json(tree);
  EXPECT_NE(
    text.find(
      "{\"name\":\"worker\",\"state\":\"restarting\",\"restart\":\"permanent\",\"restarts\":3,"
      "\"mailbox_depth\":4,\"last_error\":\"bad \ufffd\",\"instances\":2,\"actors\":["
      "{\"name\":\"worker-1\",\"state\":\"restarting\","),
    std::string::npos)
    << text;
  EXPECT_NE(text.find(R"({"name":"worker-2","state":"running",)"), std::string::npos) << text;
}

} // namespace
} // namespace herald
