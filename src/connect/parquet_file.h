#pragma once

#include <memory>

#include "connect/columnar_file.h"
#include "row/schema.h"

namespace headrace::connect {

// Apache Parquet: a row group a group, a page a column of it, packed with zstd where that makes it
// smaller, plain otherwise; then the metadata of all, which say where everything is.
std::unique_ptr<ColumnarFormat> MakeParquetFormat(const row::Schema& schema);

}  // namespace headrace::connect
