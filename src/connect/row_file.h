#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "headrace/result.h"
#include "os/file_system.h"
#include "row/schema.h"
#include "row/value.h"

namespace headrace::connect {

// A file of rows of one schema that is written once, from the first row to the last: what a
// notebook reads. Its name says how: .csv, .jsonl, .parquet, .arrow. A file that was not finished
// is no whole one, and readers of its format notice where the format lets them: of the last two,
// also after a crash. Memory is bounded, see ColumnarFile. Confined; `files` must outlive it.
class RowFile {
 public:
  // Replaces what stands there. Errors: kInvalidArgument HR6605 for another extension, kIo,
  // kNoSpace.
  static Result<std::unique_ptr<RowFile>> Create(os::FileSystem& files, const std::string& path,
                                                 const row::Schema& schema);
  virtual ~RowFile() = default;

  // One value a column; they need live until the call returns. Errors: kInvalidArgument HR6606 for
  // a value that .parquet and .arrow cannot say, kIo, kNoSpace. After one the file stays
  // unfinished.
  virtual Status Append(const row::Value* values) = 0;
  // Writes what is left.
  virtual Status Finish() = 0;
};

}  // namespace headrace::connect
