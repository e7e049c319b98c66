// write_rows DIRECTORY ROWS EXTENSION…: the same rows as DIRECTORY/rows.EXTENSION for each, every
// type with NULLs and some without, random from the number of the row. Says what processor time
// each took, the making of the rows not counted.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "base/arena.h"
#include "connect/row_file.h"
#include "row/calendar.h"
#include "row/decimal.h"

namespace headrace {
namespace {

using row::Type;
using row::TypeKind;
using row::Value;

constexpr size_t kBlockRows = 4096;  // made before the clock starts

row::Schema Schema() {
  const std::vector<row::Column> nullable = {{"flag", {TypeKind::kBoolean}},
                                             {"tiny", row::kSmallint},
                                             {"small", {TypeKind::kInteger}},
                                             {"large", {TypeKind::kBigint}},
                                             {"real4", row::kReal},
                                             {"real8", {TypeKind::kDouble}},
                                             {"price", {TypeKind::kDecimal, 12, 2}},
                                             {"huge", {TypeKind::kDecimal, 38, 10}},
                                             {"any", {TypeKind::kDecimal}},
                                             {"name", {TypeKind::kText}},
                                             {"raw", {TypeKind::kBytea}},
                                             {"day", {TypeKind::kDate}},
                                             {"clock", {TypeKind::kTime}},
                                             {"local", {TypeKind::kTimestamp}},
                                             {"ts", {TypeKind::kTimestampTz}},
                                             {"gap", {TypeKind::kInterval}},
                                             {"doc", {TypeKind::kJson}},
                                             {"docb", {TypeKind::kJsonb}},
                                             {"words", {TypeKind::kTextArray}},
                                             {"numbers", {TypeKind::kBigintArray}}};
  row::Schema schema;
  schema.columns = nullable;
  for (const char* name :
       {"flag", "small", "large", "real8", "price", "name", "raw", "day", "ts", "gap"}) {
    row::Column column = schema.columns[static_cast<size_t>(schema.Find(name))];
    column.name = "all_" + column.name;
    column.not_null = true;
    schema.columns.push_back(column);
  }
  return schema;
}

uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

Value RandomDecimal(uint64_t random, int digits, uint8_t scale) {
  const auto wide = static_cast<row::UInt128>(Mix(random)) << 64 | Mix(random + 1);
  auto unscaled =
      static_cast<row::Int128>(wide % row::Pow10(1 + static_cast<int>(random % 38) % digits));
  return Value::Decimal((random & 1024) != 0 ? -unscaled : unscaled, scale);
}

Value RandomNumber(uint64_t random, Type type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return Value::Boolean((random & 1) != 0);
    case TypeKind::kInteger:
      return Value::Integer(row::IsSmallint(type) ? static_cast<int16_t>(random)
                                                  : static_cast<int32_t>(random));
    case TypeKind::kBigint:
      return Value::Integer(static_cast<int64_t>(random) >> (random % 60));
    case TypeKind::kDouble: {
      const double number = static_cast<double>(static_cast<int64_t>(random)) / 1e15;
      return Value::Double(row::IsReal(type) ? static_cast<double>(static_cast<float>(number))
                                             : number);
    }
    case TypeKind::kDecimal:
      if (type.precision > 0) return RandomDecimal(random, type.precision, type.scale);
      return RandomDecimal(random, row::kMaxDecimalDigits, static_cast<uint8_t>(random % 20));
    case TypeKind::kDate:
      return Value::Integer(static_cast<int64_t>(random % 3'652'059) - 719'162);
    case TypeKind::kTime:
      return Value::Integer(static_cast<int64_t>(random % row::kMicrosPerDay));
    case TypeKind::kInterval:
      return Value::Of({static_cast<int64_t>(random % 1'000'000'000),
                        static_cast<int32_t>(random % 40) - 20,
                        static_cast<int32_t>(random >> 60)});
    default:
      return Value::Integer(static_cast<int64_t>(random % (4000 * 365 * row::kMicrosPerDay)) -
                            1000 * 365 * row::kMicrosPerDay);
  }
}

// Of the types whose values are bytes.
std::string RandomBytes(uint64_t random, TypeKind kind) {
  const std::string number = std::to_string(static_cast<int64_t>(random) >> (random % 50));
  switch (kind) {
    case TypeKind::kBytea: {
      std::string bytes;
      for (uint64_t i = 0; i < random % 20; ++i)
        bytes += static_cast<char>(Mix(random + i));
      return bytes;
    }
    case TypeKind::kJson:
      return "{ \"b\": " + number + ", \"a\":[null, \"caf\xc3\xa9\"] }";
    case TypeKind::kJsonb:
      return "{\"a\": [1, 2.50], \"n\": " + number + "}";
    case TypeKind::kTextArray:
      return "{" + number + ",NULL,\"a b\"}";
    case TypeKind::kBigintArray:
      return "{" + number + ",-1}";
    default:
      return random % 7 == 0 ? "" : "card \xe2\x82\xac" + number;
  }
}

Value RandomValue(uint64_t row, const row::Column& column, size_t index, base::Arena& arena) {
  const uint64_t random = Mix(row * 1000 + index + 1);
  // Columns have NULLs at rates of their own, one next to none, and some all of a stretch.
  if (!column.not_null && (Mix(random) % (index * index + 2) == 0 || row / 1000 % 7 == index % 9)) {
    return Value::Null();
  }
  switch (column.type.kind) {
    case TypeKind::kText:
    case TypeKind::kBytea:
    case TypeKind::kJson:
    case TypeKind::kJsonb:
    case TypeKind::kTextArray:
    case TypeKind::kBigintArray:
      return Value::Text(arena.Copy(RandomBytes(random, column.type.kind)));
    default:
      return RandomNumber(random, column.type);
  }
}

Status Write(const std::string& path, uint64_t rows, double* seconds) {
  const auto files = os::MakePosixFileSystem();
  const row::Schema schema = Schema();
  const size_t width = schema.columns.size();
  HR_ASSIGN(auto file, connect::RowFile::Create(*files, path, schema));
  std::vector<Value> values;
  base::Arena arena;
  std::clock_t taken = 0;
  for (uint64_t first = 0; first < rows; first += kBlockRows) {
    arena.Reset();
    values.clear();
    const uint64_t end = std::min(rows, first + kBlockRows);
    for (uint64_t row = first; row < end; ++row) {
      for (size_t c = 0; c < width; ++c)
        values.push_back(RandomValue(row, schema.columns[c], c, arena));
    }
    const std::clock_t start = std::clock();
    for (size_t i = 0; i < values.size(); i += width)
      HR_TRY(file->Append(values.data() + i));
    taken += std::clock() - start;
  }
  const std::clock_t start = std::clock();
  HR_TRY(file->Finish());
  taken += std::clock() - start;
  *seconds = static_cast<double>(taken) / CLOCKS_PER_SEC;
  return Ok();
}

int Main(int count, char** words) {
  if (count < 4) {
    std::fprintf(stderr, "write_rows DIRECTORY ROWS EXTENSION...\n");
    return 64;
  }
  for (int i = 3; i < count; ++i) {
    const std::string path = std::string(words[1]) + "/rows." + words[i];
    double seconds = 0;
    Status written = Write(path, std::strtoull(words[2], nullptr, 10), &seconds);
    if (!written.ok()) {
      std::fprintf(stderr, "%s\n", written.error().ToString().c_str());
      return 1;
    }
    std::printf("%s %.2f s of processor time\n", path.c_str(), seconds);
  }
  return 0;
}

}  // namespace
}  // namespace headrace

int main(int count, char** words) {
  return headrace::Main(count, words);
}
