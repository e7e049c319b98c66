#include "catalog/canary.h"

#include "base/bytes.h"

namespace headrace::catalog {

std::string Canary::Encode() const {
  std::string out;
  base::ByteWriter w(out);
  w.Zigzag(percent);
  w.String(salt);
  w.String(key);
  return out;
}

Result<Canary> Canary::Decode(std::string_view text) {
  base::ByteReader r(text);
  Canary canary;
  const int64_t percent = r.Zigzag();
  canary.salt = std::string(r.String());
  canary.key = std::string(r.String());
  if (!r.ok() || r.remaining() != 0 || percent < 0 || percent > 100) {
    return Error(ErrorKind::kCorruption, "HR5301", "a control record of a canary is damaged")
        .WithHint("run `headrace log verify`");
  }
  canary.percent = static_cast<int32_t>(percent);
  return canary;
}

}  // namespace headrace::catalog
