#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sql/parser_testing.h"

namespace headrace::sql {
namespace {

constexpr const char* kExpressions = "../shared/data/sql/expressions.jsonl.gz";
constexpr const char* kFeatures = "../shared/data/sql/rolling/features.sql";

std::vector<std::string> GunzipLines(const char* path) {
  std::vector<std::string> lines;
  FILE* pipe = popen(("gzip -dc " + std::string(path)).c_str(), "r");
  if (pipe == nullptr) return lines;
  std::string line;
  char buffer[4096];
  while (std::fgets(buffer, sizeof(buffer), pipe) != nullptr) {
    line += buffer;
    if (line.empty() || line.back() != '\n') continue;
    lines.push_back(line);
    line.clear();
  }
  pclose(pipe);
  return lines;
}

// The JSON text behind "sql": in a line, decoded as far as these lines need it.
std::string SqlOf(const std::string& line) {
  const std::string key = "\"sql\":";
  size_t at = line.find(key);
  if (at == std::string::npos) return "";
  at = line.find('"', at + key.size()) + 1;
  std::string sql;
  while (line[at] != '"') {
    if (line[at] == '\\') {
      ++at;
      if (line[at] == 'u') return "";
      sql += line[at] == 'n' ? '\n' : line[at] == 't' ? '\t' : line[at];
    } else {
      sql += line[at];
    }
    ++at;
  }
  return sql;
}

TEST(ScriptTest, AllExpressionsOfPostgresParseAndSurviveTheFormatter) {
  if (!std::filesystem::exists(kExpressions)) GTEST_SKIP() << "skipped: no ../shared/data";
  size_t read = 0;
  for (const std::string& line : GunzipLines(kExpressions)) {
    const std::string sql = SqlOf(line);
    if (sql.empty()) continue;
    ++read;
    const ParseResult result = Parse(sql, 0);
    ASSERT_TRUE(result.ok()) << sql << "\n" << result.errors[0].message;
    const std::string once = Format(result.statements.at(0));
    const ParseResult again = Parse(once, 0);
    ASSERT_TRUE(again.ok()) << once << "\n" << again.errors[0].message;
    EXPECT_EQ(Format(again.statements.at(0)), once) << sql;
    const auto& a = std::get<SelectPtr>(result.statements[0].body)->items.at(0);
    const auto& b = std::get<SelectPtr>(again.statements[0].body)->items.at(0);
    EXPECT_TRUE(Same(*a.expression, *b.expression)) << sql << "\n" << once;
  }
  EXPECT_GE(read, 2390u);
}

TEST(ScriptTest, TheRollingFeaturesParse) {
  if (!std::filesystem::exists(kFeatures)) GTEST_SKIP() << "skipped: no ../shared/data";
  std::ifstream file(kFeatures);
  std::stringstream text;
  text << file.rdbuf();
  const ParseResult result = Parse(text.str(), 0);
  ASSERT_TRUE(result.ok()) << Errors(text.str());
  ASSERT_EQ(result.statements.size(), 2u);
  const auto& features = std::get<CreateRelation>(result.statements[1].body);
  EXPECT_EQ(features.query->items.size(), 29u);
  EXPECT_EQ(features.query->windows.size(), 5u);
}

}  // namespace
}  // namespace headrace::sql
