// Training sets: features as served, labels as known at the asked time.

#include <gtest/gtest.h>

#include "engine/test_program.h"
#include "schema/codec.h"

namespace headrace::engine {
namespace {

constexpr int64_t kDay = 86'400'000'000;
constexpr const char* kScript =
    "CREATE STREAM s (id BIGINT, q DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS "
    "ts) WITH (timestamp_unit = 'us');\n"
    "CREATE STREAM d AS SELECT id, q, ts, sum(q) OVER (ORDER BY ts) AS total FROM s;\n"
    "CREATE STREAM labels (id BIGINT, row TEXT, bad BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR "
    "ts AS ts) WITH (timestamp_unit = 'us');\n";

std::string Time(int64_t day) {
  return std::to_string(TestProgram::kNow + (day - 100) * kDay);
}

// Row i of day i, 0 to 4; labels as the tests say.
void Fill(TestProgram& program, const std::vector<std::string>& labels) {
  program.Run(kScript);
  std::vector<std::string> events;
  for (int64_t i = 0; i < 5; ++i) {
    events.push_back(R"({"id":)" + std::to_string(i) + R"(,"q":)" + std::to_string(i * i) +
                     R"(,"ts":)" + Time(i) + "}");
  }
  program.Feed("s", events);
  program.Feed("labels", labels);
}

std::string Label(int64_t id, int bad, int64_t day) {
  return R"({"id":)" + std::to_string(id) + R"(,"row":"d:0:)" + std::to_string(id) + R"(","bad":)" +
         std::to_string(bad) + R"(,"ts":)" + Time(day) + "}";
}

TrainingSetRequest Request() {
  TrainingSetRequest request;
  request.stream = "d";
  request.labels = "labels";
  request.on = request.labels_on = "id";
  request.label = "bad";
  return request;
}

// `id:total:bad` of each row, or the code of the error.
std::string Rows(TestProgram& program, const TrainingSetRequest& request,
                 TrainingSetReport* report = nullptr) {
  std::string rows;
  row::Schema schema;
  TrainingSetTaker taker;
  taker.begin = [&](const row::Schema& columns) {
    schema = columns;
    return Ok();
  };
  taker.take = [&](const row::Value* values) {
    std::string line;
    schema::AppendCsvRow(schema, values, line);
    rows += (rows.empty() ? "" : " ") + line.substr(0, line.find(',')) + ":" +
            line.substr(line.rfind(',') + 1);
    return Ok();
  };
  Result<TrainingSetReport> made = program.engine().TrainingSet(request, taker);
  if (!made.ok()) return made.error().code();
  if (report != nullptr) *report = *made;
  return rows;
}

TEST(TrainingSet, HasTheRowsWhoseLabelIsKnownThen) {
  TestProgram program;
  Fill(program, {Label(0, 0, 10), Label(1, 1, 11), Label(2, 0, 12), Label(1, 0, 20)});
  TrainingSetRequest request = Request();
  TrainingSetReport report;
  EXPECT_EQ("0:0 1:0 2:0", Rows(program, request, &report));
  EXPECT_EQ(3U, report.rows);
  EXPECT_EQ(2U, report.unlabelled);
  EXPECT_EQ(1U, report.corrected);
  EXPECT_EQ(0U, report.early_labels);
  request.as_of = std::stoll(Time(11));  // the correction of day 20 must not leak
  EXPECT_EQ("0:0 1:1", Rows(program, request, &report));
  ASSERT_EQ(2U, report.label_counts.size());
  EXPECT_EQ("1", report.label_counts[1].first);
  request.as_of = std::stoll(Time(9));
  EXPECT_EQ("", Rows(program, request));
}

TEST(TrainingSet, ManyRowsComeInTheirOrderAndAWriterThatFailsEndsIt) {
  TestProgram program;
  program.Run(kScript);
  constexpr int64_t kRows = 6000;  // more than are read ahead
  std::vector<std::string> events;
  std::vector<std::string> labels;
  std::string wanted;
  for (int64_t i = 0; i < kRows; ++i) {
    events.push_back(R"({"id":)" + std::to_string(i) + R"(,"q":1,"ts":)" +
                     std::to_string(TestProgram::kNow - kDay + i) + "}");
    // Long stretches have no label.
    if (i / 1500 % 2 == 1) continue;
    labels.push_back(Label(i, static_cast<int>(i % 2), 90));
    wanted += (wanted.empty() ? "" : " ") + std::to_string(i) + ":" + std::to_string(i % 2);
  }
  program.Feed("s", events);
  program.Feed("labels", labels);
  TrainingSetReport report;
  EXPECT_EQ(wanted, Rows(program, Request(), &report));
  EXPECT_EQ(3000U, report.rows);
  EXPECT_EQ(3000U, report.unlabelled);
  uint64_t taken = 0;
  const TrainingSetTaker full{[](const row::Schema&) { return Ok(); },
                              [&](const row::Value*) -> Status {
                                if (++taken < 10) return Ok();
                                return Error(ErrorKind::kNoSpace, "HR7001", "no space");
                              }};
  EXPECT_EQ("HR7001", program.engine().TrainingSet(Request(), full).error().code());
  EXPECT_EQ(10U, taken);
}

TEST(TrainingSet, ALabelThatComesLateDoesNotTakeThePlaceOfANewerOne) {
  TestProgram program;
  Fill(program, {Label(1, 1, 20), Label(1, 0, 15)});
  EXPECT_EQ("1:1", Rows(program, Request()));
}

TEST(TrainingSet, IsJoinedByTheRowsIdToo) {
  TestProgram program;
  Fill(program, {Label(3, 1, 10), Label(4, 0, 10)});
  TrainingSetRequest request = Request();
  request.on = "_id";
  request.labels_on = "row";
  EXPECT_EQ("3:1 4:0", Rows(program, request));
}

TEST(TrainingSet, LeavesRowsOutByTime) {
  TestProgram program;
  Fill(program, {Label(1, 1, 10), Label(2, 0, 10), Label(3, 0, 10)});
  TrainingSetRequest request = Request();
  request.from = std::stoll(Time(2));
  EXPECT_EQ("2:0 3:0", Rows(program, request));
  request.to = std::stoll(Time(2));
  EXPECT_EQ("2:0", Rows(program, request));
}

TEST(TrainingSet, SaysWhatLooksLikeLeakage) {
  TestProgram program;
  Fill(program, {Label(0, 0, 10), Label(1, 1, 0), Label(2, 4, 10), Label(3, 9, 10)});
  TrainingSetReport report;
  Rows(program, Request(), &report);
  EXPECT_EQ(1U, report.early_labels);
  ASSERT_EQ(2U, report.warnings.size());
  EXPECT_EQ("`q` goes with the label almost exactly: is it the label itself?", report.warnings[0]);
  EXPECT_DOUBLE_EQ(3.5, report.columns[1].mean);
  EXPECT_NEAR(1, report.columns[1].correlation, 1e-12);
}

TEST(TrainingSet, RefusesWhatItCannotJoin) {
  TestProgram program;
  Fill(program, {});
  TrainingSetRequest request = Request();
  request.stream = "s";
  EXPECT_EQ("HR1204", Rows(program, request));
  request = Request();
  request.labels = "nobody";
  EXPECT_EQ("HR1204", Rows(program, request));
  request = Request();
  request.label = "worse";
  EXPECT_EQ("HR1104", Rows(program, request));
  request = Request();
  request.on = "nothing";
  EXPECT_EQ("HR1104", Rows(program, request));
  program.Run("CREATE STREAM f AS SELECT id, q AS bad FROM d;");
  request = Request();
  request.stream = "f";
  EXPECT_EQ("HR1212", Rows(program, request));
}

}  // namespace
}  // namespace headrace::engine
