#include "catalog/loss.h"

#include "base/bytes.h"

namespace headrace::catalog {

std::string Loss::Encode() const {
  std::string out;
  base::ByteWriter w(out);
  w.Varint(lost_from);
  w.Varint(next_offsets.size());
  for (const auto& [of, offset] : next_offsets) {
    w.String(of.first);
    w.Zigzag(of.second);
    w.Zigzag(offset);
  }
  return out;
}

Result<Loss> Loss::Decode(std::string_view text, uint64_t lsn) {
  base::ByteReader r(text);
  Loss loss;
  loss.lsn = lsn;
  loss.lost_from = r.Varint();
  const uint64_t count = r.Varint();
  for (uint64_t i = 0; i < count && r.ok(); ++i) {
    std::string topic(r.String());
    const auto partition = static_cast<int32_t>(r.Zigzag());
    loss.next_offsets[{std::move(topic), partition}] = r.Zigzag();
  }
  if (r.ok() && r.remaining() == 0 && loss.lost_from <= lsn) return loss;
  return Error(ErrorKind::kCorruption, "HR5301", "a control record of a salvage is damaged")
      .WithHint("run `headrace log verify`");
}

}  // namespace headrace::catalog
