#include "sql/bind_expression.h"

#include <cctype>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

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

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What stands in backticks in the part of the text between two headings.
std::set<std::string> NamesIn(const std::string& text, const std::string& from,
                              const std::string& to) {
  std::set<std::string> names;
  const size_t end = text.find(to);
  for (size_t at = text.find('`', text.find(from)); at < end; at = text.find('`', at + 1)) {
    const size_t close = text.find('`', at + 1);
    names.insert(text.substr(at + 1, close - at - 1));
    at = close;
  }
  return names;
}

TEST(FunctionsDocTest, ListsEveryFunctionAndNoOther) {
  const std::string text = ReadFile("docs/sql/functions.md");
  ASSERT_FALSE(text.empty()) << "run from the root of the repository";
  const std::set<std::string> documented = NamesIn(text, "## Functions", "## What differs");
  std::set<std::string> known;
  for (const std::string& name : expr::FunctionNames())
    known.insert(name);
  for (const std::string& name : documented)
    EXPECT_TRUE(known.contains(name)) << name << " is documented and does not exist";
  // What the parser calls by names of its own.
  const std::set<std::string> forms = {"array", "subscript", "not", "like", "ilike", "similar"};
  for (const std::string& name : known) {
    const bool word = std::isalpha(static_cast<unsigned char>(name[0])) != 0;
    if (!word || forms.contains(name) || name.starts_with("is_") || name.starts_with("not ")) {
      continue;
    }
    EXPECT_TRUE(documented.contains(name)) << name << " is not documented";
  }
}

TEST(FunctionsDocTest, ItsExamplesAreTrue) {
  const std::string text = ReadFile("docs/sql/functions.md");
  size_t examples = 0;
  for (size_t at = text.find("SELECT "); at != std::string::npos;
       at = text.find("\nSELECT ", at + 1)) {
    const size_t begin = text.find("SELECT ", at);
    const std::string line = text.substr(begin, text.find('\n', begin) - begin);
    const size_t comment = line.find("-- ");
    ASSERT_NE(comment, std::string::npos) << line;
    const ParseResult parsed = Parse(line.substr(0, comment), 0);
    ASSERT_TRUE(parsed.ok()) << line;
    std::string answers;
    for (const SelectItem& item : std::get<SelectPtr>(parsed.statements[0].body)->items) {
      const Outcome outcome = EvaluateItem(*item.expression);
      EXPECT_EQ(outcome.error, "") << line;
      answers += (answers.empty() ? "" : " | ") + outcome.text;
    }
    EXPECT_EQ(answers, line.substr(comment + 3)) << line;
    ++examples;
  }
  EXPECT_GE(examples, 10U);
}

}  // namespace
}  // namespace headrace::sql
