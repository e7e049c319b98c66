#pragma once

namespace headrace::sql {

// How tightly operators bind, as in PostgreSQL, loosest first. The parser and the formatter share
// it.
enum Precedence : int {
  kPrecedenceNone = 0,
  kPrecedenceOr,
  kPrecedenceAnd,
  kPrecedenceNot,
  kPrecedenceIs,          // IS ..., does not chain
  kPrecedenceComparison,  // < > = <= >= <>, does not chain
  kPrecedenceMatch,       // LIKE ILIKE SIMILAR BETWEEN IN, does not chain
  kPrecedenceOther,       // || -> @> ~ and every other operator; unary ones too
  kPrecedenceSum,
  kPrecedenceProduct,
  kPrecedencePower,
  kPrecedenceZone,  // AT TIME ZONE
  kPrecedenceCollate,
  kPrecedenceSign,  // unary + and -
  kPrecedenceSubscript,
  kPrecedenceCast,  // ::
  kPrecedencePrimary,
};

}  // namespace headrace::sql
