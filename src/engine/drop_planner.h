#pragma once

#include <string>

#include "engine/growing_draft.h"
#include "sql/ast_statement.h"
#include "sql/diagnostics.h"

namespace headrace::engine {

// Plans DROP. Confined; the draft must outlive it.
class DropPlanner {
 public:
  explicit DropPlanner(GrowingDraft& growing) : growing_(growing) {}

  void Drop(const sql::Drop& drop, const sql::SourceSpan& span);

 private:
  void DropTopic(const sql::Drop& drop, const sql::SourceSpan& span);
  // True when it may go, with what depends on it.
  bool MayGo(const sql::Drop& drop, const std::string& name, const sql::SourceSpan& span);
  bool IsOfKind(const sql::Drop& drop, const Deployed& item);
  bool IsOfBefore(const std::string& name, const sql::SourceSpan& span);
  void Record(const std::string& name);

  GrowingDraft& growing_;
};

}  // namespace headrace::engine
