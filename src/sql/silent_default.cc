#include "sql/silent_default.h"

#include "sql/plan_support.h"

namespace headrace::sql {

std::vector<Diagnostic> FindSilentDefaults(const std::vector<Statement>& statements) {
  std::vector<Diagnostic> found;
  for (const Statement& statement : statements) {
    const auto* create = std::get_if<CreateModel>(&statement.body);
    if (create == nullptr || !create->remote) continue;
    if (FindOption(create->options, "default") != nullptr) continue;
    Complain(found, "HR1235",
             "what `" + create->name.name + "` does not answer in time is NULL: it has no default",
             create->name.span)
        .hint = "WITH (default = '...'), or a branch of the CASE for NULL";
  }
  return found;
}

}  // namespace headrace::sql
