#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/deployer.h"
#include "engine/growing_draft.h"
#include "sql/ast_statement.h"

namespace headrace::engine {

// The reasons that a CREATE MODEL or an ALTER MODEL declares, by the model's features; empty when
// it declares none. Error: HR5303 for a text that does not fit the model any more.
Result<model::ReasonTexts> ReasonsOf(std::string_view text, const model::ModelInfo& info);

// The same of a parsed statement. A feature that the model does not have, or that is named twice,
// is a diagnostic (HR1197).
model::ReasonTexts BindReasons(const std::vector<sql::ReasonDefinition>& reasons,
                               const model::ModelInfo& info,
                               std::vector<sql::Diagnostic>& diagnostics);

// Plans what a script says of models: CREATE MODEL and ALTER MODEL. Confined; the deployer and the
// draft must outlive it.
class ModelPlanner {
 public:
  ModelPlanner(Deployer& deployer, GrowingDraft& growing) : deployer_(deployer), in_(growing) {}

  void Create(const sql::Statement& statement, const sql::CreateModel& create);
  void Alter(const sql::Statement& statement, const sql::AlterModel& alter);
  // False, and a diagnostic, for a statement that has no key for a canary that is on.
  bool FitsCanaries(const flow::StatementPlan& plan, const sql::SourceSpan& span);

 private:
  void CreateDeclared(const sql::Statement& statement, const sql::CreateModel& create);
  void CreateTrainer(const sql::Statement& statement, const sql::CreateModel& create);
  void CreateSteps(const std::string& trainer, const sql::SourceSpan& span);
  void CreateAgain(const sql::Statement& statement, const sql::CreateModel& create);
  bool PlanAddVersion(const sql::AlterModel& alter, const std::string& text,
                      catalog::Change& change);
  std::string Store(const std::vector<sql::Option>& options, const sql::SourceSpan& span);
  bool IsVersion(const sql::AlterModel& alter, const catalog::Object& object);
  bool IsOtherVersion(const sql::AlterModel& alter, const catalog::Object& object);
  bool PlanVersion(const sql::AlterModel& alter, const catalog::Object& object,
                   catalog::Change& change);
  bool PlanRollback(const sql::AlterModel& alter, const catalog::Object& object,
                    catalog::Change& change);
  bool PlanCanary(const sql::AlterModel& alter, const catalog::Object& object,
                  catalog::Change& change);
  void AlterBy(const sql::AlterModel& alter, const std::string& text);
  bool EveryReaderHasKey(const std::string& model, const std::string& key,
                         const sql::SourceSpan& span);
  void ComplainOfKey(const flow::StatementPlan& plan, const std::string& model,
                     const std::string& key, const sql::SourceSpan& span);

  Deployer& deployer_;
  GrowingDraft& in_;
};

}  // namespace headrace::engine
