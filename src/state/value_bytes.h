#pragma once

#include "base/bytes.h"
#include "row/value.h"
#include "state/slab_pool.h"

namespace headrace::state {

// Whether the type's values point at bytes.
bool IsTextLike(row::Type type);

// A value that owns its bytes in `pool`.
row::Value CopyValue(const row::Value& value, row::Type type, SlabPool& pool);
void ReleaseValue(const row::Value& value, row::Type type, SlabPool& pool);

// For snapshots: the null flag, then the value.
void SaveValue(const row::Value& value, row::Type type, base::ByteWriter& writer);
// Owns its bytes in `pool`. False when the bytes are damaged; nothing is then held.
bool LoadValue(row::Type type, base::ByteReader& reader, SlabPool& pool, row::Value* value);

}  // namespace headrace::state
