#pragma once

#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "flow/collector.h"
#include "flow/plan.h"
#include "flow/select_node.h"
#include "flow/source_node.h"
#include "flow/waiting_rows.h"
#include "flow/window_node.h"
#include "headrace/result.h"
#include "os/worker_team.h"
#include "row/batch.h"

namespace headrace::flow {

// A page of the graph's `block`-th key block, counted over all statements as they were added.
struct BlockPage {
  uint32_t block = 0;
  state::StatePage page;
};

// Everything that is computed from a set of plans, with its state: the operators of all statements,
// connected. Live traffic, recovery, verify and why each run a graph of their own over the same
// plans.
//
// A batch of one source runs to its end: source, then every statement that reads it, depth first.
// A side output runs behind the statement whose late rows it takes, in place of reading its input.
// Of the revisions of a statement one emits, by the LSN of the batch; a later one takes the rows
// into its state, a former one is done and gives its state up. What a statement refuses of the past
// it was computed over does not depend on what the others refuse: it was computed apart from them.
// Confined. The plans and models it is given are shared and immutable.
class Graph {
 public:
  // What a graph may use of the machine; must outlive it.
  struct Means {
    os::WorkerTeam* team = nullptr;  // runs it together; null: the caller alone
    os::SpillFile* spill = nullptr;  // takes the state; null: memory does
    bool keeps_within = true;        // its limit; otherwise another thread does, meanwhile
  };
  explicit Graph(ModelLookup models, Means means);
  explicit Graph(ModelLookup models) : Graph(std::move(models), Means{}) {}
  ~Graph();

  void AddSource(std::shared_ptr<const SourcePlan> plan);
  // Its input must have been added; of a side output, the statement that it is of. A statement of a
  // name that is there already is its next revision: what reads the one before reads it, too.
  void AddStatement(std::shared_ptr<const StatementPlan> plan);

  // A statement that `from` has computed, where its plan is `computed`, goes on here with its
  // state: as AddStatement otherwise. What read it there is of no use any more.
  void Adopt(Graph& from, const StatementPlan& computed, std::shared_ptr<const StatementPlan> plan);
  // The revision goes on under this plan, which differs in LSNs alone, but not in that of its text.
  void Redate(std::shared_ptr<const StatementPlan> plan);

  // The source that reads the topic, or null.
  SourceNode* FindSource(std::string_view topic);
  std::set<std::string> topics() const;
  const std::vector<std::string>& sources_in_order() const { return source_names_; }

  // Runs admitted rows (places, partitions and offsets set) of one frame through everything behind
  // their source. Rows marked failed are passed over.
  void Run(SourceNode& source, row::Batch& batch, const Arrival& arrival, Collector& collector);
  // The input has ended: closes every window behind it.
  void Finish(SourceNode& source, row::Place at, Collector& collector);

  // Whose state a snapshot must hold to be loaded: of these statements exactly (sources may have
  // come since), of all that have any, or of none. What it lacks then begins empty, what the graph
  // lacks is passed over.
  enum class Match { kExact, kState, kAny };

  // Snapshots. BeginSnapshot fixes the moment and gives what is no page of a key block; TakePages
  // goes on as KeyBlock::TakePages does. Loading goes into a graph that has not run: BeginLoad,
  // each page, EndLoad. Errors: kConflict for the state of other statements, kCorruption; the graph
  // must then be thrown away.
  std::string BeginSnapshot(bool whole);
  bool TakePages(size_t bytes_max, std::vector<BlockPage>& out);
  Status BeginLoad(std::string_view head, Match match);
  Status LoadPage(uint32_t block, uint32_t number, std::string_view bytes);
  void EndLoad();

  // Which must outlive the graph's last run; null: none.
  void SetProbe(Probe* probe);
  size_t state_bytes() const;

 private:
  struct Reader {
    size_t statement = 0;
    std::vector<int> columns;  // of the input row, or -1 for NULL; empty: the row as it is
  };
  struct Statement {
    std::shared_ptr<const StatementPlan> plan;
    std::unique_ptr<SelectNode> select;  // all null when the revision is done
    std::unique_ptr<WindowNode> window;
    std::unique_ptr<WaitingRows> waiting;  // before `select`, when it emits on watermark
    row::Batch output;
    row::Batch input;           // rows of another revision of its input, laid out as it was planned
    std::vector<bool> refused;  // of the rows it was given: what others refused, while it is apart
    std::vector<Reader> readers;
    Statement* side = nullptr;  // takes the rows that are too late; null: nobody does
    row::Batch late;            // those of the batch at hand; their values are the input's
  };
  // What runs a batch: its LSN decides which revisions emit.
  struct Passage {
    uint64_t lsn = 0;
    const std::vector<WatermarkStep>& steps;
    Collector& collector;
  };

  // While another thread keeps within the limit, the spill file's pages stay as they are.
  std::shared_lock<std::shared_mutex> Hold() const;
  void KeepWithin() {
    if (spill_ != nullptr && keeps_within_) spill_->KeepWithin();
  }
  Statement& RevisionOf(const StatementPlan& plan);
  void Connect(const std::string& input, size_t reader);
  // By number; null: of a revision that is done.
  std::vector<state::KeyBlock*> KeyBlocks() const;
  Status LoadSources(base::ByteReader& reader, Match match);
  Status LoadStatements(base::ByteReader& reader, Match match);
  // Null: no statement of the graph is what the head tells of next, which is passed over.
  Status LoadStatement(Statement* statement, base::ByteReader& reader);
  Status LoadBlocks(Statement* statement, uint64_t blocks, base::ByteReader& reader);
  void RunReaders(const std::vector<Reader>& readers, row::Batch& batch, const Passage& passage);
  // Runs what is still apart from the others: what they refused it does not see, and they do not
  // see what it refuses.
  void RunApart(const Reader& reader, row::Batch& batch, const Passage& passage);
  void RunReader(const Reader& reader, row::Batch& batch, const Passage& passage);
  void RunMapped(const Reader& reader, row::Batch& batch, const Passage& passage);
  // `collector` takes what the statement itself gives, the passage's what its readers do.
  void RunStatement(Statement& statement, row::Batch& batch, const Passage& passage,
                    Collector& collector);
  // With the readers.
  void RunNode(Statement& statement, row::Batch& batch, const Passage& passage,
               Collector& collector);
  void RunWaiting(Statement& statement, row::Batch& batch, const Passage& passage,
                  Collector& collector);

  ModelLookup models_;
  os::WorkerTeam alone_{1};
  os::WorkerTeam& team_;
  os::SpillFile* spill_;
  bool keeps_within_;
  std::vector<std::string> source_names_;
  std::map<std::string, std::unique_ptr<SourceNode>, std::less<>> sources_by_topic_;
  std::map<std::string, std::vector<Reader>, std::less<>> readers_of_source_;
  std::map<std::string, std::vector<size_t>, std::less<>> revisions_;  // by name, ascending
  std::map<std::string, std::string, std::less<>> topic_of_source_;
  std::vector<std::unique_ptr<Statement>> statements_;
  std::vector<WatermarkStep> steps_;
  // While a snapshot is loaded: by its number of a block; null for what is passed over.
  std::vector<state::KeyBlock*> loading_;
};

}  // namespace headrace::flow
