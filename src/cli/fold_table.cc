#include "cli/fold_table.h"

#include <charconv>
#include <cmath>

namespace headrace::cli {

Cell NumberCell(double number) {
  if (!std::isfinite(number)) return Cell::Null();
  char digits[32];
  return {{digits, std::to_chars(digits, digits + sizeof digits, number).ptr}, Cell::Kind::kNumber};
}

Listing FoldTable(const std::vector<train::FoldResult>& results) {
  std::vector<std::string> names = {"fold", "learned", "tested"};
  for (const train::Measure& measure : results[0].measures)
    names.push_back(measure.name);
  Listing listing(names);
  for (size_t fold = 0; fold < results.size(); ++fold) {
    std::vector<Cell> row = {Cell::Text(std::to_string(fold + 1)),
                             Cell::Number(uint64_t{results[fold].learned}),
                             Cell::Number(uint64_t{results[fold].tested})};
    for (const train::Measure& measure : results[fold].measures)
      row.push_back(NumberCell(measure.value));
    listing.Add(std::move(row));
  }
  std::vector<Cell> mean = {Cell::Text("mean"), Cell::Null(), Cell::Null()};
  for (const train::Measure& measure : results[0].measures)
    mean.push_back(NumberCell(train::MeanOf(results, measure.name)));
  listing.Add(std::move(mean));
  return listing;
}

}  // namespace headrace::cli
