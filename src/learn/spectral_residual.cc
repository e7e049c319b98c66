#include "learn/spectral_residual.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "base/portable_math.h"
#include "headrace/check.h"

namespace headrace::learn {
namespace {

constexpr int kSmoothed = 3;         // places whose logarithms are averaged
constexpr double kSmallest = 1e-12;  // of amplitudes, in units of the largest

// Roots of unity, each halving an angle that is known: no sine of any C library.
std::vector<std::complex<double>> RootsOfUnity(size_t count) {
  std::vector<std::complex<double>> roots(count, 1);
  for (size_t step = count / 2; step >= 1; step /= 2) {
    // The root at `step` is that at 2 * step with half its angle; i and -1 are exact.
    std::complex<double> root;
    if (step == count / 2) {
      root = {-1, 0};
    } else if (step == count / 4) {
      root = {0, 1};
    } else {
      const std::complex<double> whole = roots[2 * step];
      const double cosine = std::sqrt((1 + whole.real()) / 2);
      root = {cosine, whole.imag() / (2 * cosine)};
    }
    for (size_t at = step; at < count; at += 2 * step) {
      const std::complex<double> before = roots[at - step];
      roots[at] = {before.real() * root.real() - before.imag() * root.imag(),
                   before.real() * root.imag() + before.imag() * root.real()};
    }
  }
  return roots;
}

std::complex<double> Product(std::complex<double> a, std::complex<double> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

double Size(std::complex<double> a) {
  return std::sqrt(a.real() * a.real() + a.imag() * a.imag());
}

}  // namespace

SpectralResidual::SpectralResidual(const Options& options) : options_(options) {
  const auto window = static_cast<size_t>(options.window);
  HR_CHECK(options.window >= 16 && options.window <= kWindowMax && std::has_single_bit(window) &&
           options.average >= 1 && options.average <= options.window / 2);
  signal_.resize(window);
  turns_ = RootsOfUnity(window);
  logs_.resize(window);
}

void SpectralResidual::Transform(double sign) {
  const size_t count = signal_.size();
  for (size_t i = 1, mirrored = 0; i < count; ++i) {
    size_t bit = count >> 1;
    for (; (mirrored & bit) != 0; bit >>= 1)
      mirrored ^= bit;
    mirrored ^= bit;
    if (i < mirrored) std::swap(signal_[i], signal_[mirrored]);
  }
  for (size_t length = 2; length <= count; length *= 2) {
    for (size_t begin = 0; begin < count; begin += length) {
      for (size_t i = 0; i < length / 2; ++i) {
        std::complex<double> turn = turns_[i * (count / length)];
        turn.imag(sign * turn.imag());
        const std::complex<double> low = signal_[begin + i];
        const std::complex<double> high = Product(signal_[begin + i + length / 2], turn);
        signal_[begin + i] = low + high;
        signal_[begin + i + length / 2] = low - high;
      }
    }
  }
}

// The window, from the oldest on and over its largest size, and behind it what would have come
// after the values before the newest.
void SpectralResidual::FillSignal() {
  const size_t known = values_.size();
  double largest = 0;
  for (double value : values_)
    largest = std::max(largest, std::abs(value));
  if (largest == 0) largest = 1;
  for (size_t i = 0; i < known; ++i)
    signal_[i] = values_[(next_ + i) % known] / largest;
  double slopes = 0;
  const double last = signal_[known - 2].real();
  for (size_t back = 1; back <= kGuessed; ++back)
    slopes += (last - signal_[known - 2 - back].real()) / static_cast<double>(back);
  const double guess = signal_[known - 1 - kGuessed].real() + slopes;
  for (size_t i = known; i < signal_.size(); ++i)
    signal_[i] = guess;
}

// Each amplitude over the geometric mean of those up to it.
void SpectralResidual::MakeEven() {
  double largest = 0;
  for (const std::complex<double>& each : signal_)
    largest = std::max(largest, Size(each));
  if (largest == 0) return;
  for (size_t i = 0; i < signal_.size(); ++i)
    logs_[i] = base::Log(std::max(Size(signal_[i]) / largest, kSmallest));
  for (size_t i = signal_.size(); i-- > 0;) {
    double sum = 0;
    int count = 0;
    for (size_t back = 0; back < kSmoothed && back <= i; ++back, ++count)
      sum += logs_[i - back];
    const double size = Size(signal_[i]);
    const double even = base::Exp(logs_[i] - sum / count);
    signal_[i] = size / largest > kSmallest ? signal_[i] * (even / size) : 0;
  }
}

std::optional<double> SpectralResidual::Add(double value) {
  const auto wanted = static_cast<size_t>(options_.window - kGuessed);
  if (values_.size() < wanted) {
    values_.push_back(value);
  } else {
    values_[next_] = value;
  }
  next_ = (next_ + 1) % wanted;
  if (values_.size() < wanted) return {};
  FillSignal();
  Transform(-1);
  MakeEven();
  Transform(1);
  double before = 0;
  const auto average = static_cast<size_t>(options_.average);
  for (size_t back = 1; back <= average; ++back)
    before += Size(signal_[wanted - 1 - back]);
  before /= static_cast<double>(average);
  const double here = Size(signal_[wanted - 1]);
  return before > 0 ? here / before - 1 : 0;
}

size_t SpectralResidual::memory() const {
  return (values_.capacity() + logs_.capacity()) * sizeof(double) +
         (signal_.capacity() + turns_.capacity()) * sizeof(signal_[0]);
}

void SpectralResidual::Save(base::ByteWriter& writer) const {
  writer.Varint(values_.size());
  writer.Varint(next_);
  for (double value : values_)
    SaveNumber(value, writer);
}

bool SpectralResidual::Load(base::ByteReader& reader) {
  const auto wanted = static_cast<size_t>(options_.window - kGuessed);
  const uint64_t count = reader.Varint();
  next_ = reader.Varint();
  if (count > wanted || next_ >= wanted || (count < wanted && next_ != count) ||
      count > reader.remaining() / sizeof(double))
    return false;
  values_.resize(count);
  for (double& value : values_)
    value = LoadNumber(reader);
  return reader.ok() && std::all_of(values_.begin(), values_.end(),
                                    [](double value) { return std::isfinite(value); });
}

}  // namespace headrace::learn
