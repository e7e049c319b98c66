#include "catalog/halt.h"

#include "base/bytes.h"

namespace headrace::catalog {

bool Halt::Holds(const std::string& topic) const {
  auto first = next_offsets.lower_bound({topic, 0});
  return first != next_offsets.end() && first->first.first == topic;
}

std::string Halt::Encode() const {
  std::string out;
  base::ByteWriter w(out);
  w.String(what);
  w.Varint(next_offsets.size());
  for (const auto& [of, offset] : next_offsets) {
    w.String(of.first);
    w.Zigzag(of.second);
    w.Zigzag(offset);
  }
  return out;
}

Result<Halt> Halt::Decode(std::string_view text, uint64_t lsn) {
  base::ByteReader r(text);
  Halt halt;
  halt.lsn = lsn;
  halt.what = std::string(r.String());
  const uint64_t count = r.Varint();
  bool sound = true;
  for (uint64_t i = 0; i < count && r.ok(); ++i) {
    std::string topic(r.String());
    const int64_t partition = r.Zigzag();
    const int64_t offset = r.Zigzag();
    sound = sound && partition >= 0 && partition <= INT32_MAX && offset >= 0;
    halt.next_offsets[{std::move(topic), static_cast<int32_t>(partition)}] = offset;
  }
  if (r.ok() && r.remaining() == 0 && sound) return halt;
  return Error(ErrorKind::kCorruption, "HR5301", "a control record of a halt is damaged")
      .WithHint("run `headrace log verify`");
}

}  // namespace headrace::catalog
