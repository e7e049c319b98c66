#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "flow/collector.h"
#include "flow/plan.h"
#include "flow/remote_answer.h"
#include "headrace/result.h"
#include "row/batch.h"
#include "schema/codec.h"

namespace headrace::flow {

// The rows of a statement that wait for the answers of remote models, and the time of the stream
// behind them.
//
// A row that asks is set aside, whole, and goes on at the place of its last answer; the others go
// on meanwhile. Which rows wait, and which find no room, is a function of the events and the
// answers in the log's order, so a replay that reads the answers gives the same rows. What reads
// the statement must not take a row for late because its answer was: no watermark passes that of a
// row that waits. Confined. Limits: the queue of the model (with kWait the rows of the events at
// hand come on top, kBeyondQueue at most) and kBytesMax; what finds no room gets the default value.
class AskingRows {
 public:
  static constexpr size_t kBytesMax = 64 << 20;
  static constexpr size_t kBeyondQueue = 1 << 16;

  explicit AskingRows(std::shared_ptr<const StatementPlan> plan);

  // The rows of `working` that are not failed ask what the stage asks. Those that must wait are
  // kept and marked failed; the others have their answers. `origins`: their rows of the input.
  void Ask(size_t stage, row::Batch& working, const std::vector<row::Row*>& origins);
  // When that was the last answer that its row waited for, the row is added to `working`, with the
  // answer's place as its cause, and the stage that asked is returned. An answer that nobody waits
  // for is passed over.
  std::optional<size_t> Take(const RemoteAnswer& answer, row::Place at, row::Batch& working);

  // Appends to `passed` the steps that readers may know of now, and gives the rows that go on the
  // watermark that readers know.
  void Hold(row::Batch& rows, const std::vector<WatermarkStep>& steps,
            std::vector<WatermarkStep>& passed);
  // Behind Take: what no row that waits holds back any more.
  void Lift(row::Place at, std::vector<WatermarkStep>& passed);

  // Questions that were not given out yet, in their order.
  void TakeAsks(std::vector<flow::Ask>& out);
  // From here on all count as not given out.
  void TakeAgain() { given_.reset(); }
  size_t size() const { return waiting_.size(); }
  size_t bytes() const { return bytes_; }
  // Whether a model whose rows make the input wait has as many as it may.
  bool full() const;

  void Redate(std::shared_ptr<const StatementPlan> plan) { plan_ = std::move(plan); }

  // For snapshots: known and passed watermark, newest event time i64; rows varint, per row cause
  // and event (varints), ordinal and stage varint, watermark i64, questions varint, each number
  // varint and inputs as model::AppendRemoteValues; answers varint, each a string; the row as Keep
  // writes it, a string. Load: kCorruption.
  void Save(std::string& out) const;
  Status Load(std::string_view bytes);

 private:
  struct Open {
    uint32_t question = 0;
    std::string inputs;  // encoded
  };
  struct Waiting {
    row::Place event;
    size_t stage = 0;
    int64_t watermark = INT64_MIN;  // of the row as it asked
    std::vector<Open> open;
    std::vector<RemoteAnswer> answers;
    std::string row;

    size_t bytes() const;
  };

  // Answers at once, or adds to `open`.
  void AskOne(const RemoteQuestion& question, uint32_t number, row::Row& row, base::Arena& arena,
              std::vector<Open>& open) const;
  // Nothing: an input cannot be sent.
  static std::optional<std::string> InputsOf(const RemoteQuestion& question, const row::Row& row);
  bool HasRoom(const RemotePlan& model) const;
  void Keep(size_t stage, const row::Row& row, const row::Row& origin, std::vector<Open> open);
  void Restore(const Waiting& waiting, row::Place at, row::Batch& working) const;
  bool LoadOne(base::ByteReader& reader);
  row::Type TypeOf(size_t slot) const;
  // The watermark that readers may know at most.
  int64_t held() const { return held_.empty() ? INT64_MAX : *held_.begin(); }
  size_t slots() const { return static_cast<size_t>(plan_->select->slots); }

  std::shared_ptr<const StatementPlan> plan_;
  schema::JsonEncoder input_;  // of a derived row that is refused later
  std::map<AskingRow, Waiting> waiting_;
  std::multiset<int64_t> held_;  // the watermarks of the rows that wait
  size_t bytes_ = 0;
  WatermarkStep known_{{}, INT64_MIN, INT64_MIN};  // the newest step, passed on or not
  int64_t passed_ = INT64_MIN;
  std::optional<AskingRow> given_;
};

}  // namespace headrace::flow
