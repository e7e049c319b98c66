// CatBoost JSON: whatever the bytes, Load answers; what it accepts can be scored and explained.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Starts like the format, so that the bytes reach its parser.
  std::string bytes = "{\"features_info\":";
  bytes.append(reinterpret_cast<const char*>(data), size);
  const auto model = headrace::model::Model::Load(bytes);
  if (!model.ok()) return 0;
  const auto& info = (*model)->info();
  const size_t cells = info.features.size();
  if (cells > 1000 || info.outputs > 100 || info.trees > 100) return 0;
  const std::vector<double> row(cells * 2, 1.25);
  std::vector<double> raw(static_cast<size_t>(info.outputs) * 2);
  (*model)->ScoreRaw(row, 2, raw);
  (*model)->Transform(2, raw);
  std::vector<int32_t> leaves(static_cast<size_t>(info.trees));
  (*model)->Leaves(row, leaves);
  static_cast<void>((*model)->Contributions(row));
  return 0;
}
