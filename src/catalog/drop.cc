#include "catalog/drop.h"

#include "base/bytes.h"

namespace headrace::catalog {
namespace {

constexpr int64_t kPartitionsMax = INT32_MAX;

void Write(const Offsets& offsets, base::ByteWriter& w) {
  w.Varint(offsets.size());
  for (const auto& [of, offset] : offsets) {
    w.String(of.first);
    w.Zigzag(of.second);
    w.Zigzag(offset);
  }
}

// False: a number is none that can be.
bool Read(base::ByteReader& r, Offsets* offsets) {
  const uint64_t count = r.Varint();
  for (uint64_t i = 0; i < count && r.ok(); ++i) {
    std::string topic(r.String());
    const int64_t partition = r.Zigzag();
    const int64_t offset = r.Zigzag();
    if (partition < 0 || partition > kPartitionsMax || offset < 0) return false;
    (*offsets)[{std::move(topic), static_cast<int32_t>(partition)}] = offset;
  }
  return r.ok();
}

Error Damaged(const char* what) {
  return Error(ErrorKind::kCorruption, "HR5301",
               std::string("a control record of a ") + what + " is damaged")
      .WithHint("run `headrace log verify`");
}

}  // namespace

std::string Drop::Encode() const {
  std::string out;
  base::ByteWriter w(out);
  Write(ended, w);
  Write(letters, w);
  w.String(topic);
  w.Zigzag(partitions);
  w.String(repeats);
  return out;
}

Result<Drop> Drop::Decode(std::string_view text, std::string name, uint64_t lsn) {
  Drop drop;
  drop.lsn = lsn;
  drop.name = std::move(name);
  if (text.empty()) return drop;
  base::ByteReader r(text);
  if (!Read(r, &drop.ended) || !Read(r, &drop.letters)) return Damaged("drop");
  drop.topic = std::string(r.String());
  const int64_t partitions = r.Zigzag();
  drop.repeats = std::string(r.String());
  const bool sound = partitions >= 0 && partitions <= kPartitionsMax;
  if (!r.ok() || r.remaining() != 0 || !sound) return Damaged("drop");
  drop.partitions = static_cast<int32_t>(partitions);
  return drop;
}

std::string EncodeOffsets(const Offsets& offsets) {
  std::string out;
  base::ByteWriter w(out);
  Write(offsets, w);
  return out;
}

Result<Offsets> DecodeOffsets(std::string_view text) {
  base::ByteReader r(text);
  Offsets offsets;
  if (!Read(r, &offsets) || r.remaining() != 0) return Damaged("dropped topic");
  return offsets;
}

}  // namespace headrace::catalog
