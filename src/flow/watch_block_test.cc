#include "flow/watch_block.h"

#include <gtest/gtest.h>

#include "model/model.h"
#include "model/test_models.h"
#include "row/text.h"

namespace headrace::flow {
namespace {

constexpr int64_t kHour = 3'600'000'000;
constexpr row::Type kNumber{row::TypeKind::kDouble, 0, 0};

WatchPlan PlanOf(int64_t rows) {
  WatchPlan plan;
  plan.model = "m";
  plan.options.window = kHour;
  plan.options.rows = rows;
  plan.options.baseline_rows = 500;
  plan.names = {"x", "kind", "y"};
  plan.slots = {0, 1, 2};
  plan.types = {kNumber, kNumber, kNumber};
  plan.score_slot = 3;
  plan.version_slot = 4;
  return plan;
}

ModelVersions Versions(const std::string& baseline = "") {
  std::string text = model::HandMadeLightGbm();
  if (!baseline.empty()) {
    EXPECT_TRUE(model::Baseline::Decode(baseline, 4).value().AddTo(text));
  }
  ModelVersions versions;
  versions.versions.push_back(model::Model::Load(text).value());
  versions.activations.push_back({0, 1});
  return versions;
}

// Hands rows to a block, `at_once` together, and writes down what it tells.
class Told {
 public:
  Told(WatchBlock& block, const ModelVersions& versions, size_t at_once)
      : block_(&block), versions_(versions), at_once_(at_once) {}

  void Row(int64_t watermark, double x) {
    row::Row& row = batch_.Add(5);
    row.watermark = watermark;
    row.event_time = watermark + 1;
    row.cause = {++lsn_, 0};
    row.values[0] = row::Value::Double(x);
    row.values[1] = row::Value::Double(1);
    row.values[3] = row::Value::Double(0.5);
    row.values[4] = row::Value::Integer(1);
    if (batch_.rows().size() == at_once_) Flush();
  }
  void Flush() {
    block_->Watch(batch_, versions_, health_);
    for (const row::Row& row : health_.rows()) {
      std::string text = std::to_string(row.cause.lsn);
      for (int c = 0; c < kHealthColumns; ++c) {
        text += ",";
        if (!row.values[c].null) {
          row::AppendText(row.values[c], HealthSchema().columns[size_t(c)].type, text);
        }
      }
      rows_.push_back(text);
      psi_.push_back(row.values[kHealthPsi].null ? -1 : row.values[kHealthPsi].number);
      alarms_.push_back(row.values[kHealthAlarm].null
                            ? ""
                            : std::string(row.values[kHealthAlarm].text()) +
                                  (row.values[kHealthCrossed].boolean ? "!" : ""));
    }
    health_.Clear();
    batch_.Clear();
  }
  void GoOn(WatchBlock& block) { block_ = &block; }

  const std::vector<std::string>& rows() const { return rows_; }
  const std::vector<double>& psi() const { return psi_; }
  const std::vector<std::string>& alarms() const { return alarms_; }

 private:
  WatchBlock* block_;
  const ModelVersions& versions_;
  size_t at_once_;
  uint64_t lsn_ = 0;
  row::Batch batch_;
  row::Batch health_;
  std::vector<std::string> rows_;
  std::vector<double> psi_;
  std::vector<std::string> alarms_;
};

// Six hours of 2,000 rows each; from the fourth on x is larger.
void RunSixHours(Told& told, int from = 0, int to = 12'000) {
  for (int i = from; i < to; ++i) {
    const double x = (i * 37) % 100 + (i >= 6'000 ? 60 : 0);
    told.Row(kHour * 10 + i * (kHour / 2000), x);
  }
  told.Flush();
}

TEST(WatchBlockTest, TellsEveryColumnAtTheEndOfEachWindow) {
  WatchBlock block(PlanOf(100));
  const ModelVersions versions = Versions();
  Told told(block, versions, 256);
  RunSixHours(told);
  // Five windows have closed: three inputs, the score, and all of them together.
  ASSERT_EQ(told.rows().size(), 25U);
  EXPECT_TRUE(told.rows()[0].find(",m,1,input,x,2000,") != std::string::npos) << told.rows()[0];
  EXPECT_LT(told.psi()[5], 0.05);
  EXPECT_GT(told.psi()[20], 0.25);
  EXPECT_EQ(told.psi()[24], told.psi()[20]);  // the largest
  EXPECT_EQ(told.alarms()[5], "");
  EXPECT_EQ(told.alarms()[15], "psi,range!");  // crosses
  EXPECT_EQ(told.alarms()[20], "psi,range");   // and stays
  EXPECT_EQ(told.psi()[2], -1);                // y is missing everywhere
}

TEST(WatchBlockTest, WhereBatchesEndDoesNotShow) {
  const ModelVersions versions = Versions();
  WatchBlock one_block(PlanOf(100));
  Told one(one_block, versions, 1);
  RunSixHours(one);
  WatchBlock other_block(PlanOf(100));
  Told other(other_block, versions, 999);
  RunSixHours(other);
  EXPECT_EQ(one.rows(), other.rows());
}

TEST(WatchBlockTest, GoesOnFromASnapshotAsIfNothingHadHappened) {
  const ModelVersions versions = Versions();
  WatchBlock whole(PlanOf(100));
  Told undisturbed(whole, versions, 100);
  RunSixHours(undisturbed);
  for (int cut : {1, 300, 2'000, 5'500, 11'999}) {
    WatchBlock before(PlanOf(100));
    Told told(before, versions, 100);
    RunSixHours(told, 0, cut);
    WatchBlock after(PlanOf(100));
    ASSERT_TRUE(after.BeginLoad(before.BeginSnapshot(true)).ok());
    std::vector<state::StatePage> pages;
    while (before.TakePages(1, pages)) {
    }
    for (size_t i = pages.size(); i-- > 0;)
      ASSERT_TRUE(after.LoadPage(pages[i].number, pages[i].bytes).ok());
    after.EndLoad();
    told.GoOn(after);
    // The LSNs of the rows go on, too.
    RunSixHours(told, cut);
    EXPECT_EQ(told.rows(), undisturbed.rows()) << cut;
  }
}

TEST(WatchBlockTest, AWindowWaitsForItsRows) {
  const ModelVersions versions = Versions();
  WatchBlock block(PlanOf(5'000));
  Told told(block, versions, 64);
  RunSixHours(told);
  ASSERT_EQ(told.rows().size(), 5U);  // after three hours
  EXPECT_TRUE(told.rows()[0].find("input,x,6000,") != std::string::npos) << told.rows()[0];
}

TEST(WatchBlockTest, LooksAtASampleOfManyRows) {
  const ModelVersions versions = Versions();
  WatchBlock block(PlanOf(100));
  Told told(block, versions, 512);
  for (int i = 0; i < 300'000; ++i)
    told.Row(kHour * 10 + i * (kHour / 100'000), (i * 37) % 100);
  told.Flush();
  ASSERT_GE(told.rows().size(), 10U);
  const std::string& second = told.rows()[5];
  ASSERT_TRUE(second.find("input,x,100000,") != std::string::npos) << second;
  const std::string sampled = second.substr(second.find("input,x,100000,") + 15);
  EXPECT_LT(std::stoi(sampled), 3'000);
  EXPECT_GT(std::stoi(sampled), 1'000);
}

TEST(WatchBlockTest, ComparesWithTheBaselineOfTheFile) {
  const ModelVersions versions = Versions("1 9|0 0 25 50 75 99|0 1|1|0 0.5");
  WatchBlock block(PlanOf(100));
  Told told(block, versions, 64);
  RunSixHours(told);
  ASSERT_EQ(told.rows().size(), 25U);
  EXPECT_TRUE(told.rows()[0].find(",training,") != std::string::npos) << told.rows()[0];
  EXPECT_TRUE(told.alarms()[20].starts_with("psi")) << told.alarms()[20];
}

TEST(WatchBlockTest, RefusesDamagedState) {
  WatchBlock block(PlanOf(100));
  const ModelVersions versions = Versions();
  Told told(block, versions, 64);
  RunSixHours(told, 0, 700);
  std::string state;
  block.Save(state);
  for (size_t at = 0; at < state.size(); at += 97) {
    std::string damaged = state;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    WatchBlock loaded(PlanOf(100));
    EXPECT_FALSE(loaded.Load(damaged).ok()) << at;
  }
  WatchBlock loaded(PlanOf(100));
  EXPECT_TRUE(loaded.Load(state).ok());
  WatchPlan other = PlanOf(100);
  other.names[0] = "z";
  WatchBlock different(other);
  EXPECT_FALSE(different.Load(state).ok());
}

}  // namespace
}  // namespace headrace::flow
