#include "document/flat_table.h"

#include <bit>
#include <cstring>
#include <string>

#include "document/document.h"

namespace headrace::document {

Result<uint64_t> FlatTable::Read(std::string_view file, size_t at, size_t width) {
  if (at > file.size() || width > file.size() - at) {
    return MalformedAt(at, "something beyond the end of the file");
  }
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) {
    value |= uint64_t{static_cast<unsigned char>(file[at + i])} << (8 * i);
  }
  return value;
}

Result<FlatTable> FlatTable::Root(std::string_view file) {
  HR_ASSIGN(const uint64_t at, Read(file, 0, 4));
  return At(file, at);
}

Result<FlatTable> FlatTable::At(std::string_view file, size_t at) {
  FlatTable table(file, at);
  HR_ASSIGN(const uint64_t back, Read(file, at, 4));
  // The list may stand on either side of the table.
  const auto list = static_cast<int64_t>(at) - static_cast<int32_t>(static_cast<uint32_t>(back));
  if (list < 0) return MalformedAt(at, "the fields of a table stand before the file");
  HR_ASSIGN(const uint64_t bytes, Read(file, static_cast<size_t>(list), 2));
  if (bytes < 4 || bytes % 2 != 0) return MalformedAt(at, "a table whose fields are cut off");
  HR_TRY(Read(file, static_cast<size_t>(list) + bytes - 1, 1));
  table.fields_ = static_cast<size_t>(list) + 4;
  table.field_count_ = bytes / 2 - 2;
  return table;
}

Result<std::optional<size_t>> FlatTable::Place(size_t field) const {
  if (field >= field_count_) return std::optional<size_t>();
  HR_ASSIGN(const uint64_t offset, Read(file_, fields_ + 2 * field, 2));
  if (offset == 0) return std::optional<size_t>();
  return std::optional<size_t>(at_ + offset);
}

Result<size_t> FlatTable::Follow(size_t at) const {
  HR_ASSIGN(const uint64_t offset, Read(file_, at, 4));
  return at + offset;  // ends beyond the file at worst: Read finds that
}

Result<int64_t> FlatTable::Integer(size_t field, size_t width, int64_t otherwise) const {
  HR_ASSIGN(const std::optional<size_t> place, Place(field));
  if (!place) return otherwise;
  HR_ASSIGN(const uint64_t bits, Read(file_, *place, width));
  const size_t unused = 64 - 8 * width;
  return static_cast<int64_t>(bits << unused) >> unused;
}

Result<std::optional<FlatTable>> FlatTable::Table(size_t field) const {
  HR_ASSIGN(const std::optional<size_t> place, Place(field));
  if (!place) return std::optional<FlatTable>();
  HR_ASSIGN(const size_t at, Follow(*place));
  HR_ASSIGN(FlatTable table, At(file_, at));
  return std::optional<FlatTable>(table);
}

Result<std::string_view> FlatTable::Bytes(size_t field, size_t width) const {
  HR_ASSIGN(const std::optional<size_t> place, Place(field));
  if (!place) return std::string_view();
  HR_ASSIGN(const size_t at, Follow(*place));
  HR_ASSIGN(const uint64_t count, Read(file_, at, 4));
  if (count > (file_.size() - at - 4) / width) {
    return MalformedAt(at, "a list of " + std::to_string(count) + " elements in a file of " +
                               std::to_string(file_.size()) + " bytes");
  }
  return file_.substr(at + 4, count * width);
}

Result<std::vector<FlatTable>> FlatTable::Tables(size_t field) const {
  HR_ASSIGN(const std::string_view bytes, Bytes(field, 4));
  std::vector<FlatTable> tables;
  for (size_t i = 0; i < bytes.size(); i += 4) {
    HR_ASSIGN(const size_t at, Follow(static_cast<size_t>(bytes.data() - file_.data()) + i));
    HR_ASSIGN(FlatTable table, At(file_, at));
    tables.push_back(table);
  }
  return tables;
}

Result<std::vector<int32_t>> FlatTable::Integers(size_t field) const {
  static_assert(std::endian::native == std::endian::little);
  HR_ASSIGN(const std::string_view bytes, Bytes(field, 4));
  std::vector<int32_t> values(bytes.size() / 4);
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

Result<std::vector<float>> FlatTable::Floats(size_t field) const {
  HR_ASSIGN(const std::string_view bytes, Bytes(field, 4));
  std::vector<float> values(bytes.size() / 4);
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace headrace::document
