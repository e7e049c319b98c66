#include "state/key_encoder.h"

#include <utility>

#include "base/bytes.h"
#include "row/text.h"

namespace headrace::state {

KeyEncoder::KeyEncoder(std::vector<int> slots, std::vector<row::Type> types)
    : slots_(std::move(slots)),
      types_(std::move(types)),
      single_text_(types_.size() == 1 && types_[0].kind == row::TypeKind::kText) {}

PackedText KeyEncoder::Encode(const row::Value* row, base::Arena& arena) {
  if (single_text_) {
    const row::Value& value = row[slots_[0]];
    return value.null ? PackedText() : PackedText::Borrow(value.text());
  }
  scratch_.clear();
  base::ByteWriter writer(scratch_);
  for (size_t i = 0; i < slots_.size(); ++i) {
    const row::Value& value = row[slots_[i]];
    // Length first, so that the end of one column is never taken for the start of the next.
    part_.clear();
    if (!value.null) row::AppendKey(value, types_[i], part_);
    writer.Varint(value.null ? 0 : part_.size() + 1);
    writer.Bytes(part_);
  }
  if (scratch_.size() <= PackedText::kInline) return PackedText::Short(scratch_);
  return PackedText::Borrow(arena.Copy(scratch_));
}

}  // namespace headrace::state
