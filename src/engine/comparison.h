#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/emission.h"
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "engine/replay_reader.h"
#include "log/log.h"

namespace headrace::engine {

// Compares recomputed rows with the logged ones, row by row of each topic partition.
//
// A row whose offset is logged waits (as a hash, or whole when samples are wanted) until the logged
// one is read; it is never emitted again. A row behind the logged end is handed to `beyond`: that
// is how a new statement is computed over the past and how a cut-off backfill is finished.
//
// Rows of a statement that was halted (catalog/halt.h) from before that are muted: they stand as
// they were logged, unless they are to be compared all the same. So are dead letters among which
// those of a statement may be that was dropped since (catalog/drop.h), and they stay so.
//
// In a log that was salvaged, logged rows are passed over that are lost, and rows of causes behind
// a lost event are hidden: they cannot be computed again as they were, so what is logged stands,
// and nothing is handed on. From the salvage on rows are compared as ever. Confined.
class Comparison final : public Emission {
 public:
  enum class Keep { kHashes, kRows };
  using Beyond = std::function<void(size_t stream, const EmittedRow& row)>;

  Comparison(std::shared_ptr<const Deployment> deployment, const log::Log& log, Keep keep,
             Beyond beyond);

  // Compares only these streams; empty: all.
  void Restrict(const std::vector<std::string>& streams);
  // Statements that have not joined are not in the graph: what is logged of them is not compared.
  void PassOverUnjoined();
  // From now on: rows of halted statements, too.
  void CompareHalted() { compares_halted_ = true; }
  bool differs(size_t stream) const { return differs_[stream]; }
  // The rows that derived topics had then are known: a snapshot of this LSN holds what they stem
  // from.
  void Resume(const EngineState& then, log::Lsn lsn);
  // The replay ends there. A statement that joins later has not logged all its rows yet.
  void EndAt(log::Lsn lsn);
  // A logged batch of a derived topic, in log order.
  void Logged(const log::Entry& entry, const LoggedRows& rows);
  // Everything was read: rows that wait now were never logged in the order they should.
  void Finish();

  uint64_t rows_compared() const { return compared_; }
  uint64_t differences() const { return differences_; }
  const std::vector<Difference>& sample() const { return sample_; }
  // Logged rows of causes behind a loss, and how many of them are computed otherwise now.
  uint64_t rows_hidden() const { return hidden_; }
  uint64_t hidden_differences() const { return hidden_differences_; }

 protected:
  int64_t OnRow(size_t stream, const EmittedRow& row) override;

 private:
  // Where a salvage ends.
  struct Seam {
    const catalog::Loss* loss = nullptr;
    int64_t next_offset = 0;
  };
  struct Lane {
    int64_t next_offset = 0;  // of the next recomputed row
    int64_t logged_end = 0;
    int64_t first_waiting = 0;                           // rows behind logged_end do not wait
    std::deque<uint64_t> waiting;                        // hashes of the rows from first_waiting on
    std::deque<std::string> rows;                        // the same rows, when samples are wanted
    std::deque<Seam> seams;                              // that are ahead, ascending
    std::deque<std::pair<row::Place, uint64_t>> hidden;  // hashes of rows, by cause
  };

  static void Pass(Lane& lane, uint64_t cause);
  static bool IsHidden(const Lane& lane, uint64_t cause, int64_t offset);
  void MatchHidden(Lane& lane, row::Place cause, uint64_t hash);
  void PopWaiting(Lane& lane) const;
  // True when a logged row is not to be compared.
  bool PassOver(size_t stream, const log::Entry& entry, row::Place cause, const LoggedRows& rows,
                size_t i);
  void CompareLogged(size_t stream, const log::Entry& entry, const LoggedRows& rows, size_t i);
  // Behind a halt offsets go on where it says.
  void PassHalts(size_t stream, int32_t partition, uint64_t cause);
  bool IsMuted(size_t stream, int32_t partition) const {
    return compares_halted_ ? BeforeDrop(stream, partition) : BeforeHalt(stream, partition);
  }
  void Differ(size_t stream, row::Place cause, Difference difference);
  std::string IdOf(size_t stream, int32_t partition, int64_t offset) const;

  Keep keep_;
  bool compares_halted_ = false;
  std::vector<bool> differs_;  // by item
  Beyond beyond_;
  std::vector<bool> skipped_;             // by item
  std::vector<bool> unfinished_;          // by item: what is missing is no difference
  std::vector<std::vector<Lane>> lanes_;  // by item, by partition
  uint64_t compared_ = 0;
  uint64_t differences_ = 0;
  uint64_t hidden_ = 0;
  uint64_t hidden_differences_ = 0;
  std::vector<Difference> sample_;
};

}  // namespace headrace::engine
