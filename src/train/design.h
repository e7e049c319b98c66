#pragma once

#include <span>
#include <vector>

#include "headrace/result.h"
#include "train/bins.h"
#include "train/table.h"

namespace headrace::train {

// Mean and standard deviation (of the rows, not of a population) of what is there in a column.
struct Scale {
  double mean = 0;
  double deviation = 0;  // 0: nothing varies

  // Error: HR3070 (a value that is not finite, or beyond kLabelMax).
  static Result<Scale> Of(const Column& column);
};

// A table as what a linear model multiplies: column 0 is 1 everywhere; then each feature of numbers
// less its mean, divided by its standard deviation, 0 where it is missing; then a column of 0 and 1
// for each frequent category of each feature of words, all 0 where it is missing. Features that are
// alike in all rows are left out. Immutable, thread-safe. Memory: the table's, whose values it
// changes in place.
class Design {
 public:
  // A feature of numbers.
  struct Number {
    size_t column = 0;  // of the table
    Scale scale;
  };
  // The categories of one feature stand side by side from `first` on, in the order of their bins.
  struct Words {
    size_t column = 0;
    size_t first = 0;
    std::vector<size_t> rows;  // of each category
  };
  // One row: `dense` are the columns from 0 on, `ones` places behind them.
  struct Row {
    std::span<const double> dense;
    std::span<const uint32_t> ones;
  };

  // Errors: HR3070, HR3007.
  static Result<Design> Make(Table* table, uint64_t seed);

  size_t columns() const { return columns_; }
  size_t rows() const { return table_->rows(); }
  const std::vector<Number>& numbers() const { return numbers_; }
  const std::vector<Words>& words() const { return words_; }
  const std::vector<FeatureBins>& bins() const { return bins_; }  // by column of the table

  // Calls take(row, Row) for each row in order.
  template <typename Take>
  void ForRows(size_t begin, size_t end, const Take& take) const {
    std::vector<double> dense(numbers_.size() + 1);
    std::vector<uint32_t> ones;
    for (size_t row = begin; row < end; ++row) {
      Fill(row, &dense, &ones);
      take(row, Row{dense, ones});
    }
  }

 private:
  Status AddNumber(size_t column);
  void AddWords(size_t column);
  void Fill(size_t row, std::vector<double>* dense, std::vector<uint32_t>* ones) const;

  Table* table_ = nullptr;
  size_t columns_ = 1;
  std::vector<Number> numbers_;
  std::vector<Words> words_;
  std::vector<FeatureBins> bins_;
};

inline constexpr size_t kDesignColumnsMax = 1024;

}  // namespace headrace::train
