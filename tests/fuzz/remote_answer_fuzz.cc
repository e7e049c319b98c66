// Any bytes as what a remote model says, as an answer in the journal, as values and as an address:
// refused, or the same again when they are written back.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "flow/remote_answer.h"
#include "headrace/check.h"
#include "model/remote_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  model::RemoteSignature signature;
  signature.inputs = {{"x", model::RemoteType::kDouble}};
  signature.outputs = {{"a", static_cast<model::RemoteType>(data[0] % 6)},
                       {"b", static_cast<model::RemoteType>(data[0] / 6 % 6)}};
  if (data[0] >= 128) signature.outputs.pop_back();
  if (const auto values = model::ReadRemoteAnswer(signature, bytes); values.ok()) {
    HR_CHECK(values->size() == signature.outputs.size());
    for (const model::RemoteValue& value : *values) {
      const auto* number = std::get_if<double>(&value);
      HR_CHECK(number == nullptr || std::isfinite(*number));
    }
    std::string written;
    model::AppendRemoteValues(*values, written);
    base::ByteReader reader(written);
    std::vector<model::RemoteValue> again;
    HR_CHECK(model::ReadRemoteValues(reader, again) && again == *values);
  }
  if (const auto answer = flow::RemoteAnswer::Decode(bytes); answer.ok()) {
    const auto again = flow::RemoteAnswer::Decode(answer->Encode());
    HR_CHECK(again.ok() && again->Encode() == answer->Encode());
  }
  if (const auto address = model::RemoteAddress::Parse(bytes); address.ok()) {
    HR_CHECK(!address->host.empty() && address->port > 0 && address->target.ends_with("/infer"));
    HR_CHECK(address->target.find('\n') == std::string::npos);
  }
  return 0;
}
