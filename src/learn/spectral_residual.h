#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "learn/running_mean.h"

namespace headrace::learn {

// How much a value stands out of the window before it: the spectrum of the window is made even, and
// what remains is what does not repeat. Ren et al., "Time-Series Anomaly Detection Service at
// Microsoft", KDD 2019: the saliency of the newest value over the mean saliency of the `average`
// values before it, less 1; 3 is the usual limit. As there, values to come are guessed from the
// slopes before the newest, so that it does not stand at the edge.
//
// A value costs two Fourier transforms of the window. They and the logarithms are made of basic
// operations only: the same bits on every machine. State is a function of the values added.
// Confined.
class SpectralResidual {
 public:
  struct Options {
    int32_t window = 128;  // a power of two, 16 to kWindowMax, with the kGuessed values to come
    int32_t average = 21;  // at least 1, at most window / 2
  };
  static constexpr int32_t kWindowMax = 4096;
  static constexpr int32_t kGuessed = 5;

  explicit SpectralResidual(const Options& options);

  // The score; nothing until the window is full. `value` is finite and below 1e150 in size.
  std::optional<double> Add(double value);

  size_t memory() const;
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  // In place; `sign` -1: forward, 1: backward, not yet divided by the length.
  void Transform(double sign);
  void FillSignal();
  void MakeEven();

  Options options_;
  std::vector<double> values_;  // of the window, a ring once it is full
  size_t next_ = 0;
  // Of length `window`, without anything to remember.
  std::vector<std::complex<double>> signal_;
  std::vector<std::complex<double>> turns_;  // e^(2 pi i k / window)
  std::vector<double> logs_;
};

}  // namespace headrace::learn
