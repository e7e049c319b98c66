#pragma once

#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "flow/asking_rows.h"
#include "flow/collector.h"
#include "flow/plan.h"
#include "flow/policy_node.h"
#include "flow/select_node.h"
#include "flow/source_node.h"
#include "flow/waiting_rows.h"
#include "flow/window_node.h"
#include "headrace/result.h"
#include "os/worker_team.h"
#include "row/batch.h"

namespace headrace::flow {

// A page of the graph's `block`-th block of state: what sources remember, in their order, then over
// all statements as they were added.
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
// Where several statements behind one source go through the same policy, each row of that source
// runs to its end before the next: what one chooses depends on what the other was told before.
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

  // Takes all revisions of the statement out, with their state; its side output, too. Nothing may
  // read them. The blocks behind it have other numbers then: the next snapshot must be whole.
  void RemoveStatement(const std::string& name);
  // Nothing may read it.
  void RemoveSource(const std::string& name);

  // The source that reads the topic, or null.
  SourceNode* FindSource(std::string_view topic);
  std::set<std::string> topics() const;
  const std::vector<std::string>& sources_in_order() const { return source_names_; }

  // Runs admitted rows (places, partitions and offsets set) of one frame through everything behind
  // their source. Rows marked failed are passed over.
  void Run(SourceNode& source, row::Batch& batch, const Arrival& arrival, Collector& collector);
  // The input has ended: closes every window behind it.
  void Finish(SourceNode& source, row::Place at, Collector& collector);

  // What remote models answered, in the order of the log: the first stands at `first`. Rows that
  // waited for them go on.
  void Answer(const std::vector<RemoteAnswer>& answers, row::Place first, Collector& collector);
  // The questions that have come since, or, `again`, all that wait for an answer.
  std::vector<Ask> TakeAsks(bool again);
  // Whether the source must wait until rows behind it have their answers.
  bool HoldsBack(const SourceNode& source) const;
  // How many rows wait for answers.
  size_t asking() const;
  // Whether any statement asks.
  bool asks() const;

  // Whose state a snapshot must hold to be loaded: of these statements exactly, of all of them and
  // perhaps more (with both, sources may have come since), of all that have any, or of none. What
  // it lacks then begins empty, what the graph lacks is passed over.
  enum class Match { kExact, kAll, kState, kAny };

  // Snapshots. BeginSnapshot fixes the moment and gives what is no page; TakePages goes on as
  // PagedState::TakePages does. Loading goes into a graph that has not run: BeginLoad, each page,
  // EndLoad. Errors: kConflict for the state of other statements, kCorruption; the graph must then
  // be thrown away. `newer`: sources that are none of the snapshot, whatever their names.
  // The next one must be whole: the pages of what was loaded have other numbers.
  bool needs_whole_snapshot() const { return needs_whole_; }
  std::string BeginSnapshot(bool whole);
  bool TakePages(size_t bytes_max, std::vector<BlockPage>& out);
  Status BeginLoad(std::string_view head, Match match, const std::set<std::string>& newer = {});
  Status LoadPage(uint32_t block, uint32_t number, std::string_view bytes);
  void EndLoad();

  // Which must outlive the graph's last run; null: none.
  void SetProbe(Probe* probe);
  // The same; also for statements that are added.
  void SetScoreTimer(ScoreTimer* timer);
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
    std::unique_ptr<AskingRows> asking;    // beside `select`, when it asks a remote model
    std::string topic;                     // of the source that it is made from
    std::vector<WatermarkStep> passed;     // that its readers may know
    row::Batch output;
    row::Batch input;           // rows of another revision of its input, laid out as it was planned
    std::vector<bool> refused;  // of the rows it was given: what others refused, while it is apart
    std::vector<Reader> readers;
    Statement* side = nullptr;    // takes the rows that are too late; null: nobody does
    Statement* health = nullptr;  // takes what its watches tell; null: nobody does
    row::Batch late;              // those of the batch at hand; their values are the input's
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
  // As the head of a snapshot tells of a statement.
  enum class Kind : uint8_t { kDone = 0, kSelect = 1, kWindow = 2, kSorted = 3, kAsking = 4 };
  static Kind KindOf(const Statement& statement);
  static std::vector<state::PagedState*> BlocksOf(const Statement& statement);
  void RemoveRevisions(const std::string& name);
  void DropUnusedPolicies();
  // By number; null: of a revision that is done.
  std::vector<state::PagedState*> Blocks() const;
  // The head that is being loaded.
  struct Head {
    uint8_t version = 0;
    Match match = Match::kExact;
    const std::set<std::string>& newer;
  };
  Status LoadSources(base::ByteReader& reader, const Head& from);
  Status LoadStatements(base::ByteReader& reader, const Head& from);
  // Null: no statement of the graph is what the head tells of next, which is passed over.
  Status LoadStatement(Statement* statement, base::ByteReader& reader, const Head& from);
  Status LoadDone(Statement* statement, base::ByteReader& reader, const Head& from);
  Status LoadBlocks(const std::vector<state::PagedState*>* blocks, base::ByteReader& reader);
  uint64_t FirstUse(const std::string& policy) const;
  Status LoadPolicies(base::ByteReader& reader, Match match);
  std::vector<PolicyNode*> PoliciesOf(const StatementPlan& plan);
  // Whether calls of one policy in several places take the rows of the source.
  bool NeedsOneByOne(const SourceNode& source);
  // By policy and statement: how many calls take rows that come through `readers`.
  using CallCounts = std::map<std::pair<std::string, std::string>, size_t>;
  void CountCalls(const std::vector<Reader>& readers, CallCounts& calls) const;
  void CountCalls(const Statement& statement, CallCounts& calls) const;
  void RunOneByOne(const std::vector<Reader>& readers, row::Batch& batch, Collector& collector);
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
  // What the watches of the statement told goes on; `told`: it is in force.
  void RunHealth(Statement& statement, const Passage& passage, bool told);
  void RunAsking(Statement& statement, row::Batch& batch, const Passage& passage,
                 Collector& collector);
  static void End(Statement& statement);

  ModelLookup models_;
  os::WorkerTeam alone_{1};
  os::WorkerTeam& team_;
  os::SpillFile* spill_;
  bool keeps_within_;
  ScoreTimer* timer_ = nullptr;
  std::vector<std::string> source_names_;
  std::map<std::string, std::unique_ptr<SourceNode>, std::less<>> sources_by_topic_;
  std::map<std::string, std::vector<Reader>, std::less<>> readers_of_source_;
  std::map<std::string, std::vector<size_t>, std::less<>> revisions_;  // by name, ascending
  std::map<std::string, std::string, std::less<>> topic_of_source_;
  std::vector<std::unique_ptr<Statement>> statements_;
  std::map<std::string, std::unique_ptr<PolicyNode>, std::less<>> policies_;
  std::map<const SourceNode*, bool> one_by_one_;  // as far as it was asked since the last statement
  row::Batch one_;                                // RunOneByOne: the row at hand
  std::vector<WatermarkStep> one_steps_;
  std::vector<WatermarkStep> steps_;
  // While a snapshot is loaded: by its number of a block; null for what is passed over.
  std::vector<state::PagedState*> loading_;
  bool needs_whole_ = false;
};

}  // namespace headrace::flow
