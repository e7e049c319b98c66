#include "learn/matrix_profile.h"

#include <algorithm>
#include <cmath>

#include "headrace/check.h"

namespace headrace::learn {

MatrixProfile::MatrixProfile(const Options& options) : options_(options) {
  HR_CHECK(options.length >= 3 && options.window >= 4 * options.length &&
           options.window <= kWindowMax);
}

MatrixProfile::Piece MatrixProfile::PieceAt(size_t begin) const {
  const double count = options_.length;
  double sum = 0;
  for (size_t i = begin; i < begin + Length(); ++i)
    sum += values_[i];
  Piece piece{sum / count, 0};
  double squares = 0;
  for (size_t i = begin; i < begin + Length(); ++i)
    squares += (values_[i] - piece.mean) * (values_[i] - piece.mean);
  const double deviation = std::sqrt(squares / count);
  // Below it the digits of the values say nothing.
  const bool flat = !(deviation > 1e-12 * std::abs(piece.mean));
  if (!flat && std::isfinite(deviation)) piece.over_deviation = 1 / deviation;
  return piece;
}

void MatrixProfile::MakeRoom() {
  if (values_.size() < 2 * Window()) return;
  const auto gone = static_cast<ptrdiff_t>(values_.size() - Window());
  values_.erase(values_.begin(), values_.begin() + gone);
  pieces_.erase(pieces_.begin(), pieces_.begin() + gone);
  products_.erase(products_.begin(), products_.begin() + gone);
}

std::optional<double> MatrixProfile::Add(double value) {
  MakeRoom();
  values_.push_back(value);
  if (values_.size() < Length()) return {};
  pieces_.push_back(PieceAt(pieces_.size()));
  products_.push_back(0);
  if (values_.size() < Window()) return {};
  if (until_anew_ == 0) {
    MultiplyAnew();
    until_anew_ = Window();
  } else {
    CarryProducts();
  }
  --until_anew_;
  return Nearest();
}

void MatrixProfile::MultiplyAnew() {
  const size_t newest = pieces_.size() - 1;
  offset_ = pieces_[newest].mean;
  for (size_t begin = values_.size() - Window(); begin + Length() <= newest; ++begin) {
    double sum = 0;
    for (size_t i = 0; i < Length(); ++i)
      sum += (values_[begin + i] - offset_) * (values_[newest + i] - offset_);
    products_[begin] = sum;
  }
}

// Both pieces move on by one value: the products of the first values go, those of the last come.
void MatrixProfile::CarryProducts() {
  const size_t newest = pieces_.size() - 1;
  const size_t oldest = values_.size() - Window();
  const double gone = values_[newest - 1] - offset_;
  const double come = values_.back() - offset_;
  for (size_t begin = newest - Length(); begin >= oldest; --begin) {
    products_[begin] = products_[begin - 1] - (values_[begin - 1] - offset_) * gone +
                       (values_[begin + Length() - 1] - offset_) * come;
    if (begin == oldest) break;
  }
}

double MatrixProfile::Nearest() const {
  const size_t newest = pieces_.size() - 1;
  const Piece& here = pieces_[newest];
  const double count = options_.length;
  // The largest correlation; of a flat piece with another it is 1, with one that is not 1/2.
  double most = -1;
  for (size_t begin = values_.size() - Window(); begin + Length() <= newest; ++begin) {
    const Piece& there = pieces_[begin];
    const double means = (here.mean - offset_) * (there.mean - offset_);
    double correlation =
        (products_[begin] / count - means) * (here.over_deviation * there.over_deviation);
    if (here.over_deviation == 0 || there.over_deviation == 0)
      correlation = here.over_deviation == there.over_deviation ? 1 : 0.5;
    if (correlation > most) most = correlation;
  }
  return std::sqrt(2 * count * (1 - std::min(most, 1.0)));
}

size_t MatrixProfile::memory() const {
  return (values_.capacity() + products_.capacity()) * sizeof(double) +
         pieces_.capacity() * sizeof(Piece);
}

void MatrixProfile::Save(base::ByteWriter& writer) const {
  writer.Varint(until_anew_);
  const size_t from = values_.size() - std::min(values_.size(), Window());
  writer.Varint(values_.size() - from);
  SaveNumber(offset_, writer);
  for (size_t i = from; i < values_.size(); ++i)
    SaveNumber(values_[i], writer);
  for (size_t i = from; i < products_.size(); ++i)
    SaveNumber(products_[i], writer);
}

bool MatrixProfile::Load(base::ByteReader& reader) {
  until_anew_ = reader.Varint();
  const uint64_t count = reader.Varint();
  offset_ = LoadNumber(reader);
  if (count > Window() || until_anew_ >= Window() || (count < Window() && until_anew_ != 0) ||
      count > reader.remaining() / sizeof(double))
    return false;
  values_.resize(count);
  pieces_.clear();
  products_.resize(count < Length() ? 0 : count - Length() + 1);
  for (std::vector<double>* numbers : {&values_, &products_})
    for (double& number : *numbers)
      number = LoadNumber(reader);
  for (size_t begin = 0; begin < products_.size(); ++begin)
    pieces_.push_back(PieceAt(begin));
  const auto finite = [](double value) { return std::isfinite(value); };
  return reader.ok() && std::all_of(values_.begin(), values_.end(), finite);
}

}  // namespace headrace::learn
