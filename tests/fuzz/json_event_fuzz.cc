// Any bytes as an event in JSON: refused with a code and a place, or a row that is the same when it
// is written and read again. What follows the payload in memory must not matter.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/check.h"
#include "schema/codec.h"

namespace {

using namespace headrace;
using enum row::TypeKind;

row::Schema Columns() {
  return {{{"a", {kBoolean, 0, 0}, false},
           {"b", {kInteger, 0, 0}, false},
           {"c", {kBigint, 0, 0}, false},
           {"d", {kDouble, 0, 0}, false},
           {"e", {kDecimal, 12, 2}, false},
           {"f", {kText, 0, 0}, false},
           {"g", {kBytea, 0, 0}, false},
           {"h", {kDate, 0, 0}, false},
           {"i", {kTime, 0, 0}, false},
           {"j", {kTimestamp, 0, 0}, false},
           {"k", {kTimestampTz, 0, 0}, false},
           {"l", {kInterval, 0, 0}, false},
           {"m", {kJson, 0, 0}, false},
           {"n", {kJsonb, 0, 0}, false},
           {"o", {kDecimal, 0, 0}, false},
           {"p", {kText, 0, 0}, true}}};
}

// The row as JSON, or the error's code behind a '!'.
std::string Read(std::string_view payload, bool padded, schema::TimestampUnit unit) {
  const row::Schema columns = Columns();
  schema::JsonDecoder decoder(columns, {.timestamp_unit = unit});
  std::string out;
  // Twice: the decoder remembers the members of the document before.
  for (int i = 0; i < 2; ++i) {
    base::Arena arena;
    std::vector<row::Value> slots(columns.columns.size());
    const Status decoded = decoder.Decode(payload, padded, arena, slots.data());
    std::string now;
    if (decoded.ok()) {
      schema::JsonEncoder(columns).Append(slots.data(), now);
    } else {
      now = "!" + decoded.error().code() + decoded.error().place();
    }
    HR_CHECK(i == 0 || now == out);
    out = now;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto unit = static_cast<schema::TimestampUnit>(data[0] % 4);
  const std::string exact(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string row = Read(exact, false, unit);
  const std::string behind = exact + std::string(64, '"');
  HR_CHECK(Read(std::string_view(behind).substr(0, exact.size()), true, unit) == row);
  if (row.starts_with("!")) return 0;
  if (row.size() > schema::kPayloadBytesMax) return 0;
  HR_CHECK(Read(row, false, schema::TimestampUnit::kRfc3339) == row);
  return 0;
}
