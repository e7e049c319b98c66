#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/deployment.h"
#include "flow/collector.h"
#include "log/record_batch.h"
#include "schema/codec.h"

namespace headrace::engine {

// A derived row on its way to its topic: encoded, with its cause.
struct EmittedRow {
  int32_t partition = 0;
  row::Place cause;
  int64_t event_time = 0;
  std::string_view value;
  // Dead letters carry their reason as Kafka headers.
  const std::vector<std::pair<std::string_view, std::string_view>>* headers = nullptr;
};

// Of the events that a statement was computed over, at most so many become its dead letters.
inline constexpr size_t kPastLettersMax = 100'000;

// Encodes what the flow emits and hands it on by topic, in the order of causes. Rows of a stream go
// on at once; dead letters, which several statements write to one topic, wait for FinishFrame,
// which puts them in the order (cause, statement), so that batch boundaries cannot show.
//
// A statement that refuses events of the past it was computed over finds the dead letters of that
// time written: its own go behind them, where it joined the others, in a replay as on the day
// itself. Of those that are merely late, which was no news then, it makes none. Confined to the
// thread that runs the flow.
class Emission : public flow::Collector {
 public:
  explicit Emission(std::shared_ptr<const Deployment> deployment);
  ~Emission() override;

  void Emit(const flow::StatementPlan& statement, row::Row& row) override;
  void EmitAll(const flow::StatementPlan& statement, row::Batch& batch,
               os::WorkerTeam& team) override;
  void Refuse(const std::string& stream, const row::Row& row,
              const flow::Refusal& refusal) override;
  void TakeLate(const flow::StatementPlan& statement, const row::Row& row) override;

  // The frame has run to its end: hands on its dead letters.
  void FinishFrame();
  // Everything before `lsn` has been run: hands on what statements that joined there refused of the
  // past.
  void Reach(uint64_t lsn);
  // The same for a statement whose plan does not know yet that it joins there.
  void Join(const std::string& statement, uint64_t lsn);

  // What causes up to the LSN gave is known: a snapshot holds what they stem from.
  void StartBehind(uint64_t lsn);

  uint64_t late() const { return late_; }
  uint64_t dead() const { return dead_; }
  uint64_t rows() const { return rows_; }

 protected:
  // Takes the row and gives its offset. `stream` indexes Deployment::items.
  virtual int64_t OnRow(size_t stream, const EmittedRow& row) = 0;
  // Whether OnRow looks at the bytes of rows of the stream; else they need not be made, and are
  // empty.
  virtual bool WantsBytes(size_t) const { return true; }
  const Deployment& deployment() const { return *deployment_; }
  // The offset at which the rows of the partition go on, when this cause is the first behind a halt
  // of its statement: what is recomputed of the time before may be another number of rows.
  std::optional<int64_t> Cross(size_t stream, int32_t partition, uint64_t cause);
  // Whether a halt of the partition's statement is ahead, or a drop of another that may have had a
  // say in its dead letters.
  bool BeforeHalt(size_t stream, int32_t partition) const;
  // The latter alone: what stands there cannot be computed any more.
  bool BeforeDrop(size_t stream, int32_t partition) const;

 private:
  struct Stop {
    uint64_t lsn = 0;
    int64_t next_offset = 0;
    bool drop = false;
  };
  using Halts = std::deque<Stop>;  // ascending
  // Where the rows of a revision of a statement go, and how they are written.
  struct Output {
    size_t item = 0;
    std::unique_ptr<schema::JsonEncoder> encoder;
  };
  struct DeadLetter {
    size_t stream = 0;
    int32_t partition = 0;
    row::Place cause;
    int64_t event_time = 0;
    std::string payload, code, reason, pointer, topic, partition_text, offset_text;
  };

  // Rows encoded by one worker, one behind the other.
  struct Encoded {
    std::string json;
    std::vector<size_t> ends;
  };

  void AddStops(const catalog::Offsets& offsets, uint64_t lsn, bool drop);
  const Output& OutputOf(const flow::StatementPlan& statement);
  size_t IndexOf(const std::string& name) const;
  std::string Payload(const Deployed& from, const row::Row& row) const;
  static void SortByCause(std::vector<DeadLetter>& letters);
  void HandOnPast(std::vector<DeadLetter>& letters, uint64_t lsn);
  void HandOn(const Output& output, row::Row& row, std::string_view json);
  void HandOn(const DeadLetter& letter);

  std::shared_ptr<const Deployment> deployment_;
  std::map<std::pair<size_t, int32_t>, Halts> halts_;  // that are ahead, by item and partition
  std::map<const flow::StatementPlan*, Output> outputs_;
  const flow::StatementPlan* last_statement_ = nullptr;
  const Output* last_output_ = nullptr;
  std::vector<DeadLetter> dead_letters_;
  // By when their statement joined, and its name.
  std::map<std::pair<uint64_t, std::string>, std::vector<DeadLetter>> past_letters_;
  std::string json_;
  std::vector<Encoded> encoded_;  // by piece of a batch
  uint64_t late_ = 0;
  uint64_t dead_ = 0;
  uint64_t rows_ = 0;
};

}  // namespace headrace::engine
