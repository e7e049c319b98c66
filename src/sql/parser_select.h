#pragma once

#include "sql/ast_statement.h"
#include "sql/parser_cursor.h"
#include "sql/parser_expr.h"

namespace headrace::sql {

// Reads queries. False (null) after a failure, which the cursor holds. Confined to one thread; the
// cursor must outlive it.
class SelectParser {
 public:
  explicit SelectParser(Cursor& cursor) : cursor_(cursor), expressions_(cursor) {}

  SelectPtr Parse();
  // Whether a query, perhaps in parentheses, begins at the cursor.
  bool AtQuery();

 private:
  SelectPtr ParseParenthesized();
  bool ParseItems(Select& out);
  bool ParseItem(SelectItem& out);
  bool ParseAlias(Identifier& out);
  // A clause that may follow: then a bare word here is no alias.
  bool AtClause();
  bool AtJoin();
  bool AtSetOperation();
  bool ParseFilters(Select& out);
  bool ParseWindows(Select& out);
  bool ParseTail(Select& out);
  bool ParseOrdering(Select& out, bool& any);
  bool ParseStreaming(Select& out, bool& any);
  bool ParseEmit(Select& out);
  bool ParseLateRows(Select& out);
  bool ParseStart(Select& out);

  // FROM (parser_from.cc).
  bool ParseFrom(Select& out);
  bool ParseTable(TableReference& out);
  bool ParseNamed(TableReference& out);
  bool ParseSubquery(TableReference& out);
  bool ParseWindowFunction(TableReference& out);
  bool ParseMlPredict(TableReference& out);
  bool ParseMlArgument(size_t which, TableReference& out);
  bool RefuseTableFunction();
  bool ParseWindowArguments(TableReference& out);
  bool ParseWindowSource(TableReference& out);
  bool CheckWindowArguments(const TableReference& table);
  bool ParseAsOf(TableReference& out);
  bool ParseTableAlias(TableReference& out);
  bool ParseJoin(JoinClause& out);

  Cursor& cursor_;
  ExpressionParser expressions_;
  int depth_ = 0;
};

}  // namespace headrace::sql
