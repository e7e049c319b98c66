#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "expr/expr_testing.h"

namespace {

// Of this test program. Confined to the test's thread.
size_t allocations = 0;

}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* bytes = std::malloc(size)) return bytes;
  std::abort();
}
void operator delete(void* bytes) noexcept {
  std::free(bytes);
}
void operator delete(void* bytes, size_t) noexcept {
  std::free(bytes);
}

namespace headrace::expr {
namespace {

ExprPtr Must(Result<ExprPtr> made) {
  return std::move(made).value();
}

// Evaluates for many rows; how often that allocated, from the heap or from the arena.
size_t CountAllocations(const Expr& expression) {
  base::Arena arena;
  EvalContext context{arena, std::nullopt};
  Value row[4];
  const size_t before = allocations;
  for (int i = 1; i <= 10'000; ++i) {
    row[0] = Value::Integer(i);
    row[1] = Value::Decimal(i * 7, 2);
    row[2] = Value::Double(i * 0.5);
    row[3] = Value::Text("DE");
    expression.Evaluate(row, context);
  }
  EXPECT_FALSE(context.error.has_value());
  return allocations - before + arena.bytes_reserved();
}

ExprPtr Slot(int slot) {
  constexpr Type kTypes[] = {kBigint, {TypeKind::kDecimal, 12, 2}, kDouble, kText};
  return Column(slot, kTypes[slot]);
}

TEST(AllocationTest, ComparisonsArithmeticAndCaseTakeNoMemory) {
  for (const char* op : {"+", "-", "*", "/"}) {
    EXPECT_EQ(CountAllocations(*Must(Call(op, List(Slot(0), Big(3))))), 0U) << op;
    EXPECT_EQ(CountAllocations(*Must(Call(op, List(Slot(1), Dec("1.50"))))), 0U) << op;
    EXPECT_EQ(CountAllocations(*Must(Call(op, List(Slot(2), Slot(2))))), 0U) << op;
  }
  for (int slot = 0; slot < 3; ++slot) {
    EXPECT_EQ(CountAllocations(*Must(Call(">", List(Slot(slot), Int(100))))), 0U);
  }
  EXPECT_EQ(CountAllocations(*Must(Call("=", List(Slot(3), Text("DE"))))), 0U);
  std::vector<CaseBranch> branches;
  branches.push_back({Must(Call(">", List(Slot(1), Dec("100")))), Text("review")});
  branches.push_back({Must(Call("<", List(Slot(2), Dbl(5)))), Text("decline")});
  EXPECT_EQ(CountAllocations(*Must(Case(std::move(branches), Text("approve")))), 0U);
  EXPECT_EQ(CountAllocations(*NarrowDecimal(Must(Call("*", List(Slot(1), Slot(1)))))), 0U);
}

}  // namespace
}  // namespace headrace::expr
