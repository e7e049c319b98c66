#include "cli/test/case_run.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>

#include <simdjson.h>

#include "engine/local_engine.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"
#include "row/datetime_text.h"
#include "row/json_text.h"
#include "row/text.h"

namespace headrace::cli {
namespace {

constexpr const char* kData = "/headrace-test";
constexpr int64_t kFarFuture = 4'102'444'800'000'000;  // 2100: no event is ahead of it

// The data directory in memory, everything else (models) as it is on the disk. See FileSystem.
class CaseFiles final : public os::FileSystem {
 public:
  CaseFiles(os::FileSystem& data, os::FileSystem& real) : data_(data), real_(real) {}
  Result<std::unique_ptr<os::File>> Open(const std::string& path,
                                         os::OpenOptions options) override {
    return For(path).Open(path, options);
  }
  Status CreateDirectories(const std::string& path) override {
    return For(path).CreateDirectories(path);
  }
  Status SyncDirectory(const std::string& path) override { return For(path).SyncDirectory(path); }
  Status Rename(const std::string& from, const std::string& to) override {
    return For(from).Rename(from, to);
  }
  Status Remove(const std::string& path) override { return For(path).Remove(path); }
  bool Exists(const std::string& path) override { return For(path).Exists(path); }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    return For(directory).List(directory);
  }
  Result<uint64_t> FreeBytes(const std::string& path) override { return For(path).FreeBytes(path); }
  Result<std::unique_ptr<os::File>> Lock(const std::string& path) override {
    return For(path).Lock(path);
  }

 private:
  os::FileSystem& For(const std::string& path) { return path.starts_with(kData) ? data_ : real_; }

  os::FileSystem& data_;
  os::FileSystem& real_;
};

// Without the blanks that stand in jsonb.
std::string Compact(const std::string& json) {
  std::string compact(json.size() + simdjson::SIMDJSON_PADDING, '\0');
  size_t size = 0;
  HR_CHECK(simdjson::minify(json.data(), json.size(), compact.data(), size) == simdjson::SUCCESS);
  compact.resize(size);
  return compact;
}

// Numbers are equal by value, everything else by its text.
bool Equal(const std::string& expected, const std::string& actual) {
  if (expected == actual || expected == Compact(actual)) return true;
  auto number = [](const std::string& text) {
    return !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
  };
  if (!number(expected) || !number(actual)) return false;
  return std::strtod(expected.c_str(), nullptr) == std::strtod(actual.c_str(), nullptr);
}

// One run of a case: one disk, one or more lives of the program. Confined.
class CaseRun {
 public:
  CaseRun(const TestCase& test, const std::string& script, const std::string& file)
      : test_(test), script_(script), file_(file), real_(os::MakePosixFileSystem()) {}

  // `crash_at` 0: undisturbed.
  Status Run(uint64_t crash_at) {
    if (!test_.now.empty()) {
      HR_ASSIGN(int64_t now, row::ParseTimestampTz(test_.now));
      clock_.Set(now);
    }
    Status lived = Live(crash_at);
    operations_ = faulty_->operations();
    if (crash_at > 0 && faulty_->crashed()) {
      engine_.reset();
      disk_.Crash(crash_at);
      lived = Live(0);
    }
    HR_TRY(lived);
    return engine_->Close();
  }

  const std::vector<std::string>& failures() const { return failures_; }
  const std::string& rows() const { return rows_; }
  uint64_t operations() const { return operations_; }

 private:
  // A life goes on where the one before ended: step_ and event_ say where.
  Status Live(uint64_t crash_at) {
    HR_TRY(Start(crash_at));
    for (; step_ < test_.steps.size(); ++step_, event_ = 0, stream_ = 0)
      HR_TRY(RunStep(test_.steps[step_]));
    return ReadAll();
  }

  Status Start(uint64_t crash_at) {
    engine_.reset();
    faulty_ = std::make_unique<os::FaultyFileSystem>(disk_);
    if (crash_at > 0) faulty_->CrashAtOperation(crash_at);
    files_ = std::make_unique<CaseFiles>(*faulty_, *real_);
    return Open();
  }

  Status Open() {
    metrics_ = std::make_unique<base::MetricsRegistry>();
    engine::EngineOptions options;
    options.directory = kData;
    options.halts = false;
    options.log.journal_file_bytes = 1 << 20;
    HR_ASSIGN(engine_, engine::LocalEngine::Open(*files_, clock_, *metrics_, options, nullptr));
    return engine_->Execute(script_, file_);
  }

  Status RunStep(const CaseStep& step) {
    switch (step.kind) {
      case CaseStep::Kind::kEvents:
        return TakeEvents(step);
      case CaseStep::Kind::kExpect:
        for (; stream_ < step.streams.size(); ++stream_)
          HR_TRY(Expect(step.streams[stream_]));
        return Ok();
      case CaseStep::Kind::kFinish:
        return Finish(step);
      case CaseStep::Kind::kRestart:
        HR_TRY(engine_->Close());
        engine_.reset();
        return Open();
      case CaseStep::Kind::kQuery:
        return Ask(step);
    }
    return Ok();
  }

  Status TakeEvents(const CaseStep& step) {
    for (; stream_ < step.streams.size(); ++stream_, event_ = 0) {
      const CaseRows& events = step.streams[stream_];
      const engine::Deployed* item = engine_->deployment()->Find(events.stream);
      if (item == nullptr || !item->source) return Unknown(events);
      for (; event_ < events.rows.size(); ++event_, before_ = -1)
        HR_TRY(TakeEvent(*item, events.rows[event_]));
    }
    return Ok();
  }

  // One event, one group. The life before may have made it durable and not lived to know.
  Status TakeEvent(const engine::Deployed& item, const CaseRow& event) {
    const int64_t there = EventsIn(item);
    if (before_ >= 0 && there > before_) return Ok();
    before_ = there;
    std::string json = "{";
    for (const auto& [column, value] : event) {
      if (json.size() > 1) json += ',';
      row::AppendJsonString(column, json);
      json += ':' + value.json;
    }
    engine::IngestRequest request;
    request.topic = item.topic();
    request.payloads = {json + "}"};
    request.reject_bad = false;  // to the dead letters, as from a file
    std::optional<Error> failed;
    request.done = [&](engine::IngestReply reply) { failed = std::move(reply.error); };
    engine_->Submit(std::move(request));
    while (engine_->Pump()) {
    }
    HR_TRY(engine_->log().WaitDurable(engine_->log().last_lsn()));
    engine_->Complete();
    HR_TRY(engine_->FinishAsks());
    return failed ? Status(*failed) : Ok();
  }

  int64_t EventsIn(const engine::Deployed& item) const {
    int64_t events = 0;
    for (int32_t p = 0; p < item.partitions; ++p)
      events += engine_->log().end_offset(item.topic(), p);
    return events;
  }

  Status Finish(const CaseStep& step) {
    std::vector<std::string> names = step.finished;
    auto deployment = engine_->deployment();
    for (const engine::Deployed& item : deployment->items) {
      if (step.finished.empty() && item.source) names.push_back(item.name);
    }
    for (const std::string& name : names) {
      const engine::Deployed* item = deployment->Find(name);
      if (item == nullptr || !item->source) return Unknown({name, {}, {}, step.line});
      HR_TRY(engine_->FinishInput(name));
    }
    return Ok();
  }

  Error Unknown(const CaseRows& rows) const {
    return Error(ErrorKind::kNotFound, "HR9013", "no such stream as " + rows.stream)
        .AtPlace(std::to_string(rows.line));
  }

  Result<std::vector<std::string>> RowsOf(const std::string& stream, bool with_ids) {
    engine::RowRange range;
    range.limit = SIZE_MAX;
    range.with_ids = with_ids;
    HR_ASSIGN(std::string text, engine_->ReadRows(stream, range));
    std::vector<std::string> rows;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      rows.push_back(text.substr(begin, end - begin));
      begin = end == std::string::npos ? text.size() : end + 1;
    }
    return rows;
  }

  // The rows since the last expectation of the stream, in order.
  Status Expect(const CaseRows& expected) {
    if (engine_->deployment()->Find(expected.stream) == nullptr) return Unknown(expected);
    HR_ASSIGN(std::vector<std::string> rows, RowsOf(expected.stream, false));
    size_t& seen = seen_[expected.stream];
    for (size_t i = 0; i < expected.rows.size(); ++i) {
      if (seen + i >= rows.size()) {
        Fail(expected.lines[i], expected.stream + ": no row " + std::to_string(i + 1));
        break;
      }
      CompareRow(expected, i, rows[seen + i]);
    }
    for (size_t i = seen + expected.rows.size(); i < rows.size(); ++i)
      Fail(expected.line, expected.stream + ": a row that is not expected: " + rows[i]);
    seen = rows.size();
    return Ok();
  }

  void CompareRow(const CaseRows& expected, size_t index, const std::string& row) {
    std::map<std::string, std::string> cells;
    for (const row::JsonMember& member : row::JsonMembers(row)) {
      std::string name;
      row::AppendUnescaped(member.key, name);
      cells[name] = std::string(member.value);
    }
    const std::string where = expected.stream + " row " + std::to_string(index + 1) + ": ";
    for (const auto& [column, value] : expected.rows[index]) {
      const auto cell = cells.find(column);
      if (cell == cells.end()) {
        Fail(value.line, std::string(where)
                             .append("there is no column ")
                             .append(column)
                             .append(" in ")
                             .append(row));
      } else {
        Compare(value, cell->second, where + column);
      }
    }
  }

  void Compare(const CaseValue& expected, const std::string& actual, const std::string& what) {
    if (Equal(expected.json, actual)) return;
    Fail(expected.line, what + " is " + actual + ", expected " + expected.json);
  }

  Status Ask(const CaseStep& step) {
    HR_ASSIGN(engine::QueryResult answer, engine_->Query(step.query));
    if (answer.rows.size() != step.rows.size()) {
      Fail(step.line, "the query gives " + std::to_string(answer.rows.size()) + " rows, expected " +
                          std::to_string(step.rows.size()));
      return Ok();
    }
    for (size_t r = 0; r < step.rows.size(); ++r)
      CompareAnswer(step, r, answer);
    return Ok();
  }

  void CompareAnswer(const CaseStep& step, size_t r, const engine::QueryResult& answer) {
    const std::vector<CaseValue>& expected = step.rows[r];
    const std::string where = "query row " + std::to_string(r + 1) + ": ";
    if (expected.size() != answer.columns.columns.size()) {
      Fail(step.line, where + std::to_string(answer.columns.columns.size()) +
                          " columns, expected " + std::to_string(expected.size()));
      return;
    }
    for (size_t c = 0; c < expected.size(); ++c) {
      std::string actual;
      row::AppendJson(answer.rows[r][c], answer.columns.columns[c].type, actual);
      Compare(expected[c], actual, where + answer.columns.columns[c].name);
    }
  }

  // Everything that came out, with IDs.
  Status ReadAll() {
    rows_.clear();
    for (const engine::StreamInfo& info : engine_->streams()) {
      HR_ASSIGN(std::vector<std::string> rows, RowsOf(info.name, true));
      for (const std::string& row : rows)
        rows_.append(info.name).append(" ").append(row).append("\n");
    }
    return Ok();
  }

  void Fail(int line, const std::string& what) {
    failures_.push_back(std::to_string(line) + ": " + what);
  }

  const TestCase& test_;
  const std::string& script_;
  const std::string& file_;
  os::MemoryFileSystem disk_;
  std::unique_ptr<os::FileSystem> real_;
  os::ManualClock clock_{kFarFuture};
  std::unique_ptr<os::FaultyFileSystem> faulty_;
  std::unique_ptr<CaseFiles> files_;
  std::unique_ptr<base::MetricsRegistry> metrics_;
  std::unique_ptr<engine::LocalEngine> engine_;
  size_t step_ = 0;
  size_t stream_ = 0;
  size_t event_ = 0;
  int64_t before_ = -1;  // events in the topic before the one that is on its way; -1: none is
  std::map<std::string, size_t> seen_;
  std::vector<std::string> failures_;
  std::string rows_;
  uint64_t operations_ = 0;
};

}  // namespace

Result<CaseOutcome> RunCase(const TestCase& test, const std::string& script,
                            const std::string& file, uint64_t crash_at) {
  CaseOutcome outcome;
  CaseRun calm(test, script, file);
  HR_TRY(calm.Run(0));
  outcome.failures = calm.failures();
  if (crash_at == 0 || !outcome.failures.empty()) return outcome;
  const bool every = crash_at == UINT64_MAX;
  const uint64_t last = every ? std::min(calm.operations(), kCrashPointsMax) : crash_at;
  if (every) outcome.crash_points_left_out = calm.operations() - last;
  for (uint64_t at = every ? 1 : crash_at; at <= last; ++at) {
    CaseRun disturbed(test, script, file);
    HR_TRY(disturbed.Run(at));
    ++outcome.crash_points;
    const std::string where = "with a crash at operation " + std::to_string(at) + ": ";
    for (const std::string& failure : disturbed.failures())
      outcome.failures.push_back(where + failure);
    if (disturbed.rows() != calm.rows()) {
      outcome.failures.push_back(where + "other rows than without it");
    }
    if (!outcome.failures.empty()) break;
  }
  return outcome;
}

}  // namespace headrace::cli
