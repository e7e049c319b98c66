#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/result.h"

namespace headrace::cli {

inline constexpr size_t kCaseBytesMax = 4 << 20;
inline constexpr int kCaseDepthMax = 32;

// A value of a case: as JSON text, with its place.
struct CaseValue {
  std::string json;
  int line = 0;
};

// Columns of a row, as they stand.
using CaseRow = std::vector<std::pair<std::string, CaseValue>>;

struct CaseRows {
  std::string stream;
  std::vector<CaseRow> rows;
  std::vector<int> lines;  // of the rows
  int line = 0;
};

// One step of a case. `events` and `expect` are by stream, in the order they are written.
struct CaseStep {
  enum class Kind : uint8_t { kEvents, kExpect, kFinish, kRestart, kQuery };
  Kind kind = Kind::kRestart;
  int line = 0;
  std::vector<CaseRows> streams;             // kEvents, kExpect
  std::vector<std::string> finished;         // kFinish; empty: every input
  std::string query;                         // kQuery
  std::vector<std::vector<CaseValue>> rows;  // kQuery
};

// A test of a pipeline as a user writes it. docs/testing.md has the grammar.
struct TestCase {
  std::string name;
  std::string script;  // path, relative to the case's file; or
  std::string sql;     // the statements themselves
  std::string now;     // RFC 3339; empty: later than every event
  std::vector<CaseStep> steps;
};

// Errors: HR9012 with the place `line:column`: no YAML, an unknown key (the closest known one is
// the hint), a missing one, a wrong kind of value, aliases, too deep, too long.
Result<TestCase> ParseCase(std::string_view yaml);

}  // namespace headrace::cli
