#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "learn/running_mean.h"

namespace headrace::learn {

// How unlike the newest `length` values are to any `length` values before them in the window: the
// Euclidean distance of both, each less its mean and over its deviation, to the nearest that does
// not overlap. What never came before in shape (a discord) is far from all. The left matrix profile
// of Yeh et al., "Matrix Profile I", ICDM 2016, as Lu et al., "Matrix Profile XXIV: DAMP", KDD
// 2022, use it to find anomalies. From 0 to 2 sqrt(length).
//
// A flat piece is at distance 0 of a flat piece, and at sqrt(length) of others. A value costs a
// pass over the window: products of pieces are carried on from one value to the next, and computed
// anew once in a window, so that no error of rounding stays. State is a function of the values
// added. Confined.
class MatrixProfile {
 public:
  struct Options {
    int32_t length = 50;    // at least 3
    int32_t window = 1000;  // at least 4 * length, at most kWindowMax
  };
  static constexpr int32_t kWindowMax = 100'000;

  explicit MatrixProfile(const Options& options);

  // The distance; nothing until the window is full. `value` is finite and below 1e150 in size.
  std::optional<double> Add(double value);

  size_t memory() const;
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  struct Piece {
    double mean = 0;
    double over_deviation = 0;  // 0: it is flat
  };

  Piece PieceAt(size_t begin) const;
  // Forgets what has left the window, and moves the rest to the front.
  void MakeRoom();
  void MultiplyAnew();
  void CarryProducts();
  double Nearest() const;
  size_t Length() const { return static_cast<size_t>(options_.length); }
  size_t Window() const { return static_cast<size_t>(options_.window); }

  Options options_;
  std::vector<double> values_;    // the window is its end
  std::vector<Piece> pieces_;     // by where they begin in values_
  std::vector<double> products_;  // of the newest piece and the one that begins there
  double offset_ = 0;             // what is taken off each value first: else large ones hide others
  uint64_t until_anew_ = 0;       // values until products are computed anew
};

}  // namespace headrace::learn
