#include "catalog/change.h"

#include "base/bytes.h"

namespace headrace::catalog {
namespace {

constexpr uint8_t kFormatVersion = 1;
constexpr int64_t kLineMax = 16 << 20;  // a script has no more bytes

bool IsKind(uint8_t kind) {
  const bool first = kind >= static_cast<uint8_t>(ChangeKind::kCreate) &&
                     kind <= static_cast<uint8_t>(ChangeKind::kTrim);
  return first || kind == static_cast<uint8_t>(ChangeKind::kPrepareReplace) ||
         kind == static_cast<uint8_t>(ChangeKind::kCanaryVersion) ||
         kind == static_cast<uint8_t>(ChangeKind::kNote) ||
         kind == static_cast<uint8_t>(ChangeKind::kCreateWatched) ||
         kind == static_cast<uint8_t>(ChangeKind::kTrained);
}

}  // namespace

std::string Change::Encode() const {
  std::string out;
  base::ByteWriter w(out);
  w.U8(kFormatVersion);
  w.U8(static_cast<uint8_t>(kind));
  w.String(name);
  w.String(text);
  w.String(file);
  w.Zigzag(line);
  w.String(sha256);
  w.Zigzag(number);
  return out;
}

Result<Change> Change::Decode(std::string_view bytes) {
  base::ByteReader r(bytes);
  uint8_t version = r.U8();
  Change change;
  uint8_t kind = r.U8();
  change.name = std::string(r.String());
  change.text = std::string(r.String());
  change.file = std::string(r.String());
  int64_t line = r.Zigzag();
  change.line = static_cast<int32_t>(line);
  change.sha256 = std::string(r.String());
  change.number = static_cast<int32_t>(r.Zigzag());
  bool line_fits = line >= 0 && line <= kLineMax;
  if (!line_fits || !r.ok() || r.remaining() != 0 || version != kFormatVersion || !IsKind(kind)) {
    return Error(ErrorKind::kCorruption, "HR5301",
                 "a control record is damaged or of a newer version")
        .WithHint("run `headrace log verify`");
  }
  change.kind = static_cast<ChangeKind>(kind);
  return change;
}

}  // namespace headrace::catalog
