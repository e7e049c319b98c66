#pragma once

// Readers of the files of columns, for tests: they know of the formats what their definitions say,
// and nothing of how ours are written. And rows that hold what is easily got wrong.

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "os/file_system.h"
#include "row/schema.h"
#include "row/text.h"

namespace headrace::connect {

using Texts = std::vector<std::string>;  // a row, as text; NULL as "-"

inline const std::string kNull = "-";

row::Schema SchemaOf(const std::vector<row::Column>& columns);

// Every type, and first a column that has no NULL.
const row::Schema& EveryType();

// Three rows of every type: extremes, signs, empty texts, NULLs.
const std::vector<Texts>& EdgeRows();

// So many rows of a long file, of the first columns.
std::vector<Texts> LongRows(size_t columns, size_t count);

// Writes them; the status of the first thing that fails.
Status WriteRows(os::FileSystem& files, const std::string& path, const row::Schema& schema,
                 const std::vector<Texts>& rows);

// The file of `rows`, by its name's extension.
std::string Write(const std::string& name, const row::Schema& schema,
                  const std::vector<Texts>& rows);

// The values of a row of texts, valid until the next one.
class Parser {
 public:
  explicit Parser(const row::Schema& schema) : schema_(schema) {}
  const row::Value* operator()(const Texts& texts) {
    arena_.Reset();
    values_.clear();
    for (size_t c = 0; c < texts.size(); ++c) {
      const std::string_view text = arena_.Copy(texts[c]);
      values_.push_back(row::Value::Null());
      if (text == kNull) continue;
      Result<row::Value> value = row::ParseText(text, schema_.columns[c].type, arena_);
      EXPECT_TRUE(value.ok()) << schema_.columns[c].name << " " << text;
      if (value.ok()) values_.back() = *value;
    }
    return values_.data();
  }

 private:
  row::Schema schema_;
  base::Arena arena_;
  std::vector<row::Value> values_;
};

template <typename T>
T At(std::string_view bytes, size_t place) {
  T value{};
  EXPECT_LE(place + sizeof value, bytes.size());
  if (place + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + place, sizeof value);
  return value;
}

bool LooksWhole(std::string_view file, std::string_view head, std::string_view seal);

// A value of Thrift's compact protocol.
struct Thrift {
  int64_t number = 0;
  std::string text;
  std::map<int, Thrift> fields;
  std::vector<Thrift> items;

  const Thrift& operator[](int id) const {
    static const Thrift none;
    auto found = fields.find(id);
    return found == fields.end() ? none : found->second;
  }
};

Thrift ParquetFooter(std::string_view file);
// A value in the encoding PLAIN, the one of that index; `bits` are those of the last eight
// booleans.
std::string PlainText(row::Type type, size_t index, base::ByteReader& page, uint8_t& bits);
std::vector<Texts> ReadParquet(const std::string& file, const row::Schema& schema);

// A table or vector of a FlatBuffer.
struct Flat {
  std::string_view buffer;
  size_t at = 0;

  static Flat Root(std::string_view buffer) { return {buffer, At<uint32_t>(buffer, 0)}; }
  size_t Place(size_t field) const {
    const auto back = At<int32_t>(buffer, at);
    const size_t places = at - static_cast<size_t>(static_cast<int64_t>(back));
    if (4 + 2 * field >= At<uint16_t>(buffer, places)) return 0;
    const auto place = At<uint16_t>(buffer, places + 4 + 2 * field);
    return place == 0 ? 0 : at + place;
  }
  template <typename T>
  T Get(size_t field) const {
    const size_t place = Place(field);
    EXPECT_EQ(0U, place % sizeof(T));
    return place == 0 ? T{} : At<T>(buffer, place);
  }
  Flat Follow(size_t place) const { return {buffer, place + At<uint32_t>(buffer, place)}; }
  Flat Sub(size_t field) const { return Follow(Place(field)); }
  // Of a vector.
  size_t size() const { return At<uint32_t>(buffer, at); }
  Flat Item(size_t index) const { return Follow(at + 4 + 4 * index); }
  template <typename T>
  T Word(size_t index) const {
    EXPECT_EQ(0U, (at + 4) % sizeof(T));
    return At<T>(buffer, at + 4 + index * sizeof(T));
  }
  std::string_view text() const { return buffer.substr(at + 4, size()); }
};

Flat ArrowFooter(std::string_view file);
std::vector<Texts> ReadArrow(const std::string& file, const row::Schema& schema);

}  // namespace headrace::connect
