// Evaluates whatever parses as a constant expression. The input is what stands behind SELECT.
#include <cstdint>
#include <string_view>
#include <variant>

#include "row/text.h"
#include "sql/ast.h"
#include "sql/bind_expression.h"
#include "sql/parser.h"

namespace {

constexpr size_t kMaxInput = 4096;

void Run(std::string_view text) {
  using namespace headrace;
  const sql::ParseResult parsed = sql::Parse(text, 0);
  if (!parsed.ok() || parsed.statements.empty()) return;
  const auto* select = std::get_if<sql::SelectPtr>(&parsed.statements[0].body);
  if (select == nullptr) return;
  for (const sql::SelectItem& item : (*select)->items) {
    std::vector<sql::Diagnostic> diagnostics;
    sql::EmptyScope scope;
    sql::ExpressionBinder binder(scope, diagnostics);
    binder.KeepWideResults();
    const expr::ExprPtr bound = binder.BindResolved(*item.expression);
    if (!bound) continue;
    base::Arena arena;
    expr::EvalContext context{arena, std::nullopt};
    const row::Value value = bound->Evaluate(nullptr, context);
    if (context.error || value.null) continue;
    std::string shown;
    row::AppendText(value, bound->type(), shown);
    row::AppendJson(value, bound->type(), shown);
    row::AppendKey(value, bound->type(), shown);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kMaxInput) return 0;
  std::string text = "SELECT ";
  text.append(reinterpret_cast<const char*>(data), size);
  Run(text);
  return 0;
}
