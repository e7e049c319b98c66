// Any bytes as a script: the parser must answer, and what it could read must survive the formatter.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/check.h"
#include "sql/diagnostics.h"
#include "sql/format.h"
#include "sql/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace::sql;
  const std::string text(reinterpret_cast<const char*>(data), size);
  SourceMap sources;
  const int file = sources.Add("fuzz.sql", text);
  const ParseResult result = Parse(text, file);
  const std::string rendered = Render(result.errors, sources);
  HR_CHECK(result.ok() == rendered.empty());
  for (const Statement& statement : result.statements) {
    const std::string once = Format(statement);
    const ParseResult again = Parse(once, file);
    HR_CHECK(again.ok() && again.statements.size() == 1);
    HR_CHECK(Format(again.statements[0]) == once);
  }
  if (!result.ok()) return 0;
  const std::string script = FormatScript(result, text);
  const ParseResult again = Parse(script, file);
  HR_CHECK(again.ok() && again.statements.size() == result.statements.size());
  HR_CHECK(FormatScript(again, script) == script);
  return 0;
}
