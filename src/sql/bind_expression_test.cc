#include "sql/bind_expression.h"

#include <map>

#include <zlib.h>

#include <gtest/gtest.h>

#include "row/json_text.h"
#include "sql/expression_testing.h"

namespace headrace::sql {
namespace {

constexpr char kCases[] = "../shared/data/sql/expressions.jsonl.gz";

// All lines of a gzip file; none when it is missing.
std::vector<std::string> ReadLines(const char* path) {
  std::vector<std::string> lines;
  gzFile file = gzopen(path, "rb");
  if (file == nullptr) return lines;
  std::string line;
  char buffer[4096];
  while (gzgets(file, buffer, sizeof(buffer)) != nullptr) {
    line += buffer;
    if (line.back() != '\n') continue;
    lines.push_back(std::move(line));
    line.clear();
  }
  gzclose(file);
  return lines;
}

// The members of one JSON object of strings and nulls.
std::map<std::string, std::optional<std::string>> ReadCase(const std::string& line) {
  std::map<std::string, std::optional<std::string>> members;
  for (const row::JsonMember& member : row::JsonMembers(line)) {
    std::string key;
    row::AppendUnescaped(member.key, key);
    if (member.value == "null") {
      members[key] = std::nullopt;
    } else if (member.value.front() == '"') {
      std::string value;
      row::AppendUnescaped(member.value, value);
      members[key] = value;
    }
  }
  return members;
}

// Our name of a type that PostgreSQL's format_type calls otherwise; types are compared as well.
std::string TypeAsOurs(const std::string& type) {
  static const std::map<std::string, std::string> kNames = {
      {"timestamp without time zone", "timestamp"},
      {"time without time zone", "time"},
      {"character varying", "text"},  // varchar(n) is text once it is cut
      {"bigint[]", "bigint[]"},
  };
  const auto found = kNames.find(type);
  return found == kNames.end() ? type : found->second;
}

TEST(ExpressionBinderTest, EveryRecordedCaseHasPostgresqlsAnswer) {
  const std::vector<std::string> lines = ReadLines(kCases);
  if (lines.empty()) GTEST_SKIP() << "skipped: no ../shared/data";
  for (const std::string& line : lines) {
    auto members = ReadCase(line);
    const std::string sql = *members["sql"];
    const Outcome outcome = Evaluate(sql);
    if (members.contains("error")) {
      EXPECT_FALSE(outcome.error.empty()) << sql << " must fail, and is " << outcome.text;
      EXPECT_TRUE(outcome.error.empty() || outcome.error.starts_with("HR")) << outcome.error;
      EXPECT_FALSE(!outcome.error.empty() && outcome.hint.empty()) << sql << ": " << outcome.error;
      continue;
    }
    EXPECT_EQ(outcome.error, "") << sql;
    if (!outcome.error.empty()) continue;
    EXPECT_EQ(outcome.text, members["value"].value_or("NULL")) << sql;
    EXPECT_EQ(outcome.type, TypeAsOurs(*members["type"])) << sql;
  }
}

}  // namespace
}  // namespace headrace::sql
