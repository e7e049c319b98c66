#pragma once

#include <string>
#include <vector>

#include "cli/arguments.h"
#include "headrace/result.h"
#include "train/cross_validation.h"
#include "train/options.h"
#include "train/table.h"

namespace headrace::cli {

// What a command line wants learned, from which columns, and how it is to be tested.
struct TrainOrder {
  train::Options options;
  train::ColumnChoice columns;
  size_t folds = 0;  // 0: none
};

// The flags of `model train` and `model tune` that say what is learned.
std::vector<Flag> TrainFlags();

// Error: HR9001 (a flag is missing, does not go with the algorithm, or is out of range).
Result<TrainOrder> ReadTrainOrder(const Arguments& arguments);

// A number of a flag within [low, high]; `low_too`: low itself is allowed. Error: HR9001.
struct NumberLimits {
  double low = 0;
  double high = 1;
  bool low_too = false;
};
Result<double> ReadNumber(const Arguments& arguments, std::string_view flag, double otherwise,
                          const NumberLimits& limits);

// The values of a flag that takes lists, with commas or several times.
std::vector<std::string> ReadList(const Arguments& arguments, std::string_view flag);

Result<std::vector<train::Fold>> MakeFolds(const train::Table& table, const TrainOrder& order);

}  // namespace headrace::cli
