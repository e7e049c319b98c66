#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace headrace::fuzz {

// Whatever the bytes, Load answers; a model of trees that it accepts can be scored and explained.
inline void LoadScoreExplain(std::string_view bytes) {
  const auto model = model::Model::Load(bytes);
  if (!model.ok()) return;
  const auto& info = (*model)->info();
  const size_t cells = info.features.size();
  if (cells > 1000 || info.outputs > 100 || info.trees > 100) return;
  const std::vector<double> row(cells * 2, 1.25);
  std::vector<double> raw(static_cast<size_t>(info.outputs) * 2);
  (*model)->ScoreRaw(row, 2, raw);
  (*model)->Transform(2, raw);
  std::vector<int32_t> leaves(static_cast<size_t>(info.trees));
  (*model)->Leaves(row, leaves);
  static_cast<void>((*model)->Contributions(row));
}

}  // namespace headrace::fuzz
