#include <set>

#include <gtest/gtest.h>

#include "cli/arguments.h"
#include "cli/bench/bench.h"
#include "cli/bench/synthetic_model.h"
#include "cli/command.h"
#include "cli/demo/decision_meter.h"
#include "cli/demo/embedded.h"
#include "cli/demo/payment_generator.h"
#include "cli/exit_code.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "cli/sql_session.h"
#include "cli/why_text.h"
#include "model/model.h"

namespace headrace::cli {
namespace {

const std::vector<Flag> kFlags = {{"--data", "DIR", ""},
                                  {"--input", "STREAM=FILE", "", true},
                                  {"--once", "", ""},
                                  {"-c", "TEXT", ""}};

TEST(ArgumentsTest, FlagsAndWordsAreSorted) {
  auto parsed = Arguments::Parse(
      kFlags, {"app.sql", "--data=d", "--input", "a=b", "--input", "c=-", "--once", "--", "--x"});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->Get("--data", ""), "d");
  EXPECT_TRUE(parsed->Has("--once"));
  EXPECT_EQ(parsed->positionals(), (std::vector<std::string>{"app.sql", "--x"}));
  auto pairs = parsed->Pairs("--input");
  ASSERT_TRUE(pairs.ok());
  EXPECT_EQ(pairs->back(), (std::pair<std::string, std::string>("c", "-")));
}

TEST(ArgumentsTest, AnUnknownFlagNamesTheClosestOne) {
  auto parsed = Arguments::Parse(kFlags, {"--dta", "x"});
  ASSERT_FALSE(parsed.ok());
  EXPECT_NE(parsed.error().message().find("did you mean --data?"), std::string::npos);
  EXPECT_EQ(ExitCodeOf(parsed.error()), ExitCode::kUsage);
}

TEST(ArgumentsTest, MissingValuesRepeatsAndValuesOfSwitchesAreRefused) {
  EXPECT_FALSE(Arguments::Parse(kFlags, {"--data"}).ok());
  EXPECT_FALSE(Arguments::Parse(kFlags, {"--data", "a", "--data", "b"}).ok());
  EXPECT_FALSE(Arguments::Parse(kFlags, {"--once=yes"}).ok());
}

TEST(ArgumentsTest, NumbersKeepTheirBounds) {
  std::vector<Flag> flags = {{"--n", "N", ""}};
  auto number = [&](const std::string& text) {
    return Arguments::Parse(flags, {"--n", text})->Integer("--n", 5, 1, 10);
  };
  EXPECT_EQ(number("7").value(), 7);
  EXPECT_FALSE(number("11").ok());
  EXPECT_FALSE(number("7x").ok());
  EXPECT_FALSE(number("").ok());
}

TEST(ArgumentsTest, PairsNeedBothSides) {
  for (const char* text : {"a", "=b", "a="}) {
    EXPECT_FALSE(Arguments::Parse(kFlags, {"--input", text})->Pairs("--input").ok()) << text;
  }
}

TEST(CommandTest, EveryCommandIsWholeAndNamedOnce) {
  std::set<std::string_view> names;
  for (const Command& command : AllCommands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    EXPECT_NE(command.run, nullptr) << command.name;
    EXPECT_FALSE(command.summary.empty()) << command.name;
    EXPECT_EQ(command.positionals.empty(), command.positionals_max == 0) << command.name;
    EXPECT_LE(command.summary.size(), 78u) << command.name;
  }
}

TEST(CommandTest, TheOverviewHasEveryCommandWithItsGroupOnce) {
  const std::vector<Command> commands = AllCommands();
  const std::string text = OverviewText(commands);
  std::set<std::string_view> ended;
  std::string_view group;
  for (const Command& command : commands) {
    EXPECT_NE(text.find("\n  " + std::string(command.name) + " "), std::string::npos);
    if (command.group == group) continue;
    ended.insert(group);
    group = command.group;
    EXPECT_FALSE(ended.contains(group)) << group;
  }
}

TEST(ListingTest, TablesAlignAndJsonKeepsTypes) {
  Listing listing({"topic", "events"});
  listing.Add({Cell::Text("payments"), Cell::Number(int64_t{7})});
  listing.Add({Cell::Text("a\"b"), Cell::Number(int64_t{1200})});
  EXPECT_EQ(listing.Table(), "topic     events\npayments       7\na\"b         1200\n");
  EXPECT_EQ(listing.JsonLines(),
            "{\"topic\":\"payments\",\"events\":7}\n{\"topic\":\"a\\\"b\",\"events\":1200}\n");
  EXPECT_EQ(Listing({"x"}).Json(), "[]\n");
}

TEST(ScriptTest, SemicolonsInTextAndCommentsDoNotCut) {
  auto parts = SplitScript("SELECT ';';\n-- a; b\n /* ; */ SELECT $$;$$ ; ;\nSELECT 3");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].text, "SELECT ';'");
  EXPECT_EQ(parts[1].text.substr(0, 12), "SELECT $$;$$");
  EXPECT_EQ(parts[1].line, 3);
  EXPECT_EQ(parts[1].column, 10);
  EXPECT_EQ(parts[2].text, "SELECT 3");
  EXPECT_EQ(parts[2].line, 4);
}

TEST(ScriptTest, WhatCannotBeReadIsStillAPart) {
  EXPECT_EQ(SplitScript("SELECT 'open").size(), 1u);
  EXPECT_EQ(SplitScript("SELECT 1; SELECT \x01; SELECT 2").size(), 3u);
}

TEST(ScriptTest, ErrorsBecomeOneDocument) {
  Answer answer;
  answer.error = Error(ErrorKind::kInvalidArgument, "HR1104", "unknown column `x`\n  more")
                     .AtPlace("a.sql:3:9");
  EXPECT_EQ(AnswerJson(answer),
            R"({"error":{"code":"HR1104","message":"unknown column `x`","line":3,"column":9,)"
            R"("hint":null}})");
}

TEST(PaymentsTest, ASeedDecidesEveryByte) {
  PaymentGenerator a({7, 0, 1000});
  PaymentGenerator b({7, 0, 1000});
  PaymentGenerator other({8, 0, 1000});
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    const std::string json = a.Next().Json();
    EXPECT_EQ(json, b.Next().Json());
    differs |= json != other.Next().Json();
  }
  EXPECT_TRUE(differs);
}

TEST(PaymentsTest, EveryPatternOccursAndStaysWithinTheWatermark) {
  constexpr int64_t kStep = 43'000'000;
  PaymentGenerator payments({42, 0, kStep});
  std::set<Pattern> seen;
  int64_t newest = INT64_MIN;
  for (int i = 0; i < 20'000; ++i) {
    const Payment payment = payments.Next();
    seen.insert(payment.pattern);
    EXPECT_GT(payment.cents, 0);
    newest = std::max(newest, payment.ts_micros);
    EXPECT_GE(payment.ts_micros, newest - 5'000'000);
  }
  EXPECT_EQ(seen.size(), 4u);
}

TEST(DemoTest, TheProgramCarriesAScriptAndItsModel) {
  EXPECT_NE(DemoScript().find("CREATE MODEL fraud"), std::string_view::npos);
  auto model = model::Model::Load(DemoModel());
  ASSERT_TRUE(model.ok());
  for (const std::string& feature : (*model)->info().features) {
    EXPECT_NE(DemoScript().find(feature), std::string_view::npos) << feature;
  }
}

TEST(DemoTest, TheMeterCountsKindsAndRemembersTheNewest) {
  DecisionMeter meter;
  meter.Take(R"({"_id":"decisions:0:1","decision":"decline"})", 1000);
  meter.Take(R"({"_id":"decisions:0:2","decision":"decline"})", 2000);
  meter.Take(R"({"_id":"decisions:0:3","decision":"approve"})", 3000);
  EXPECT_EQ(meter.count(), 3u);
  EXPECT_EQ(meter.count(2), 2u);
  EXPECT_EQ(meter.newest(2), "decisions:0:2");
  EXPECT_EQ(CountText(1234567), "1,234,567");
  EXPECT_EQ(DurationText(182'300), "182 us");
  EXPECT_EQ(DurationText(1'740'000), "1.7 ms");
}

TEST(WhyTextTest, TellsTheDocumentInOrder) {
  const std::string text = WhyText(
      R"({"id":"d:0:1","event":{"a":1},"features":{"n":{"value":3,"window":"w","events":3}},)"
      R"("model":{"name":"m","version":"abcdef","format":"lightgbm"},"score":0.9,)"
      R"("contributions":{"n":1.5,"base":-2.0},"decision":"decline",)"
      R"("rules":[{"column":"decision","text":"risk > 0.8","place":"a.sql:1:1"}],)"
      R"("recomputed":true})");
  for (const char* word : {"d:0:1", "{\"a\":1}", "-2.0000", "+1.5000", "risk > 0.8", "decline"}) {
    EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
  }
  EXPECT_EQ(WhyText("not json"), "not json\n");
}

TEST(WhyTextTest, NumbersKeepTheirDigits) {
  const std::string text = WhyText(
      R"({"id":"d:0:1","event":{"amount":1.50, "n":[2.0]},"features":{"a / \"b\"":{"value":7,"window":"w",)"
      R"("events":1},"sum":{"value":10.00,"window":"w","events":3}},"decision":"ok","recomputed":true})");
  for (const char* word : {"{\"amount\":1.50, \"n\":[2.0]}", " 10.00 ", "a / \"b\"", " 7 "}) {
    EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
  }
}

TEST(SummaryTest, IsKeyValuePairs) {
  EXPECT_EQ(SummaryLine({1000, 900, 3, 2, 0.5}),
            "events=1000 rows=900 dead=3 late=2 seconds=0.500 events_per_second=2000\n");
}

TEST(BenchTest, SyntheticModelsLoadAndScore) {
  auto model = model::Model::Load(SyntheticModel({10, 31, 5, 1}));
  ASSERT_TRUE(model.ok()) << model.error().ToString();
  EXPECT_EQ((*model)->info().trees, 10);
  const std::vector<double> row = {0.1, 0.9, 0.5, 0.3, 0.7};
  double raw = 0;
  (*model)->ScoreRaw(row, 1, std::span<double>(&raw, 1));
  EXPECT_NE(raw, 0);
  EXPECT_TRUE((*model)->Contributions(row).ok());
}

TEST(BenchTest, PercentilesAreOfTheNearestRank) {
  const std::vector<double> sorted = {1, 2, 3, 4};
  EXPECT_EQ(Percentile(sorted, 0.5), 2);
  EXPECT_EQ(Percentile(sorted, 0.99), 4);
  EXPECT_EQ(Percentile({}, 0.5), 0);
}

}  // namespace
}  // namespace headrace::cli
