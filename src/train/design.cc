#include "train/design.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace headrace::train {
namespace {

Error NotFinite(const Column& column, size_t row) {
  return Error(ErrorKind::kInvalidArgument, "HR3070",
               "\"" + column.name + "\" has a value in row " + std::to_string(row + 1) +
                   " that is infinite or beyond 1e100")
      .WithHint(
          "linear models and k-means need finite numbers; leave the column out, or leave the "
          "cell empty: what is missing is the mean");
}

}  // namespace

Result<Design> Design::Make(Table* table, uint64_t seed) {
  Design design;
  design.table_ = table;
  const std::vector<uint32_t> sample = SampleRows(table->rows(), seed);
  for (const Column& column : table->columns)
    design.bins_.push_back(MakeBins(column, sample));
  for (size_t c = 0; c < table->columns.size(); ++c) {
    if (table->columns[c].categorical) continue;
    HR_TRY(design.AddNumber(c));
  }
  for (size_t c = 0; c < table->columns.size(); ++c) {
    if (table->columns[c].categorical) design.AddWords(c);
  }
  if (design.columns_ > kDesignColumnsMax) {
    return OverLimit(std::to_string(design.columns_) + " columns, each category counted as one; " +
                     "a linear model has at most " + std::to_string(kDesignColumnsMax))
        .WithHint("learn from fewer columns, or with --algorithm boosting");
  }
  return design;
}

Result<Scale> Scale::Of(const Column& column) {
  double sum = 0;
  size_t count = 0;
  for (size_t row = 0; row < column.values.size(); ++row) {
    const double x = column.values[row];
    if (std::isnan(x)) continue;
    if (!(std::abs(x) <= kLabelMax)) return NotFinite(column, row);
    sum += x;
    ++count;
  }
  Scale scale;
  if (count == 0) return scale;
  scale.mean = sum / static_cast<double>(count);
  double squares = 0;
  bool varies = false;
  double seen = std::nan("");
  for (double x : column.values) {
    if (std::isnan(x)) continue;
    squares += (x - scale.mean) * (x - scale.mean);
    varies = varies || (!std::isnan(seen) && x != seen);
    seen = x;
  }
  // Equal values may differ from their rounded mean.
  if (varies) scale.deviation = std::sqrt(squares / static_cast<double>(count));
  return scale;
}

Status Design::AddNumber(size_t c) {
  Column& column = table_->columns[c];
  HR_ASSIGN(const Scale scale, Scale::Of(column));
  if (!(scale.deviation > 0)) return Ok();
  for (double& x : column.values)
    x = std::isnan(x) ? 0 : (x - scale.mean) / scale.deviation;
  numbers_.push_back({c, scale});
  ++columns_;
  return Ok();
}

// Values become places among the feature's columns; NaN: none.
void Design::AddWords(size_t c) {
  Column& column = table_->columns[c];
  std::map<double, size_t> place_of;
  for (int32_t category : bins_[c].categories)
    place_of.emplace(category, place_of.size());
  if (place_of.empty()) return;
  Words words{c, columns_, std::vector<size_t>(place_of.size())};
  for (double& x : column.values) {
    const auto found = std::isnan(x) ? place_of.end() : place_of.find(x);
    x = found == place_of.end() ? std::nan("") : static_cast<double>(found->second);
    if (found != place_of.end()) ++words.rows[found->second];
  }
  columns_ += place_of.size();
  words_.push_back(std::move(words));
}

void Design::Fill(size_t row, std::vector<double>* dense, std::vector<uint32_t>* ones) const {
  (*dense)[0] = 1;
  for (size_t i = 0; i < numbers_.size(); ++i)
    (*dense)[i + 1] = table_->columns[numbers_[i].column].values[row];
  ones->clear();
  for (const Words& words : words_) {
    const double place = table_->columns[words.column].values[row];
    if (!std::isnan(place))
      ones->push_back(static_cast<uint32_t>(words.first) + static_cast<uint32_t>(place));
  }
}

}  // namespace headrace::train
