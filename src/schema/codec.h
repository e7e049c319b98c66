#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "headrace/result.h"
#include "row/schema.h"
#include "row/value.h"

namespace headrace::schema {

enum class TimestampUnit : uint8_t { kRfc3339, kSeconds, kMilliseconds, kMicroseconds };

struct JsonOptions {
  // How a JSON number in a TIMESTAMPTZ column is read; with kRfc3339 a number is refused. Text is
  // always RFC 3339.
  TimestampUnit timestamp_unit = TimestampUnit::kRfc3339;
};

// Payloads longer or deeper than this are refused before they are parsed.
inline constexpr size_t kPayloadBytesMax = 1 << 20;
inline constexpr int kJsonDepthMax = 64;

// Decodes JSON objects into row values by column name; members that are no column are ignored, a
// missing member is NULL, a repeated member: the last wins. Confined (keeps parser buffers).
//
// Errors name the JSON pointer as place: HR2201 malformed JSON, HR2202 not an object, HR2203 wrong
// type for the column, HR2204 out of range, HR2205 NOT NULL violated, HR2206 too large or too deep.
class JsonDecoder {
 public:
  JsonDecoder(row::Schema schema, JsonOptions options);
  ~JsonDecoder();
  JsonDecoder(const JsonDecoder&) = delete;
  JsonDecoder& operator=(const JsonDecoder&) = delete;

  // Writes schema.columns.size() values to `slots`. Text points into `arena` or into `payload`,
  // which must outlive the row. Exactness: DECIMAL and BIGINT lose nothing, DECIMAL(p,s) is rounded
  // to its scale half away from zero as PostgreSQL does on input, overflow is HR2204.
  // `padded` says that at least 64 readable bytes follow the payload.
  Status Decode(std::string_view payload, bool padded, base::Arena& arena, row::Value* slots);

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

// Writes rows as the contract's row JSON, members in column order. Immutable, thread-safe.
class JsonEncoder {
 public:
  explicit JsonEncoder(const row::Schema& schema);
  void Append(const row::Value* values, std::string& out) const;

 private:
  std::vector<std::string> prefixes_;  // `{"a":`, `,"b":` ...
  std::vector<row::Type> types_;
};

// Writes rows as CSV (RFC 4180, header first) that CsvToJson and a decoder read back to the same
// values: the text forms of PostgreSQL, but for booleans, bytes and times; empty for NULL.
std::string CsvHeader(const row::Schema& schema);
void AppendCsvRow(const row::Schema& schema, const row::Value* values, std::string& out);

// Turns CSV rows into JSON objects for a stream: columns are matched by header name, others are
// ignored, an empty unquoted field is null; numeric and boolean columns become bare literals when
// the text is one and strings otherwise, so that the decoder reports what is wrong. Unsynchronized.
class CsvToJson {
 public:
  // Error HR2210 when no header name is a column (hint lists both).
  static Result<CsvToJson> FromHeader(std::string_view header, const row::Schema& schema);
  // One record (without its newline; quoted fields may hold newlines) to one JSON object.
  // Malformed CSV gives a JSON text that the decoder refuses, never an abort.
  void Append(std::string_view record, std::string& out) const;

 private:
  struct Field {
    std::string prefix;  // `"name":`
    bool bare = false;   // numbers and booleans go unquoted
    bool json = false;   // the text is JSON itself
  };
  std::vector<int> field_of_;  // per CSV field: index into fields_, -1 ignored
  std::vector<Field> fields_;
};

}  // namespace headrace::schema
