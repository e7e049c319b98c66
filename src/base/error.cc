#include "headrace/error.h"

namespace headrace {

Error&& Error::Wrap(std::string_view context) && {
  message_.insert(0, std::string(context) + ": ");
  return std::move(*this);
}

std::string Error::ToString() const {
  std::string text = code_;
  if (!place_.empty()) text += " at " + place_;
  text += ": " + message_;
  if (!hint_.empty()) text += " (hint: " + hint_ + ")";
  return text;
}

}  // namespace headrace
