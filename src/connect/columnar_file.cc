#include "connect/columnar_file.h"

#include <utility>

namespace headrace::connect {

Result<std::unique_ptr<RowFile>> ColumnarFile::Create(SealedFile file, const row::Schema& schema,
                                                      std::unique_ptr<ColumnarFormat> format) {
  HR_TRY(format->WriteHead(file));
  return std::unique_ptr<RowFile>(new ColumnarFile(std::move(file), schema, std::move(format)));
}

ColumnarFile::ColumnarFile(SealedFile file, const row::Schema& schema,
                           std::unique_ptr<ColumnarFormat> format)
    : file_(std::move(file)),
      format_(std::move(format)),
      columns_(schema.columns.begin(), schema.columns.end()) {
  HR_CHECK(!columns_.empty());
}

Status ColumnarFile::Append(const row::Value* values) {
  return failure_ ? Status(*failure_) : Keep(Gather(values));
}

Status ColumnarFile::Finish() {
  return failure_ ? Status(*failure_) : Keep(WriteRest());
}

Status ColumnarFile::Gather(const row::Value* values) {
  size_t bytes = 0;
  for (ColumnCells& column : columns_) {
    HR_TRY(column.Append(*values++));
    bytes += column.bytes();
  }
  return ++rows_ < kGroupRows && bytes < kGroupBytes ? Ok() : WriteGroup();
}

Status ColumnarFile::WriteGroup() {
  HR_TRY(format_->WriteGroup(columns_, file_));
  for (ColumnCells& column : columns_)
    column.Clear();
  rows_ = 0;
  return Ok();
}

Status ColumnarFile::WriteRest() {
  if (rows_ > 0) HR_TRY(WriteGroup());
  return format_->WriteTail(file_);
}

Status ColumnarFile::Keep(Status status) {
  if (!status.ok()) failure_ = status.error();
  return status;
}

}  // namespace headrace::connect
