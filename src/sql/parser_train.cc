// CREATE MODEL ... TRAIN: a model that is trained again and again.

#include "sql/parser_option.h"
#include "sql/parser_statement.h"

namespace headrace::sql {

// Behind TRAIN.
bool StatementParser::ParseTrain(CreateModel& out) {
  TrainClause& train = out.train.emplace();
  if (!cursor_.ExpectName("the name of an algorithm", train.algorithm)) return false;
  if (!cursor_.ExpectNameList("a feature", train.features)) return false;
  if (!cursor_.ExpectWord("label")) return false;
  if (!cursor_.ExpectName("the column of the label", train.label)) return false;
  if (!cursor_.ExpectWord("on")) return false;
  if (!cursor_.ExpectName("the stream to learn from", train.stream)) return false;
  if (cursor_.AcceptWord("with") && !ParseOptions(cursor_, out.options)) return false;
  if (!cursor_.ExpectWord("when")) return false;
  do {
    if (!ParseTrigger(train)) return false;
  } while (cursor_.AcceptWord("or"));
  return cursor_.ExpectWord("into") && cursor_.ExpectWord("shadow") && cursor_.ExpectWord("of") &&
         cursor_.ExpectName("the model that it is to replace", train.shadow_of);
}

// EVERY INTERVAL '1 day' | drift(model) > 0.2
bool StatementParser::ParseTrigger(TrainClause& out) {
  const SourceSpan begin = cursor_.Peek().span;
  if (cursor_.AcceptWord("every")) {
    if (out.every) return cursor_.FailTwice(begin, "EVERY");
    if (!cursor_.ExpectWord("interval")) return false;
    if (cursor_.Peek().kind != TokenKind::kString) return cursor_.Fail("an interval as a text");
    const SourceSpan span = cursor_.Peek().span;
    out.every = WrittenConstant{cursor_.Take().text, span};
    return true;
  }
  if (!cursor_.AtCall("drift")) return cursor_.Fail("`EVERY INTERVAL '...'` or `drift(model) > x`");
  if (out.drift) return cursor_.FailTwice(begin, "drift");
  cursor_.Take();
  const SourceSpan open = cursor_.Take().span;
  if (!cursor_.ExpectName("a model", out.drift_of) || !cursor_.ExpectClose(open)) return false;
  if (!cursor_.AtOperator(">")) return cursor_.Fail("`>`");
  cursor_.Take();
  if (cursor_.Peek().kind != TokenKind::kNumber) return cursor_.Fail("a number");
  const SourceSpan span = cursor_.Peek().span;
  out.drift = WrittenConstant{cursor_.Take().text, span};
  return true;
}

}  // namespace headrace::sql
