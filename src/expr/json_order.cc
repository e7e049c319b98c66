#include "expr/json_order.h"

#include <string>
#include <vector>

#include "row/decimal.h"
#include "row/json_text.h"
#include "row/text.h"
#include "row/wide_decimal.h"

namespace headrace::expr {
namespace {

int RankOf(char first) {
  switch (first) {
    case 'n':
      return 0;
    case '"':
      return 1;
    case 't':
    case 'f':
      return 3;
    case '[':
      return 4;
    case '{':
      return 5;
    default:
      return 2;
  }
}

constexpr int kArrayRank = 4;

int CompareItems(std::string_view a, std::string_view b);

int Sign(int order) {
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

int CompareStrings(std::string_view a, std::string_view b) {
  std::string left;
  std::string right;
  row::AppendUnescaped(a, left);
  row::AppendUnescaped(b, right);
  return Sign(left.compare(right));
}

int CompareNumbers(std::string_view a, std::string_view b) {
  row::Value left;
  row::Value right;
  if (row::ParseDecimal(a, &left) && row::ParseDecimal(b, &right)) {
    return row::CompareDecimal(left, right);
  }
  row::WideDecimal wide_left;
  row::WideDecimal wide_right;
  if (row::ParseWideDecimal(a, &wide_left) && row::ParseWideDecimal(b, &wide_right)) {
    return row::CompareDecimal(wide_left, wide_right);
  }
  return Sign(a.compare(b));
}

template <typename T>
int CompareSizes(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

int CompareArrays(std::string_view a, std::string_view b) {
  const auto left = row::JsonElements(a);
  const auto right = row::JsonElements(b);
  int order = CompareSizes(left, right);
  for (size_t i = 0; order == 0 && i < left.size(); ++i)
    order = CompareItems(left[i], right[i]);
  return order;
}

int CompareObjects(std::string_view a, std::string_view b) {
  const auto left = row::JsonMembers(a);
  const auto right = row::JsonMembers(b);
  int order = CompareSizes(left, right);
  for (size_t i = 0; order == 0 && i < left.size(); ++i) {
    order = CompareStrings(left[i].key, right[i].key);
    if (order == 0) order = CompareItems(left[i].value, right[i].value);
  }
  return order;
}

int CompareItems(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  const int rank = RankOf(a.front());
  if (rank != RankOf(b.front())) return rank - RankOf(b.front());
  switch (rank) {
    case 1:
      return CompareStrings(a, b);
    case 2:
      return CompareNumbers(a, b);
    case 3:
      return a.front() == 't' ? 1 : -1;
    case 4:
      return CompareArrays(a, b);
    default:
      return CompareObjects(a, b);
  }
}

}  // namespace

int CompareJsonb(std::string_view a, std::string_view b) {
  // A scalar document counts as an array of one: only the empty array is smaller.
  const bool a_scalar = RankOf(a.front()) < kArrayRank;
  const bool b_scalar = RankOf(b.front()) < kArrayRank;
  if (a == "[]" && b_scalar) return -1;
  if (b == "[]" && a_scalar) return 1;
  return CompareItems(a, b);
}

}  // namespace headrace::expr
