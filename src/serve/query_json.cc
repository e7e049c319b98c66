#include "serve/query_json.h"

#include <cstddef>

#include "row/text.h"

namespace headrace::serve {
namespace {

// JSON goes as its text, as PostgreSQL answers it: JSON's null is then no NULL.
void AppendCell(const row::Value& value, row::Type type, std::string& out) {
  const bool json = type.kind == row::TypeKind::kJson || type.kind == row::TypeKind::kJsonb;
  if (json && !value.null) {
    row::AppendJsonString(value.text(), out);
  } else {
    row::AppendJson(value, type, out);
  }
}

}  // namespace

std::string QueryJson(const engine::QueryResult& result) {
  const auto& columns = result.columns.columns;
  std::string out = "{\"columns\":[";
  for (size_t i = 0; i < columns.size(); ++i) {
    out += i == 0 ? "{\"name\":" : ",{\"name\":";
    row::AppendJsonString(columns[i].name, out);
    out += ",\"type\":";
    row::AppendJsonString(row::ToString(columns[i].type), out);
    out += '}';
  }
  out += "],\"rows\":[";
  for (size_t r = 0; r < result.rows.size(); ++r) {
    out += r == 0 ? "[" : ",[";
    const auto& values = result.rows[r];
    for (size_t i = 0; i < values.size() && i < columns.size(); ++i) {
      if (i > 0) out += ',';
      AppendCell(values[i], columns[i].type, out);
    }
    out += ']';
  }
  out += "]}";
  return out;
}

}  // namespace headrace::serve
