#include "connect/column_cells.h"

#include <bit>

#include "row/calendar.h"
#include "row/decimal.h"
#include "row/text.h"

namespace headrace::connect {
namespace {

static_assert(std::endian::native == std::endian::little, "cells are stored as they are");

constexpr uint32_t kValueBytesMax = 1 << 30;  // offsets within a group have 31 bits

size_t WidthOf(CellKind kind) {
  switch (kind) {
    case CellKind::kInt16:
      return sizeof(int16_t);
    case CellKind::kInt32:
    case CellKind::kFloat:
      return sizeof(int32_t);
    case CellKind::kInt64:
    case CellKind::kDouble:
      return sizeof(int64_t);
    case CellKind::kDecimal:
      return sizeof(row::Int128);
    case CellKind::kBoolean:
    case CellKind::kBytes:
      break;
  }
  return 0;
}

// Of the types stored as bytes: those whose values are no bytes but become a text.
bool IsWrittenOut(row::TypeKind kind) {
  return kind == row::TypeKind::kDecimal || kind == row::TypeKind::kInterval;
}

}  // namespace

CellKind CellKindOf(row::Type type) {
  using enum row::TypeKind;
  switch (type.kind) {
    case kBoolean:
      return CellKind::kBoolean;
    case kInteger:
      return row::IsSmallint(type) ? CellKind::kInt16 : CellKind::kInt32;
    case kDate:
      return CellKind::kInt32;
    case kBigint:
    case kTime:
    case kTimestamp:
    case kTimestampTz:
      return CellKind::kInt64;
    case kDouble:
      return row::IsReal(type) ? CellKind::kFloat : CellKind::kDouble;
    case kDecimal:
      return type.precision == 0 ? CellKind::kBytes : CellKind::kDecimal;
    case kUnknown:
    case kText:
    case kBytea:
    case kInterval:
    case kJson:
    case kJsonb:
    case kTextArray:
    case kBigintArray:
      break;
  }
  return CellKind::kBytes;
}

ColumnCells::ColumnCells(const row::Column& column)
    : column_(column), kind_(CellKindOf(column.type)) {
  Clear();
}

void ColumnCells::Clear() {
  rows_ = nulls_ = 0;
  validity_.clear();
  values_.clear();
  offsets_.assign(kind_ == CellKind::kBytes ? 1 : 0, 0);
}

Status ColumnCells::Append(const row::Value& value) {
  const size_t bit = rows_++ % 8;
  if (bit == 0) {
    validity_ += '\0';
    if (kind_ == CellKind::kBoolean) values_ += '\0';
  }
  if (value.null) return AppendNull(), Ok();
  const auto mask = static_cast<char>(1U << bit);
  validity_.back() = static_cast<char>(validity_.back() | mask);
  switch (kind_) {
    case CellKind::kBoolean:
      if (value.boolean) values_.back() = static_cast<char>(values_.back() | mask);
      return Ok();
    case CellKind::kInt16:
    case CellKind::kInt32:
    case CellKind::kInt64:
      return AppendInteger(value.integer);
    case CellKind::kFloat:
      return Number(static_cast<float>(value.number)), Ok();
    case CellKind::kDouble:
      return Number(value.number), Ok();
    case CellKind::kDecimal:
      return AppendDecimal(value);
    case CellKind::kBytes:
      break;
  }
  return AppendBytes(value);
}

void ColumnCells::AppendNull() {
  HR_CHECK(!column_.not_null);
  ++nulls_;
  values_.append(WidthOf(kind_), '\0');
  if (kind_ == CellKind::kBytes) offsets_.push_back(offsets_.back());
}

Status ColumnCells::AppendInteger(int64_t value) {
  using enum row::TypeKind;
  const row::TypeKind type = column_.type.kind;
  if ((type == kDate || type == kTimestamp || type == kTimestampTz) &&
      (value == row::kTimeInfinity || value == row::kTimeMinusInfinity)) {
    return Refuse("an infinite time");
  }
  if (type == kTime && value >= row::kMicrosPerDay) return Refuse("the time 24:00:00");
  if (kind_ == CellKind::kInt64) return Number(value), Ok();
  const auto narrow = static_cast<int32_t>(value);
  if (narrow != value) return Refuse("a value beyond 32 bits");
  if (kind_ == CellKind::kInt32) return Number(narrow), Ok();
  return Number(static_cast<int16_t>(narrow)), Ok();
}

Status ColumnCells::AppendDecimal(row::Value value) {
  if (!row::IsFinite(value)) return Refuse("a decimal that is no number");
  if (!row::FitDecimal(&value, column_.type.precision, column_.type.scale)) {
    return Refuse("a decimal of more digits than its type");
  }
  return Number(value.unscaled()), Ok();
}

Status ColumnCells::AppendBytes(const row::Value& value) {
  if (IsWrittenOut(column_.type.kind)) {
    row::AppendText(value, column_.type, values_);
  } else if (value.length > kValueBytesMax) {
    return Refuse("a value of more than 1 GiB");
  } else {
    values_ += value.text();
  }
  offsets_.push_back(static_cast<int32_t>(values_.size()));
  return Ok();
}

Status ColumnCells::Refuse(std::string_view what) const {
  return Error(ErrorKind::kInvalidArgument, "HR6606",
               "column " + column_.name + " has " + std::string(what) +
                   ", which the file's format cannot say")
      .WithHint("write it as text, CAST(" + column_.name + " AS TEXT), or to a .csv or .jsonl");
}

}  // namespace headrace::connect
