#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "headrace/result.h"

namespace headrace::model {

// A value on its way to a remote model or from one; std::monostate is NULL.
using RemoteValue = std::variant<std::monostate, bool, int64_t, double, std::string>;

enum class RemoteType : uint8_t { kBoolean, kInteger, kBigint, kReal, kDouble, kText };

struct RemoteColumn {
  std::string name;
  RemoteType type = RemoteType::kDouble;
};

// Where a remote model is, and what its inputs and outputs are called. Immutable once made.
struct RemoteAddress {
  std::string host;
  uint16_t port = 80;
  std::string target;  // the path of its infer call
  std::string name;    // the last part of the path: what it is called there

  // http://HOST[:PORT]/…/models/NAME[/versions/V][/infer]. Error: HR3030.
  static Result<RemoteAddress> Parse(std::string_view url);
};

struct RemoteSignature {
  std::vector<RemoteColumn> inputs;   // 1 to kRemoteColumnsMax
  std::vector<RemoteColumn> outputs;  // 1 to kRemoteColumnsMax
  std::string tensor;  // all inputs go in one tensor of this name; empty: each has its own
};

inline constexpr size_t kRemoteColumnsMax = 1000;
// What a remote model may answer, in bytes.
inline constexpr size_t kRemoteAnswerBytesMax = 1 << 20;
// A text that it answers.
inline constexpr size_t kRemoteTextBytesMax = 64 << 10;

// The body of a call for one row: JSON of the Open Inference Protocol v2, tensors of the shape
// [1, 1], or one of [1, inputs]. None of the inputs is NULL, and no number is NaN or infinite.
std::string RemoteRequest(const RemoteSignature& signature, std::span<const RemoteValue> inputs);

// Reads the answer: of each output the first element of the tensor of its name, or, where there is
// one tensor with as many elements as there are outputs, those in order. Errors: HR3031 for what is
// no answer of the protocol, another shape, type or number, a number that is not finite;
// HR3032 when it is over kRemoteAnswerBytesMax or kRemoteTextBytesMax.
Result<std::vector<RemoteValue>> ReadRemoteAnswer(const RemoteSignature& signature,
                                                  std::string_view body);

// Values in the journal and in snapshots: a count (varint), and of each a kind (u8: 0 NULL,
// 1 boolean, 2 integer, 3 double, 4 text) and what it is (u8, zigzag, u64, string).
void AppendRemoteValues(std::span<const RemoteValue> values, std::string& out);
// False when they are damaged or more than kRemoteColumnsMax.
bool ReadRemoteValues(base::ByteReader& reader, std::vector<RemoteValue>& values);

}  // namespace headrace::model
