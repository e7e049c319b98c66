#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "train/options.h"

namespace headrace::train {

// One feature of all rows.
struct Column {
  std::string name;
  // NaN is missing; what LightGBM takes for zero is zero; a category is its code.
  std::vector<double> values;
  bool categorical = false;
  std::vector<std::string> categories;  // the words by code; empty when cells are codes themselves
  int8_t monotone = 0;
};

// Labelled rows, column by column.
struct Table {
  std::vector<Column> columns;
  std::vector<double> labels;
  size_t classes = 1;  // of Task::kMulticlass: one more than the largest label
  // By row, of ColumnChoice::fold: a moment, or a group by its number. Empty: nobody asked.
  std::vector<double> folds;

  size_t rows() const { return labels.size(); }
  // These rows, in this order.
  Table Take(const std::vector<uint32_t>& rows_taken) const;
};

// Reads a CSV (RFC 4180, first line names the columns). A column of categories has whole numbers
// from 0 to kCategoryCodeMax, which are their own codes, or else words, numbered in their order.
// Without a label in the choice all labels are 0. What is taken may have `memory` bytes with the
// CSV. Errors: HR3005 (no such column, not a number, a broken CSV; `line N`), HR3008 (a label that
// does not fit the task, or all alike), HR3007 (over a limit).
Result<Table> ReadTable(std::string_view csv, const ColumnChoice& choice, Task task,
                        size_t memory = std::numeric_limits<size_t>::max());

// Reads further rows with the columns, codes and classes of `like`; unknown words are missing.
Result<Table> ReadTableLike(std::string_view csv, std::string_view label, const Table& like,
                            Task task);

// HR3007: more than the trainer takes.
Error OverLimit(std::string message);

inline constexpr size_t kRowsMax = size_t{1} << 24;
inline constexpr size_t kCategoriesMax = 65'536;
inline constexpr int32_t kCategoryCodeMax = 65'535;
inline constexpr double kLabelMax = 1e100;

}  // namespace headrace::train
