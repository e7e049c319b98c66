#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "embed/embedded_engine.h"
#include "os/memory_file_system.h"

namespace headrace::embed {
namespace {

constexpr const char* kScript = R"(
CREATE STREAM payments (card TEXT NOT NULL, amount DECIMAL(12,2), ts TIMESTAMPTZ NOT NULL,
                        WATERMARK FOR ts AS ts - INTERVAL '5 seconds');
CREATE STREAM decisions AS
SELECT card, sum(amount) OVER (PARTITION BY card ORDER BY ts) AS total,
       CASE WHEN total > 100 THEN 'review' ELSE 'approve' END AS decision
FROM payments;
)";

std::string Payment(const std::string& amount) {
  return R"({"card":"c","amount":)" + amount + R"(,"ts":"2026-01-31T10:00:00Z"})";
}

class EmbeddedEngineTest : public testing::Test {
 protected:
  void SetUp() override { Reopen(std::make_unique<os::MemoryFileSystem>()); }
  void Reopen(std::unique_ptr<os::FileSystem> files) {
    auto clock = std::make_unique<os::ManualClock>(1'800'000'000'000'000);
    auto opened = EmbeddedEngine::Open(std::move(files), std::move(clock), "data");
    ASSERT_TRUE(opened.ok()) << opened.error().ToString();
    engine_ = std::move(opened).value();
  }
  void Deploy() { ASSERT_TRUE(engine_->Execute(kScript, "app.sql").ok()); }

  std::unique_ptr<EmbeddedEngine> engine_;
};

TEST_F(EmbeddedEngineTest, AnAnswerCarriesTheRowsOfItsEvents) {
  Deploy();
  auto answer = engine_->Send("payments", {Payment("60"), Payment("50.50")}, "decisions");
  ASSERT_TRUE(answer.ok()) << answer.error().ToString();
  EXPECT_EQ(answer->accepted, 2U);
  ASSERT_EQ(answer->rows.size(), 2U);
  EXPECT_EQ(answer->rows[1],
            R"({"_id":"decisions:0:1","card":"c","total":110.50,"decision":"review"})");
  auto why = engine_->Why("decisions:0:1");
  ASSERT_TRUE(why.ok());
  EXPECT_NE(why->find(R"("recomputed":true)"), std::string::npos);
  auto rows = engine_->Query("SELECT decision, count(*) AS n FROM decisions GROUP BY decision");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(*rows, (std::vector<std::string>{R"({"decision":"approve","n":1})",
                                             R"({"decision":"review","n":1})"}));
}

TEST_F(EmbeddedEngineTest, ABadEventIsRefusedAndTheOthersAreTaken) {
  Deploy();
  auto answer = engine_->Send("payments", {Payment("1"), R"({"amount":1})", Payment("2")}, "");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->accepted, 2U);
  ASSERT_EQ(answer->refused.size(), 1U);
  EXPECT_EQ(answer->refused[0].index, 1U);
  EXPECT_EQ(answer->refused[0].error.place(), "/card");
  EXPECT_TRUE(answer->rows.empty());
}

TEST_F(EmbeddedEngineTest, ErrorsComeBackAsResults) {
  EXPECT_EQ(engine_->Execute("SELECT 1 +;", "a.sql").error().kind(), ErrorKind::kInvalidArgument);
  EXPECT_EQ(engine_->Send("nowhere", {"{}"}, "").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(engine_->Why("a:0:0").error().kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(engine_->Query("SELECT nope").ok());
  ASSERT_TRUE(engine_->Close().ok());
  EXPECT_EQ(engine_->Send("payments", {Payment("1")}, "").error().kind(), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace headrace::embed
