#include "model/csv_records.h"

#include <algorithm>

namespace headrace::model {

Result<bool> CsvRecords::Next(std::vector<std::string>* fields) {
  fields->clear();
  if (at_ >= text_.size()) return false;
  record_line_ = line_;
  for (;;) {
    if (fields->size() == kColumnsMax) {
      return Error(ErrorKind::kLimitExceeded, "HR3005", "too many columns")
          .AtPlace("line " + std::to_string(line_));
    }
    HR_TRY(ReadField(&fields->emplace_back()));
    if (at_ >= text_.size()) return true;
    const char c = text_[at_++];
    if (c == ',') continue;
    if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
    return true;
  }
}

Status CsvRecords::ReadField(std::string* field) {
  if (at_ >= text_.size() || text_[at_] != '"') {
    const size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    field->assign(text_.substr(at_, end - at_));
    at_ = end;
    return Ok();
  }
  const size_t start = line_;
  ++at_;
  for (;;) {
    const size_t quote = text_.find('"', at_);
    if (quote == std::string_view::npos) {
      return Error(ErrorKind::kInvalidArgument, "HR3005", "a quoted cell without an end")
          .AtPlace("line " + std::to_string(start));
    }
    const std::string_view part = text_.substr(at_, quote - at_);
    line_ += static_cast<size_t>(std::count(part.begin(), part.end(), '\n'));
    field->append(part);
    at_ = quote + 1;
    if (at_ >= text_.size() || text_[at_] != '"') break;
    field->push_back('"');
    ++at_;
  }
  const size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
  if (end == at_) return Ok();
  return Error(ErrorKind::kInvalidArgument, "HR3005", "text behind a quoted cell")
      .AtPlace("line " + std::to_string(line_));
}

}  // namespace headrace::model
