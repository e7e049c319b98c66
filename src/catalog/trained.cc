#include "catalog/trained.h"

#include "base/bytes.h"

namespace headrace::catalog {

std::string Trained::Encode() const {
  std::string out;
  base::ByteWriter w(out);
  w.Varint(run);
  w.Varint(lsn);
  w.Varint(index);
  w.Zigzag(newest);
  w.U8(drifting ? 1 : 0);
  w.Zigzag(version);
  w.Zigzag(gate_version);
  w.Zigzag(gate_time);
  w.Varint(gate_from);
  w.String(EncodeOffsets(offsets));
  return out;
}

Result<Trained> Trained::Decode(std::string_view text) {
  base::ByteReader r(text);
  Trained trained;
  trained.run = r.Varint();
  trained.lsn = r.Varint();
  const uint64_t index = r.Varint();
  trained.newest = r.Zigzag();
  const uint8_t drifting = r.U8();
  const int64_t version = r.Zigzag();
  const int64_t gate_version = r.Zigzag();
  trained.gate_time = r.Zigzag();
  trained.gate_from = r.Varint();
  const std::string_view offsets = r.String();
  const bool versions =
      version >= 0 && version <= INT32_MAX && gate_version >= 0 && gate_version <= INT32_MAX;
  const bool sound = index <= UINT32_MAX && drifting <= 1 && versions;
  if (!r.ok() || r.remaining() != 0 || !sound) {
    return Error(ErrorKind::kCorruption, "HR5301", "a control record of a training is damaged")
        .WithHint("run `headrace log verify`");
  }
  HR_ASSIGN(trained.offsets, DecodeOffsets(offsets));
  trained.index = static_cast<uint32_t>(index);
  trained.drifting = drifting == 1;
  trained.version = static_cast<int32_t>(version);
  trained.gate_version = static_cast<int32_t>(gate_version);
  return trained;
}

}  // namespace headrace::catalog
