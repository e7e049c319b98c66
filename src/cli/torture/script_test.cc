#include "cli/torture/script.h"

#include <gtest/gtest.h>

#include "sql/parser.h"

namespace headrace::cli::torture {
namespace {

TEST(TortureScriptTest, TheScriptParses) {
  EXPECT_EQ(sql::Parse(Script(), 0).statements.size(), 4U);
}

TEST(TortureScriptTest, AnEventComesBackAsItWasSent) {
  const Event event{2, 871, 5, 17, 1'700'000'000'000'000};
  std::string line = EncodeEvents(std::vector{event}, true);
  line.insert(1, "\"_id\":\"sent:1:204\",");
  line.pop_back();
  const Row row = ParseRow(Stream::kSent, line).value_or(Row{});
  EXPECT_EQ(row.event, event);
  EXPECT_EQ(row.place, (Place{1, 204}));
  EXPECT_FALSE(ParseRow(Stream::kOnce, line).has_value());
  std::string mixed = line;
  mixed.replace(mixed.find("\"number\":871"), 12, "\"number\":872");
  EXPECT_FALSE(ParseRow(Stream::kSent, mixed).has_value());  // the bytes are those of 871
  EXPECT_FALSE(ParseRow(Stream::kSent, line.substr(0, 40)).has_value());
  EXPECT_FALSE(ParseRow(Stream::kSent, "").has_value());
}

TEST(TortureScriptTest, ComputedRowsHaveTheirNumbers) {
  const std::string row =
      R"({"_id":"odd:0:3","producer":1,"number":2,"key":3,"amount":4,"at":5,"n":7,"total":70)";
  const Row odd = ParseRow(Stream::kOdd, row + ",\"running\":4}").value_or(Row{});
  EXPECT_EQ(odd.numbers, (Numbers{7, 70, 4}));
  EXPECT_EQ(odd.event, (Event{1, 2, 3, 4, 5}));
  EXPECT_FALSE(ParseRow(Stream::kOdd, row + "}").has_value());
}

TEST(TortureScriptTest, AnswersTellThePlaces) {
  const Answer none{99, 99, {}, {}};
  const Answer one =
      ParseAnswer(R"({"accepted":2,"rejected":[],"partition":1,"first_offset":7})").value_or(none);
  EXPECT_EQ(one.places, (std::vector<Place>{{1, 7}, {1, 8}}));
  const Answer several =
      ParseAnswer(
          R"({"accepted":3,"rejected":[{"index":1}],"placed":[{"partition":0,"first_offset":4,)"
          R"("count":1},{"partition":2,"first_offset":9,"count":2}],"rows":[{"a":1}]})")
          .value_or(none);
  EXPECT_EQ(several.places, (std::vector<Place>{{0, 4}, {2, 9}, {2, 10}}));
  EXPECT_EQ(several.rejected, 1U);
  EXPECT_EQ(several.rows, (std::vector<std::string>{R"({"a":1})"}));
  const Answer repeat = ParseAnswer(R"({"accepted":1,"rejected":[]})").value_or(none);
  EXPECT_EQ(repeat.accepted, 1U);
  EXPECT_TRUE(repeat.places.empty());
  EXPECT_FALSE(ParseAnswer(R"({"title":"Not Found"})").has_value());
}

}  // namespace
}  // namespace headrace::cli::torture
