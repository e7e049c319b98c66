// ONNX: whatever the bytes, Load answers; what it accepts can be scored.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The format's version and the operators', so that the fuzzer need not find them.
  std::string bytes(
      "\x08\x08\x42\x02\x10\x11\x42\x0e\x0a\x0a"
      "ai.onnx.ml\x10\x03",
      22);
  bytes.append(reinterpret_cast<const char*>(data), size);
  const auto model = headrace::model::Model::Load(bytes);
  if (!model.ok()) return 0;
  const auto& info = (*model)->info();
  const size_t cells = info.features.size();
  if (cells > 1000 || info.outputs > 1000) return 0;
  const std::vector<double> rows(cells * 2, 1.25);
  std::vector<double> raw(static_cast<size_t>(info.outputs) * 2);
  (*model)->ScoreRaw(rows, 2, raw);
  (*model)->Transform(2, raw);
  return 0;
}
