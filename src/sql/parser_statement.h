#pragma once

#include "sql/ast_statement.h"
#include "sql/parser_cursor.h"
#include "sql/parser_expr.h"
#include "sql/parser_select.h"

namespace headrace::sql {

// Reads one statement. False after a failure, which the cursor holds. Confined to one thread; the
// cursor must outlive it.
class StatementParser {
 public:
  explicit StatementParser(Cursor& cursor)
      : cursor_(cursor), expressions_(cursor), selects_(cursor) {}

  // The whole statement, up to its end.
  bool Parse(Statement& out);

 private:
  bool ParseBody(Statement& out);
  bool ParseCreate(Statement& out);
  bool ParseDrop(Statement& out);
  bool ParseAlterModel(Statement& out);
  bool ParseModelAction(AlterModel& out);
  bool ParseCanary(AlterModel& out);
  bool ParseBecause(std::string& out);
  bool ParseInsert(Statement& out);
  bool ParseShow(Statement& out);
  bool ParseExplain(Statement& out);
  bool ParseDescribe(Statement& out);
  bool ParseObjectKind(ObjectKind& out);
  bool RefuseStatement();

  // CREATE (parser_create.cc).
  bool ParseIfNotExists(bool& out);
  bool ParseCreateModel(CreateModel& out);
  bool ParseCreatePolicy(CreatePolicy& out);
  bool ParseReasons(std::vector<ReasonDefinition>& out);
  bool ParseLearner(LearnerClause& out);
  bool ParseRemote(RemoteClause& out);
  bool ParseTrain(CreateModel& out);
  bool ParseTrigger(TrainClause& out);
  bool ParseModelColumns(std::string_view what, std::vector<ModelColumn>& out);
  bool ParseModelColumn(ModelColumn& out);
  bool ParseRelation(CreateRelation& out);
  bool ParseElements(CreateRelation& out);
  bool ParseElement(CreateRelation& out);
  bool ParseWatermark(CreateRelation& out);
  bool ParseTableCheck(CreateRelation& out, Identifier name);
  bool ParseColumn(ColumnDefinition& out);
  bool ParseColumnConstraints(ColumnDefinition& out);
  bool ParseGenerated(ColumnDefinition& out);
  bool ParseParenthesized(ExpressionPtr& out);
  bool ParseRelationClauses(CreateRelation& out);
  bool ParsePartitioning(CreateRelation& out, bool& any);
  bool ParseColumns(std::vector<Identifier>& out);
  bool ParseDeduplicate(CreateRelation& out);
  bool CheckRelation(const CreateRelation& create);

  Cursor& cursor_;
  ExpressionParser expressions_;
  SelectParser selects_;
};

}  // namespace headrace::sql
