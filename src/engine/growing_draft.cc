#include "engine/growing_draft.h"

#include <algorithm>

#include "engine/replacement.h"
#include "headrace/check.h"
#include "sql/plan_support.h"

namespace headrace::engine {

bool GrowingDraft::NameIsFree(const sql::Statement& statement, const sql::Identifier& name,
                              bool if_not_exists) {
  if (deployment.Find(name.name) == nullptr) return true;
  const catalog::Object* known = deployment.catalog.Find(name.name);
  std::string text = sql::TextOf(sources, statement.span);
  bool same = known != nullptr && std::any_of(known->revisions.begin(), known->revisions.end(),
                                              [&](const catalog::Revision& revision) {
                                                return SameDefinition(revision.text, text);
                                              });
  if (!same && !if_not_exists) {
    sql::Complain(diagnostics, "HR1201", "`" + name.name + "` exists already, defined otherwise",
                  name.span)
        .hint = "CREATE OR REPLACE changes a statement; otherwise use another name";
  }
  draft.unchanged.push_back(name.name);
  return false;
}

catalog::Change GrowingDraft::Creation(const sql::Statement& statement,
                                       const std::string& name) const {
  catalog::Change change;
  change.name = name;
  change.text = sql::TextOf(sources, statement.span);
  change.file = file;
  change.line = statement.span.line;
  return change;
}

void GrowingDraft::Record(catalog::Change change) {
  Status applied = deployment.catalog.Apply(change, UINT64_MAX - 1);
  HR_CHECK(applied.ok());
  draft.changes.push_back(std::move(change));
}

}  // namespace headrace::engine
