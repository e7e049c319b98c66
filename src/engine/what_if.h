#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/label_table.h"
#include "flow/probe.h"
#include "flow/score_timer.h"
#include "headrace/result.h"
#include "log/log.h"
#include "os/file_system.h"
#include "row/batch.h"

namespace headrace::engine {

class Deployment;
class SnapshotStore;

// What is otherwise in a fork than it was.
struct ForkRequest {
  std::string script;  // CREATE statements: each takes the place of that of its name
  std::string file;    // names the script; model files are looked for beside it
  // Model name, and the number of a version or a file: it decides from the first event on.
  std::vector<std::pair<std::string, std::string>> models;
};

// A bound of a replay: a place in the journal, or a time of events.
struct Moment {
  std::optional<uint64_t> lsn;
  int64_t micros = 0;  // since 1970, without `lsn`

  // Digits are an LSN, all else is RFC 3339. Error: HR1211.
  static Result<Moment> Parse(std::string_view text);
};

struct WhatIfRequest {
  ForkRequest fork;
  std::string stream;  // whose rows are told; empty: of what the script makes last
  // Rows that events behind or before caused are left out (both ends are in). The state is that of
  // all events that the log holds.
  std::optional<Moment> from;
  std::optional<Moment> to;
  bool csv = false;      // rows as CSV with a header, not as JSON lines
  bool compare = false;  // with the rows in the log
  // What is compared. Empty: `decision`, or the texts and booleans made by CASE, or all.
  std::vector<std::string> decisions;
  std::string sum;                     // a column added up over the rows that flipped; empty: none
  std::string by;                      // a column by whose values flips are told apart; empty: none
  std::optional<LabelRequest> labels;  // what decisions are counted against
  bool why = false;                    // explain the sample, on both sides
};

// Whether the request asks for rows of this cause and time.
bool InRange(const WhatIfRequest& request, row::Place cause, int64_t event_time);

// Rows whose decision went from one text to another. Texts are JSON; of several columns, an array.
struct Flips {
  std::string from;
  std::string to;
  std::string by;  // "null" when not asked for
  uint64_t count = 0;
  std::string sum;  // JSON; "null" when not asked for
};

// A row that changed, as JSON objects; "null" where there is none.
struct ChangedRow {
  std::string id;  // of the row in the log; empty: there is none
  std::string before;
  std::string after;
  // With `why`, of each side: as `headrace why`, from `features` on.
  std::string why_before = "null";
  std::string why_after = "null";
  row::Place cause;
  int32_t partition = 0;  // of the row in the fork, with its offset there
  int64_t fork_offset = -1;
};

// A row of the log and that of the fork which belongs to it, decoded. Both live for the call.
struct RowPair {
  row::Place cause;
  std::string_view id;  // of the row in the log
  const row::Schema& before_schema;
  const row::Value* before;
  const row::Schema& after_schema;
  const row::Value* after;
};

// Is handed such pairs within the asked range, in the order of their causes, by one thread that is
// not that of the replay and is done when RunWhatIf returns.
class PairTaker {
 public:
  virtual ~PairTaker() = default;
  virtual void Take(const RowPair& pair) = 0;
};

// How many rows with one label were decided so. Texts are JSON; a row without a label has none.
struct Confusion {
  std::string decision;
  std::string label;
  uint64_t before = 0;
  uint64_t after = 0;
};

struct WhatIfReport {
  std::string stream;
  std::vector<std::string> changed_statements;
  uint64_t from_lsn = 1;  // of the first event that was run
  uint64_t last_lsn = 0;  // up to which everything was run
  uint64_t events = 0;    // run
  uint64_t rows = 0;      // told
  // With `compare`:
  std::vector<std::string> decisions;  // the columns
  uint64_t compared = 0;               // rows there and here
  uint64_t differing = 0;              // of these, in any column that both have
  uint64_t changed = 0;                // whose decision differs, and rows that only one side has
  uint64_t only_before = 0;
  uint64_t only_after = 0;
  std::vector<Flips> flips;          // by from, to, by
  std::vector<ChangedRow> sample;    // the first, at most kChangedSample
  std::vector<Confusion> confusion;  // with labels, by decision and label
};

inline constexpr size_t kChangedSample = 10;

// What a replay reads from, and what it may use.
struct WhatIfMeans {
  os::FileSystem& files;  // for the models that the request names
  const log::Log& log;
  const SnapshotStore& store;
  const Deployment& deployment;
  size_t workers = 1;
  flow::Probe* probe = nullptr;  // sees what the fork does, within the asked range and before it
  PairTaker* pairs = nullptr;    // with `compare`: sees rows beside those of the log
  flow::ScoreTimer* timer = nullptr;
};

using TakeBytes = std::function<Status(std::string_view bytes)>;

// With nothing otherwise that has state, and a `from`, it begins with the newest snapshot before
// that. Runs the past through a fork and hands on the rows of one stream, in the order of their
// causes, as they would have been written; the log is only read. Errors: those of MakeFork, HR1204,
// HR1211, of `take`, and of reading.
Result<WhatIfReport> RunWhatIf(const WhatIfMeans& means, const WhatIfRequest& request,
                               const TakeBytes& take,
                               const std::function<void(uint64_t events)>& progress);

}  // namespace headrace::engine
