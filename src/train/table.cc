#include "train/table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <unordered_map>

#include "document/document.h"
#include "model/csv_features.h"
#include "model/csv_records.h"
#include "model/model.h"
#include "row/text.h"

namespace headrace::train {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
// The largest value that LightGBM takes for zero when it scores.
constexpr double kZeroThreshold = static_cast<double>(1e-35F);

double Cleaned(double x) {
  return std::abs(x) <= kZeroThreshold ? 0.0 : x;
}

std::string NamesOf(const std::vector<std::string>& header) {
  std::string names;
  for (size_t i = 0; i < header.size() && i < 20; ++i) {
    names += (i == 0 ? "" : ", ") + header[i];
  }
  return names + (header.size() > 20 ? ", ..." : "");
}

Result<size_t> PlaceOf(const std::vector<std::string>& header, std::string_view name) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found != header.end()) return static_cast<size_t>(found - header.begin());
  return model::BadCsv(1, "there is no column \"" + std::string(name) + "\"")
      .WithHint("the columns are " + NamesOf(header));
}

bool Has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Names stand in the model's file divided by blanks.
Status CheckName(const std::string& name) {
  const bool fits =
      !name.empty() && document::IsUtf8(name) &&
      std::none_of(name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c == 127; });
  if (fits) return Ok();
  return model::BadCsv(1, "a feature cannot be called \"" + name + "\"")
      .WithHint("a name is UTF-8, with at least one character and no blanks; rename the column");
}

// The words of a column of categories, numbered as they come.
class Words {
 public:
  // The number of a word; NaN for a missing one. Errors: HR3005, HR3007.
  Result<double> Add(const std::string& word) {
    const std::optional<double> number = model::ParseCell(word);
    if (number && std::isnan(*number)) return kMissing;
    const auto [at, added] = numbers_.emplace(word, words_.size());
    if (added) {
      if (!document::IsUtf8(word)) {
        return Error(ErrorKind::kInvalidArgument, "HR3005", "a category that is not UTF-8");
      }
      if (words_.size() == kCategoriesMax) {
        return OverLimit("more than " + std::to_string(kCategoriesMax) + " categories");
      }
      words_.push_back(word);
    }
    return static_cast<double>(at->second);
  }

  // Replaces numbers by codes, and gives the column its words unless they are codes themselves.
  void Finish(Column* column) const {
    std::vector<double> code_of(words_.size());
    if (!AreCodes(&code_of)) {
      std::vector<size_t> order(words_.size());
      for (size_t i = 0; i < order.size(); ++i)
        order[i] = i;
      std::sort(order.begin(), order.end(),
                [this](size_t a, size_t b) { return words_[a] < words_[b]; });
      for (size_t code = 0; code < order.size(); ++code) {
        code_of[order[code]] = static_cast<double>(code);
        column->categories.push_back(words_[order[code]]);
      }
    }
    for (double& value : column->values) {
      if (!std::isnan(value)) value = code_of[static_cast<size_t>(value)];
    }
  }

 private:
  bool AreCodes(std::vector<double>* code_of) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      const std::optional<double> number = model::ParseCell(words_[i]);
      if (!number || std::signbit(*number) || *number > kCategoryCodeMax ||
          *number != std::floor(*number)) {
        return false;
      }
      (*code_of)[i] = *number;
    }
    return true;
  }

  std::unordered_map<std::string, size_t> numbers_;  // looked up only
  std::vector<std::string> words_;
};

// Reads one table.
class TableReader {
 public:
  TableReader(std::string_view csv, Task task) : records_(csv), task_(task) {}

  Status ReadHeader(std::string_view label) {
    HR_ASSIGN(const bool any, records_.Next(&header_));
    if (!any) return model::BadCsv(1, "the CSV is empty; it needs a line of column names");
    std::set<std::string_view> seen;
    for (const std::string& name : header_) {
      if (!seen.insert(name).second) {
        return model::BadCsv(1, "two columns are called \"" + name + "\"");
      }
    }
    if (label.empty()) return Ok();
    HR_ASSIGN(label_at_, LabelColumn(header_, label));
    return Ok();
  }

  Status Choose(const ColumnChoice& choice) {
    if (!choice.fold.empty()) {
      HR_ASSIGN(fold_at_, PlaceOf(header_, choice.fold));
      fold_by_time_ = choice.fold_by_time;
    }
    for (const auto* names : {&choice.ignored, &choice.categorical}) {
      for (const std::string& name : *names) {
        HR_TRY(PlaceOf(header_, name));
      }
    }
    std::vector<std::string> features = choice.features;
    if (features.empty()) features = header_;
    for (const std::string& name : features) {
      HR_ASSIGN(const size_t at, PlaceOf(header_, name));
      const bool other = at == label_at_ || at == fold_at_;
      if (Has(choice.ignored, name) || (choice.features.empty() && other)) continue;
      if (at == label_at_) return model::BadCsv(1, "the label is among the features");
      HR_TRY(CheckName(name));
      Add(name, Has(choice.categorical, name), at);
    }
    if (table_.columns.empty()) return model::BadCsv(1, "there is no column to learn from");
    if (table_.columns.size() > static_cast<size_t>(model::kFeaturesMax)) {
      return OverLimit("more than " + std::to_string(model::kFeaturesMax) + " features");
    }
    for (const auto& [name, direction] : choice.monotone) {
      HR_TRY(Constrain(name, direction));
    }
    words_.resize(table_.columns.size());
    return Ok();
  }

  Status ChooseLike(const Table& like) {
    for (const Column& column : like.columns) {
      HR_ASSIGN(const size_t at, PlaceOf(header_, column.name));
      Add(column.name, column.categorical, at);
      auto& codes = codes_.emplace_back();
      for (size_t code = 0; code < column.categories.size(); ++code)
        codes.emplace(column.categories[code], code);
    }
    return Ok();
  }

  // Makes room for as many rows as there are lines. Error: HR3007.
  Status Reserve(std::string_view csv, size_t memory) {
    const auto lines = static_cast<size_t>(std::count(csv.begin(), csv.end(), '\n')) + 1;
    const size_t rows = std::min(lines, kRowsMax);
    const size_t row_bytes = (table_.columns.size() + 2) * sizeof(double);
    if (csv.size() > memory || rows > (memory - csv.size()) / row_bytes) {
      return OverLimit("up to " + std::to_string(rows) + " rows of " +
                       std::to_string(table_.columns.size()) + " columns do not fit into the " +
                       std::to_string(memory >> 20) + " MiB that --memory allows")
          .WithHint("allow more, or learn from a sample or from fewer columns");
    }
    for (Column& column : table_.columns)
      column.values.reserve(rows);
    table_.labels.reserve(rows);
    return Ok();
  }

  // `classes`: what labels of kMulticlass are below.
  Status ReadRows(size_t classes) {
    std::vector<std::string> cells;
    for (;;) {
      HR_ASSIGN(const bool more, records_.Next(&cells));
      if (!more) break;
      if (model::IsEmptyLine(cells, header_.size())) continue;
      if (cells.size() != header_.size()) {
        return model::BadCsv(records_.line(), std::to_string(cells.size()) +
                                                  " cells in a table of " +
                                                  std::to_string(header_.size()) + " columns");
      }
      if (table_.rows() == kRowsMax) {
        return OverLimit("more than " + std::to_string(kRowsMax) + " rows")
            .WithHint("learn from a sample");
      }
      if (label_at_ == kNowhere) {
        table_.labels.push_back(0);
      } else {
        HR_TRY(ReadLabelCell(cells[label_at_], classes));
      }
      if (fold_at_ != kNowhere) {
        HR_TRY(ReadFold(cells[fold_at_]));
      }
      for (size_t i = 0; i < place_.size(); ++i) {
        HR_ASSIGN(const double value, ReadCell(i, cells[place_[i]]));
        table_.columns[i].values.push_back(value);
      }
    }
    if (table_.rows() == 0) return model::BadCsv(1, "there are no rows below the column names");
    return Ok();
  }

  Table Finish() {
    for (size_t i = 0; i < words_.size(); ++i) {
      if (table_.columns[i].categorical) words_[i].Finish(&table_.columns[i]);
    }
    const double largest = *std::max_element(table_.labels.begin(), table_.labels.end());
    if (task_ == Task::kMulticlass) table_.classes = static_cast<size_t>(largest) + 1;
    return std::move(table_);
  }

 private:
  void Add(const std::string& name, bool categorical, size_t at) {
    Column& column = table_.columns.emplace_back();
    column.name = name;
    column.categorical = categorical;
    place_.push_back(at);
  }

  Status Constrain(const std::string& name, int8_t direction) {
    HR_TRY(PlaceOf(header_, name));
    for (Column& column : table_.columns) {
      if (column.name != name) continue;
      if (column.categorical) {
        return model::BadCsv(1, "categories have no order that \"" + name + "\" could follow");
      }
      column.monotone = direction;
      return Ok();
    }
    return model::BadCsv(1, "\"" + name + "\" is constrained, and no feature");
  }

  Status ReadLabelCell(const std::string& cell, size_t classes) {
    HR_ASSIGN(const double label, ReadLabel(task_, classes, cell, records_.line()));
    if (std::abs(label) > kLabelMax) {
      return Error(ErrorKind::kInvalidArgument, "HR3008", "the label " + cell + " is too large")
          .AtPlace("line " + std::to_string(records_.line()))
          .WithHint("labels are within 1e100 of zero");
    }
    table_.labels.push_back(label);
    return Ok();
  }

  // A moment as RFC 3339 or as a number; a group by the order in which groups come.
  Status ReadFold(const std::string& cell) {
    if (!fold_by_time_) {
      table_.folds.push_back(
          static_cast<double>(groups_.emplace(cell, groups_.size()).first->second));
      return Ok();
    }
    int64_t micros = 0;
    std::optional<double> number = model::ParseCell(cell);
    if (row::ParseRfc3339(cell, &micros)) number = static_cast<double>(micros);
    if (!number || !std::isfinite(*number)) {
      return model::BadCsv(records_.line(),
                           "\"" + cell.substr(0, 40) + "\" is no time to order rows by")
          .WithHint("a time is 2026-01-31T23:59:59Z, or a number");
    }
    table_.folds.push_back(*number);
    return Ok();
  }

  Result<double> ReadCell(size_t i, const std::string& cell) {
    const Column& column = table_.columns[i];
    if (column.categorical && !words_.empty()) {
      Result<double> number = words_[i].Add(cell);
      if (number.ok()) return number;
      return Error(number.error())
          .AtPlace("line " + std::to_string(records_.line()))
          .WithHint("it is in the column of \"" + column.name + "\"");
    }
    if (column.categorical && !codes_[i].empty()) {
      const auto found = codes_[i].find(cell);
      return found == codes_[i].end() ? kMissing : static_cast<double>(found->second);
    }
    const std::optional<double> value = model::ParseCell(cell);
    if (value) return Cleaned(*value);
    if (column.categorical) return kMissing;
    return model::BadCsv(records_.line(), "\"" + cell.substr(0, 40) +
                                              "\" is not a number, in the column of \"" +
                                              column.name + "\"")
        .WithHint("leave the column out with --ignore " + column.name +
                  ", or take its words with --categorical " + column.name);
  }

  model::CsvRecords records_;
  Task task_;
  std::vector<std::string> header_;
  static constexpr size_t kNowhere = std::numeric_limits<size_t>::max();
  size_t label_at_ = kNowhere;
  size_t fold_at_ = kNowhere;
  bool fold_by_time_ = false;
  std::unordered_map<std::string, size_t> groups_;  // looked up only
  Table table_;
  std::vector<size_t> place_;  // of each column in the file
  std::vector<Words> words_;   // of each column, when words are to be found
  std::vector<std::unordered_map<std::string, size_t>> codes_;  // when they are known
};

}  // namespace

Error OverLimit(std::string message) {
  return {ErrorKind::kLimitExceeded, "HR3007", std::move(message)};
}

Table Table::Take(const std::vector<uint32_t>& rows_taken) const {
  Table taken;
  taken.classes = classes;
  for (const Column& column : columns) {
    Column& to = taken.columns.emplace_back();
    to.name = column.name;
    to.categorical = column.categorical;
    to.categories = column.categories;
    to.monotone = column.monotone;
    to.values.reserve(rows_taken.size());
    for (uint32_t row : rows_taken)
      to.values.push_back(column.values[row]);
  }
  for (uint32_t row : rows_taken) {
    taken.labels.push_back(labels[row]);
    if (!folds.empty()) taken.folds.push_back(folds[row]);
  }
  return taken;
}

Result<Table> ReadTable(std::string_view csv, const ColumnChoice& choice, Task task,
                        size_t memory) {
  TableReader reader(csv, task);
  HR_TRY(reader.ReadHeader(choice.label));
  HR_TRY(reader.Choose(choice));
  HR_TRY(reader.Reserve(csv, memory));
  HR_TRY(reader.ReadRows(kClassesMax));
  Table table = reader.Finish();
  const auto [low, high] = std::minmax_element(table.labels.begin(), table.labels.end());
  if (task != Task::kRegression && *low == *high) {
    return Error(ErrorKind::kInvalidArgument, "HR3008",
                 "all labels are " + std::to_string(static_cast<int64_t>(*low)) +
                     "; there is nothing to tell apart")
        .AtPlace("line 2");
  }
  return table;
}

Result<Table> ReadTableLike(std::string_view csv, std::string_view label, const Table& like,
                            Task task) {
  TableReader reader(csv, task);
  HR_TRY(reader.ReadHeader(label));
  HR_TRY(reader.ChooseLike(like));
  HR_TRY(reader.ReadRows(like.classes));
  return reader.Finish();
}

}  // namespace headrace::train
