// Golden scripts: tests/scripts/NAME.sql must give what tests/scripts/NAME.out says. With
// HEADRACE_UPDATE=1 the .out files are written instead; read the difference before it is committed.
//
// A script is SQL with directives, each a comment on a line of its own; what stands before one is
// deployed first:
//   -- > STREAM EVENT      an event, as JSON; those that follow one another are taken together
//   -- deploy              nothing more: what stands before it is a script of its own
//   -- finish STREAM       its input has ended
//   -- restart             the program ends and starts again
//   -- query SELECT ...    answered now
//   -- why ID              explained now
// At the end stand the rows of every derived stream and all dead letters.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "engine/test_program.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "tests/scripts";

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  if (!fs::exists(kFolder)) return names;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".sql") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Runs one script and writes down what it gives.
class ScriptRun {
 public:
  explicit ScriptRun(std::string name) : name_(std::move(name)) {
    for (const auto& entry : fs::directory_iterator(kFolder)) {
      // Models; the other files are scripts and what they give.
      if (entry.path().extension() != ".txt" && entry.path().extension() != ".onnx") continue;
      std::string path = "/" + entry.path().filename().string();
      os::ReplaceFile(program_.disk(), path, ReadAll(entry.path())).value();
    }
  }

  std::string Run(const std::string& script) {
    std::istringstream lines(script);
    std::string line;
    while (std::getline(lines, line)) {
      ++line_;
      if (line.starts_with("-- > ")) {
        Deploy();
        TakeEvent(line.substr(5));
        continue;
      }
      FeedEvents();
      if (Directive(line)) continue;
      if (sql_.empty()) sql_.assign(line_ - 1, '\n');  // places are those of the file
      sql_ += line + "\n";
    }
    FeedEvents();
    Deploy();
    WriteStreams();
    return out_;
  }

 private:
  bool Directive(const std::string& line) {
    for (const char* word : {"deploy", "finish ", "query ", "why ", "restart"}) {
      std::string start = std::string("-- ") + word;
      if (!line.starts_with(start)) continue;
      Deploy();
      std::string rest = line.substr(start.size());
      if (word[0] == 'f') program_.engine().FinishInput(rest).value();
      if (word[0] == 'q') Query(rest);
      if (word[0] == 'w') Why(rest);
      if (word[0] == 'r') program_.Restart().value();
      return true;
    }
    return false;
  }

  void Deploy() {
    std::string sql = std::move(sql_);
    sql_.clear();
    if (sql.find_first_not_of(" \n") == std::string::npos) return;
    Status deployed = program_.engine().Execute(sql, name_ + ".sql");
    if (!deployed.ok()) out_ += "== refused\n" + deployed.error().message() + "\n";
  }

  void TakeEvent(const std::string& text) {
    size_t space = text.find(' ');
    if (events_stream_ != text.substr(0, space)) FeedEvents();
    events_stream_ = text.substr(0, space);
    events_.push_back(text.substr(space + 1));
  }
  void FeedEvents() {
    if (!events_.empty()) program_.Feed(events_stream_, events_);
    program_.engine().FinishAsks().value();
    events_.clear();
  }

  void Query(const std::string& sql) {
    out_ += "== " + sql + "\n";
    Result<QueryResult> result = program_.engine().Query(sql);
    if (!result.ok()) {
      out_ += "error " + result.error().ToString() + "\n";
      return;
    }
    for (size_t i = 0; i < result->columns.columns.size(); ++i) {
      const row::Column& column = result->columns.columns[i];
      out_ += (i > 0 ? " | " : "") + column.name + " " + row::ToString(column.type);
    }
    out_ += "\n";
    for (const std::vector<row::Value>& row : result->rows) {
      for (size_t i = 0; i < row.size(); ++i) {
        if (i > 0) out_ += " | ";
        if (row[i].null) {
          out_ += "NULL";
        } else {
          row::AppendText(row[i], result->columns.columns[i].type, out_);
        }
      }
      out_ += "\n";
    }
  }

  void Why(const std::string& id) {
    Result<std::string> document = program_.engine().Why(id);
    out_ +=
        "== why " + id + "\n" + (document.ok() ? *document : document.error().ToString()) + "\n";
  }

  void WriteStreams() {
    EXPECT_EQ(0U, program_.Differences());
    auto deployment = program_.engine().deployment();
    for (const Deployed& item : deployment->items) {
      if (item.is_model() || item.source) continue;
      std::string rows = program_.Rows(item.name);
      if (!rows.empty() || item.statement) out_ += "== " + item.name + "\n" + rows;
    }
  }

  std::string name_;
  TestProgram program_;
  size_t line_ = 0;
  std::string sql_;
  std::string events_stream_;
  std::vector<std::string> events_;
  std::string out_;
};

class Script : public testing::TestWithParam<std::string> {};

TEST_P(Script, GivesWhatStandsBesideIt) {
  fs::path expected = fs::path(kFolder) / (GetParam() + ".out");
  std::string got = ScriptRun(GetParam()).Run(ReadAll(fs::path(kFolder) / (GetParam() + ".sql")));
  if (std::getenv("HEADRACE_UPDATE") != nullptr) {
    std::ofstream(expected) << got;
    GTEST_SKIP() << "written: " << expected;
  }
  EXPECT_EQ(ReadAll(expected), got);
}

INSTANTIATE_TEST_SUITE_P(Golden, Script, testing::ValuesIn(Names()),
                         [](const auto& script) { return script.param; });

}  // namespace
}  // namespace headrace::engine
