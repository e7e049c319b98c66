#pragma once

#include "base/bytes.h"
#include "row/value.h"

namespace headrace::state {

class SlabPool;

// Whether the type's values point at bytes.
bool IsTextLike(row::Type type);

// A value that owns its bytes in `pool`.
row::Value CopyValue(const row::Value& value, row::Type type, SlabPool& pool);
void ReleaseValue(const row::Value& value, row::Type type, SlabPool& pool);

// For snapshots and rows that wait: the null flag, then the value.
void SaveValue(const row::Value& value, row::Type type, base::ByteWriter& writer);
// Its text lies in the reader's bytes. False when they are damaged.
bool ReadValue(row::Type type, base::ByteReader& reader, row::Value* value);
// Owns its bytes in `pool`. False when the bytes are damaged; nothing is then held.
bool LoadValue(row::Type type, base::ByteReader& reader, SlabPool& pool, row::Value* value);

}  // namespace headrace::state
