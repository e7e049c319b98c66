#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "connect/column_cells.h"
#include "connect/row_file.h"
#include "connect/sealed_file.h"

namespace headrace::connect {

// How groups of rows become the bytes of a file. Confined.
class ColumnarFormat {
 public:
  virtual ~ColumnarFormat() = default;
  virtual Status WriteHead(SealedFile& file) = 0;
  // One or more rows, a column each, all of the same number of rows.
  virtual Status WriteGroup(const std::vector<ColumnCells>& columns, SealedFile& file) = 0;
  virtual Status WriteTail(SealedFile& file) = 0;
};

// Rows gathered into groups, which bounds the memory by a group, whatever the length of the file:
// of 64 Ki rows, or as many as have 64 MiB. Confined. After an error nothing more is written, so
// the file stays unfinished.
class ColumnarFile final : public RowFile {
 public:
  static constexpr size_t kGroupRows = 1 << 16;
  static constexpr size_t kGroupBytes = 64 << 20;

  // Errors: kIo, kNoSpace.
  static Result<std::unique_ptr<RowFile>> Create(SealedFile file, const row::Schema& schema,
                                                 std::unique_ptr<ColumnarFormat> format);

  // Error beside those of writing: kInvalidArgument HR6606, see ColumnCells.
  Status Append(const row::Value* values) override;
  Status Finish() override;

 private:
  ColumnarFile(SealedFile file, const row::Schema& schema, std::unique_ptr<ColumnarFormat> format);
  Status Gather(const row::Value* values);
  Status WriteGroup();
  Status WriteRest();
  Status Keep(Status status);

  SealedFile file_;
  std::unique_ptr<ColumnarFormat> format_;
  std::vector<ColumnCells> columns_;
  size_t rows_ = 0;  // gathered
  std::optional<Error> failure_;
};

}  // namespace headrace::connect
