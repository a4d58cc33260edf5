#include "messages/wire/task_input.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "messages/errors.hpp"

namespace herald {
namespace {

/// "invalid_field params.steps" for what was refused, "taken" for what was not.
template <class T>
std::string verdict(const caf::expected<T>& parsed) {
  if (parsed)
    return "taken";
  const auto why = describe(parsed.error());
  EXPECT_NE(why.detail, "");
  return std::string{to_string(why.code)} + (why.field.empty() ? "" : " " + why.field);
}

struct body {
  std::string text;
  std::string verdict;
};

std::string json_of_size(std::size_t bytes) {
  return "\"" + std::string(bytes - 2, 'x') + "\"";
}

TEST(TaskInput, ReadsTheStartOfATask) {
  auto command = parse_start_task(R"({"type":"report"})");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->type, "report");
  EXPECT_EQ(command->params_json, "{}");
  command = parse_start_task(R"({"params": {"n": 1.0, "a": [1, {}]}, "type": "report"})");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->params_json, R"({"n":1.0,"a":[1,{}]})") << "compact, numbers as they came";
}

TEST(TaskInput, ReadsWhomATaskIsFor) {
  auto command = parse_start_task(
    R"({"type":"report","request_id":"mine","topics":["a","b/c"],"subject":"ann","role":"staff",)"
    R"("except":"other"})");
  ASSERT_TRUE(command);
  ASSERT_TRUE(command->to);
  EXPECT_EQ(
    *command->to,
    (audience{request_id{"mine"}, "ann", "staff", {"a", "b/c"}, {request_id{"other"}}}));
  command = parse_test_task(R"({"task_type":"demo_task","topic":"a"})");
  ASSERT_TRUE(command && command->to);
  EXPECT_EQ(command->to->topics, (std::vector<std::string>{"a"}));
  EXPECT_EQ(parse_start_task(R"({"type":"report"})")->to, nullptr);
  EXPECT_EQ(
    verdict(parse_start_task(R"({"type":"report","topics":["a","b//c"]})")),
    "invalid_field topics[1]");
  EXPECT_EQ(
    verdict(parse_test_task(R"({"task_type":"demo_task","subject":7})")), "invalid_field subject");
}

TEST(TaskInput, RefusesWhatStartsNoTask) {
  const auto params_of_size = [](std::size_t bytes) {
    return R"({"type":"report","params":{"a":)" + json_of_size(bytes - 6) + "}}";
  };
  for (const auto& [text, expected] : std::vector<body>{
         {"", "invalid_json"},
         {"{", "invalid_json"},
         {R"({"type":"report"} x)", "invalid_json"},
         {"{\"type\":\"\xff\"}", "invalid_json"},
         {"[]", "invalid_field"},
         {R"("demo")", "invalid_field"},
         {"{}", "invalid_field type"},
         {R"({"type":null})", "invalid_field type"},
         {R"({"type":7})", "invalid_field type"},
         {R"({"type":"a","type":"b"})", "invalid_field type"},
         {R"({"type":"report","params":null})", "invalid_field params"},
         {R"({"type":"report","params":[1]})", "invalid_field params"},
         {R"({"type":"report","params":"{}"})", "invalid_field params"},
         {R"({"type":"report","parms":{}})", "unknown_field parms"},
         {R"({"task_type":"demo"})", "unknown_field task_type"},
         {params_of_size(max_task_json_bytes), "taken"},
         {params_of_size(max_task_json_bytes + 1), "body_too_large params"}})
    EXPECT_EQ(verdict(parse_start_task(text)), expected) << text.substr(0, 60);
}

TEST(TaskInput, ChecksTheParamsOfBuiltInTypes) {
  for (const std::string type : {"demo", "failing"}) {
    for (const auto& [params, expected] : std::vector<body>{
           {"{}", "taken"},
           {R"({"steps":1,"delay":0})", "taken"},
           {R"({"steps":10000,"delay":3600})", "taken"},
           {R"({"steps":2,"delay":0.25})", "taken"},
           {R"({"steps":0})", "invalid_field params.steps"},
           {R"({"steps":10001})", "invalid_field params.steps"},
           {R"({"steps":-1})", "invalid_field params.steps"},
           {R"({"steps":1.5})", "invalid_field params.steps"},
           {R"({"steps":1e300})", "invalid_field params.steps"},
           {R"({"steps":1e999})", "invalid_field params.steps"},
           {R"({"steps":"3"})", "invalid_field params.steps"},
           {R"({"steps":null})", "invalid_field params.steps"},
           {R"({"delay":-0.1})", "invalid_field params.delay"},
           {R"({"delay":3600.1})", "invalid_field params.delay"},
           {R"({"delay":"1"})", "invalid_field params.delay"},
           {R"({"delay":true})", "invalid_field params.delay"},
           {R"({"step":3})", "unknown_field params.step"}})
      EXPECT_EQ(
        verdict(parse_start_task(R"({"type":")" + type + R"(","params":)" + params + "}")),
        expected)
        << params;
  }
}

TEST(TaskInput, LeavesTheParamsOfOtherTypesToThem) {
  const auto* params = R"({"steps":"many","x":null})";
  for (const std::string type : {"external", "report"}) {
    const auto command = parse_start_task(R"({"type":")" + type + R"(","params":)" + params + "}");
    ASSERT_TRUE(command);
    EXPECT_EQ(command->params_json, params);
  }
}

TEST(TaskInput, ReadsTheNamesOfBrowserSuites) {
  auto command = parse_test_task(R"({"task_type":"demo_task","params":{"steps":5,"delay":0.5}})");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->type, "demo");
  EXPECT_EQ(command->params_json, R"({"steps":5,"delay":0.5})");
  command = parse_test_task(R"({"task_type":"failing_task"})");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->type, "failing");
}

TEST(TaskInput, RefusesOtherNamesFromBrowserSuites) {
  for (const auto& [text, expected] : std::vector<body>{
         {R"({"task_type":"demo"})", "unknown_task_type task_type"},
         {R"({"task_type":"report"})", "unknown_task_type task_type"},
         {R"({"task_type":""})", "unknown_task_type task_type"},
         {R"({"task_type":1})", "invalid_field task_type"},
         {"{}", "invalid_field task_type"},
         {R"({"type":"demo"})", "unknown_field type"},
         {R"({"task_type":"demo_task","params":{"steps":0}})", "invalid_field params.steps"}})
    EXPECT_EQ(verdict(parse_test_task(text)), expected) << text;
}

TEST(TaskInput, ReadsReportsOfProgress) {
  auto report = parse_progress(task_id{"7"}, R"({"value":0.5,"text":"half"})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->id, task_id{"7"});
  EXPECT_EQ(report->value, 0.5);
  EXPECT_EQ(report->text, "half");
  report = parse_progress(task_id{"7"}, R"({"value":1})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->text, std::nullopt);
}

TEST(TaskInput, RefusesWhatIsNoProgress) {
  const auto text_of_size = [](std::size_t bytes) {
    return R"({"value":0,"text":)" + json_of_size(bytes + 2) + "}";
  };
  for (const auto& [text, expected] : std::vector<body>{
         {"", "invalid_json"},
         {"0.5", "invalid_field"},
         {"{}", "invalid_field value"},
         {R"({"text":"half"})", "invalid_field value"},
         {R"({"value":"0.5"})", "invalid_field value"},
         {R"({"value":null})", "invalid_field value"},
         {R"({"value":-0.01})", "invalid_field value"},
         {R"({"value":1.01})", "invalid_field value"},
         {R"({"value":1e999})", "invalid_field value"},
         {R"({"value":NaN})", "invalid_json"},
         {R"({"value":0})", "taken"},
         {R"({"value":1.0})", "taken"},
         {R"({"value":0.5,"text":7})", "invalid_field text"},
         {R"({"value":0.5,"progress":1})", "unknown_field progress"},
         {text_of_size(max_task_text_bytes), "taken"},
         {text_of_size(max_task_text_bytes + 1), "invalid_field text"}})
    EXPECT_EQ(verdict(parse_progress(task_id{"7"}, text)), expected) << text.substr(0, 60);
}

TEST(TaskInput, ReadsCompletions) {
  const auto result = [](std::string_view text) {
    const auto report = parse_completion(task_id{"7"}, text);
    return report ? report->id.str() + " " + report->result_json : verdict(report);
  };
  EXPECT_EQ(result(""), "7 null");
  EXPECT_EQ(result("{}"), "7 null");
  EXPECT_EQ(result(R"({"result":null})"), "7 null");
  EXPECT_EQ(result(R"({"result":"text"})"), R"(7 "text")");
  EXPECT_EQ(result(R"({"result":{"n": 1.50}})"), R"(7 {"n":1.50})");
  EXPECT_EQ(result("null"), "invalid_field");
  EXPECT_EQ(result(R"({"results":1})"), "unknown_field results");
  EXPECT_EQ(result(R"({"result":1,"result":2})"), "invalid_field result");
  const auto of_size = [&](std::size_t bytes) {
    return result(R"({"result":)" + json_of_size(bytes) + "}");
  };
  EXPECT_EQ(of_size(max_task_json_bytes).size(), 2 + max_task_json_bytes);
  EXPECT_EQ(of_size(max_task_json_bytes + 1), "body_too_large result");
}

TEST(TaskInput, ReadsFailures) {
  const auto report = parse_failure(task_id{"7"}, R"({"error":"disk full"})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->id, task_id{"7"});
  EXPECT_EQ(report->error, "disk full");
  const auto error_of_size = [](std::size_t bytes) {
    return R"({"error":)" + json_of_size(bytes + 2) + "}";
  };
  for (const auto& [text, expected] : std::vector<body>{
         {"", "invalid_json"},
         {"{}", "invalid_field error"},
         {R"({"error":null})", "invalid_field error"},
         {R"({"error":{"code":1}})", "invalid_field error"},
         {R"({"error":"a","detail":"b"})", "unknown_field detail"},
         {error_of_size(max_task_error_bytes), "taken"},
         {error_of_size(max_task_error_bytes + 1), "invalid_field error"}})
    EXPECT_EQ(verdict(parse_failure(task_id{"7"}, text)), expected) << text.substr(0, 60);
}

TEST(TaskInput, HasDefaultsForPauses) {
  const auto params = parse_pause_params("{}");
  ASSERT_TRUE(params);
  EXPECT_EQ(params->steps, 3);
  EXPECT_EQ(params->delay, 1.0);
}

/// What a line of a child says, in words: "value text result", "-" for what it does not say.
std::string said_by(std::string_view line) {
  const auto report = parse_child_line(line);
  if (!report)
    return "nothing";
  return (report->value ? std::to_string(*report->value).substr(0, 4) : "-") + " "
         + report->text.value_or("-") + " " + report->result_json.value_or("-");
}

TEST(TaskInput, ReadsTheLinesOfAChild) {
  for (const auto& [line, said] : std::vector<body>{
         {R"({"value":0.25})", "0.25 - -"},
         {R"({"text":"a"})", "- a -"},
         {R"( {"value": 0.5, "text": "a"} )", "0.50 a -"},
         {"{\"value\":0.5}\r", "0.50 - -"},
         {R"({"result":{"n": [1, 2.0]}})", R"(- - {"n":[1,2.0]})"},
         {R"({"result":null})", "- - null"},
         {R"({"value":1,"text":"a","result":"r"})", R"(1.00 a "r")"},
         {R"({"value":0.5,"eta":7})", "0.50 - -"},
         {R"({"value":0.5,"result":1,"result":2})", "0.50 - -"},
         {R"({"value":"50%","text":"a"})", "- a -"},
         {R"({"value":0.5,"text":null})", "0.50 - -"},
         {R"({"value":150})", "150. - -"}})
    EXPECT_EQ(said_by(line), said) << line;
}

TEST(TaskInput, TakesOtherLinesOfAChildForTalk) {
  for (const auto* line :
       {"", " ", "building...", "[1,2]", "\"value\"", "0.5", "{", "{}", R"({"value":})",
        R"({"val":0.5})", R"({"value":"0.5"})", R"({"value":1e999})", R"({'value':0.5})",
        R"({"value":0.5} done)", "{\"text\":\"\xff\"}"})
    EXPECT_EQ(said_by(line), "nothing") << line;
  EXPECT_EQ(said_by(std::string(100'000, '{')), "nothing");
  std::string deep = R"({"result":)";
  deep += std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_EQ(said_by(deep), "nothing") << "deeper than any stack";
}

TEST(TaskInput, CutsALongTextOfAChild) {
  const std::string euros = "\xe2\x82\xac\xe2\x82\xac";
  const auto report =
    parse_child_line(R"({"text":")" + std::string(max_task_text_bytes - 4, 'x') + euros + "\"}");
  ASSERT_TRUE(report && report->text);
  EXPECT_EQ(*report->text, std::string(max_task_text_bytes - 4, 'x') + "\xe2\x82\xac");
}

} // namespace
} // namespace herald
