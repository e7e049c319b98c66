#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::model {

// The records of a CSV text (RFC 4180; LF or CRLF; a byte order mark is skipped). A view: the text
// must outlive it. Confined.
class CsvRecords {
 public:
  explicit CsvRecords(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  // Reads the next record; false at the end. An empty line is a record of one empty field.
  // Errors: HR3005 (a quote without an end, more than kColumnsMax fields; place is the line).
  Result<bool> Next(std::vector<std::string>* fields);
  // Where the last record started, from 1.
  size_t line() const { return record_line_; }

 private:
  Status ReadField(std::string* field);

  std::string_view text_;
  size_t at_ = 0;
  size_t line_ = 1;
  size_t record_line_ = 0;
};

inline constexpr size_t kColumnsMax = 200'000;

}  // namespace headrace::model
