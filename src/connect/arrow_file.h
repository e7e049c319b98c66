#pragma once

#include <memory>

#include "connect/columnar_file.h"
#include "row/schema.h"

namespace headrace::connect {

// Apache Arrow's IPC file: the schema, a record batch a group, and a footer that says where they
// are. Not compressed, and every buffer at a multiple of 64, so that readers map it and use it as
// it lies there.
std::unique_ptr<ColumnarFormat> MakeArrowFormat(const row::Schema& schema);

}  // namespace headrace::connect
