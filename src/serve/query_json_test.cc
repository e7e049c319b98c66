#include "serve/query_json.h"

#include <gtest/gtest.h>

namespace headrace::serve {
namespace {

TEST(QueryJson, WritesColumnsAndRowsInOrder) {
  engine::QueryResult result;
  result.columns.columns = {{"a \"b\"", {row::TypeKind::kBigint}, false},
                            {"d", {row::TypeKind::kDecimal, 12, 2}, false},
                            {"t", {row::TypeKind::kText}, false}};
  result.rows.push_back(
      {row::Value::Integer(-7), row::Value::Decimal(1230, 2), row::Value::Text("x\n")});
  result.rows.push_back({row::Value::Null(), row::Value::Null(), row::Value::Null()});
  EXPECT_EQ(QueryJson(result),
            R"j({"columns":[{"name":"a \"b\"","type":"bigint"},)j"
            R"j({"name":"d","type":"decimal(12,2)"},{"name":"t","type":"text"}],)j"
            R"j("rows":[[-7,12.30,"x\n"],[null,null,null]]})j");
}

TEST(QueryJson, AnEmptyResultHasBothLists) {
  EXPECT_EQ(QueryJson({}), R"({"columns":[],"rows":[]})");
}

}  // namespace
}  // namespace headrace::serve
