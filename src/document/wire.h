#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::document {

// How a field of a protobuf message is written. Groups, which proto3 does not have, are refused.
enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// One field of a message. `bytes` points into the message.
struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t integer = 0;    // varint and fixed: the bits
  std::string_view bytes;  // kBytes
  size_t offset = 0;       // in the file, of the field's tag
};

// Reads the fields of one protobuf message, front to back; knows nothing of what they mean and
// takes no memory. A length never reaches beyond the message. The message must outlive it.
class WireReader {
 public:
  // `offset` is where the message starts in the file; places in errors count from there.
  explicit WireReader(std::string_view message, size_t offset = 0)
      : rest_(message), offset_(offset) {}

  bool done() const { return rest_.empty(); }
  // The next field. Errors: HR3002. Must not be called when done().
  Result<WireField> Next();

 private:
  Result<uint64_t> Varint();
  Result<uint64_t> Fixed(size_t width);

  std::string_view rest_;
  size_t offset_;
};

// The numbers of a repeated field, one or a packed list of them, appended to `out`.
// Errors: HR3002 (another wire type, a packed list that ends inside a number).
Status AppendVarints(const WireField& field, std::vector<int64_t>* out);
Status AppendFloats(const WireField& field, std::vector<float>* out);
Status AppendDoubles(const WireField& field, std::vector<double>* out);

}  // namespace headrace::document
