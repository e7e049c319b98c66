#include "learn/arm_lines.h"

#include <algorithm>
#include <cmath>

#include "learn/arm_counts.h"

namespace headrace::learn {
namespace {

// Four sums beside each other: their order is part of the result, and processors add them at once.
double Dot(const double* a, const double* b, size_t count) {
  double s0 = 0;
  double s1 = 0;
  double s2 = 0;
  double s3 = 0;
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
  }
  for (; i < count; ++i)
    s0 += a[i] * b[i];
  return (s0 + s1) + (s2 + s3);
}

bool AllFinite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

}  // namespace

ArmLines::ArmLines(size_t arms, size_t features, const Options& options)
    : options_(options), arms_(arms), size_(features + (options.intercept ? 1 : 0)) {
  const size_t cells = size_ * size_;
  chosen_.resize(arms);
  squares_.resize(arms * cells);
  products_.resize(arms * size_);
  inverses_.resize(arms * cells);
  thetas_.resize(arms * size_);
  for (size_t k = 0; k < arms; ++k) {
    for (size_t i = 0; i < size_; ++i)
      inverses_[k * cells + i * size_ + i] = 1 / options.lambda;
  }
  packed_.resize(arms * packed_size());
  pairs_.resize(packed_size());
  for (size_t k = 0; k < arms; ++k)
    Pack(k);
  x_.resize(size_);
  v_.resize(size_);
  deviations_.resize(arms);
  bounds_.resize(arms);
}

void ArmLines::Extend(Features x) {
  std::copy(x.begin(), x.end(), x_.begin());
  if (options_.intercept) x_.back() = 1;
  double* pair = pairs_.data();
  for (size_t i = 0; i < size_; ++i) {
    for (size_t j = i; j < size_; ++j)
      *pair++ = x_[i] * x_[j];
  }
}

void ArmLines::Pack(size_t arm) {
  const double* inverse = inverses_.data() + arm * size_ * size_;
  double* packed = packed_.data() + arm * packed_size();
  for (size_t i = 0; i < size_; ++i) {
    *packed++ = inverse[i * size_ + i];
    for (size_t j = i + 1; j < size_; ++j)
      *packed++ = 2 * inverse[i * size_ + j];
  }
}

double ArmLines::Quadratic(size_t arm) const {
  return Dot(packed_.data() + arm * packed_size(), pairs_.data(), packed_size());
}

void ArmLines::Judge(Features x, size_t arm, double* mean, double* deviation) {
  Extend(x);
  *mean = Dot(thetas_.data() + arm * size_, x_.data(), size_);
  *deviation = std::sqrt(std::max(0.0, Quadratic(arm)));
}

void ArmLines::Weigh(Features x, std::span<double> shares, std::span<double> means) {
  Extend(x);
  const bool greedy = options_.rule == Rule::kGreedy;
  for (size_t k = 0; k < arms_; ++k) {
    means[k] = Dot(thetas_.data() + k * size_, x_.data(), size_);
    if (greedy) continue;
    const double square = Quadratic(k);
    deviations_[k] = options_.alpha * std::sqrt(std::max(0.0, square));
    bounds_[k] = means[k] + deviations_[k];
  }
  if (options_.rule == Rule::kNormal) return best_.OfNormals(means, deviations_, shares);
  const auto fresh = std::find(chosen_.begin(), chosen_.end(), 0);
  if (!greedy) return ShareAll(Greatest(bounds_), shares);
  if (fresh == chosen_.end()) return ShareAmongBest(means, shares);
  ShareAll(static_cast<size_t>(fresh - chosen_.begin()), shares);
}

void ArmLines::Learn(const Lesson& lesson) {
  Extend(lesson.x);
  const size_t cells = size_ * size_;
  double* squares = squares_.data() + lesson.arm * cells;
  double* products = products_.data() + lesson.arm * size_;
  double* inverse = inverses_.data() + lesson.arm * cells;
  double* theta = thetas_.data() + lesson.arm * size_;
  for (size_t i = 0; i < size_; ++i) {
    for (size_t j = 0; j < size_; ++j)
      squares[i * size_ + j] += x_[i] * x_[j];
    products[i] += lesson.reward * x_[i];
    v_[i] = Dot(inverse + i * size_, x_.data(), size_);
  }
  // It was tried, whoever chose it.
  chosen_[lesson.arm] = std::max<uint64_t>(chosen_[lesson.arm], 1);
  const double grown = 1 + Dot(v_.data(), x_.data(), size_);
  if (!(grown >= 1) || !std::isfinite(grown)) {
    // So large a context that the inverse was no such any more: it is computed anew.
    ++learned_;
    Refresh(lesson.arm);
    return Pack(lesson.arm);
  }
  const double scale = 1 / grown;
  const double surprise = lesson.reward - Dot(theta, x_.data(), size_);
  for (size_t i = 0; i < size_; ++i) {
    theta[i] += surprise * scale * v_[i];
    for (size_t j = i; j < size_; ++j) {
      const double less = inverse[i * size_ + j] - scale * (v_[i] * v_[j]);
      inverse[i * size_ + j] = inverse[j * size_ + i] = less;
    }
  }
  if (++learned_ % kRefresh == 0) Renew(lesson.arm);
  Pack(lesson.arm);
}

void ArmLines::Renew(size_t arm) {
  if (options_.discount == 1) return Refresh(arm);
  double keep = 1;
  for (uint64_t i = 0; i < kRefresh; ++i)
    keep *= options_.discount;
  for (double& square : squares_)
    square *= keep;
  for (double& product : products_)
    product *= keep;
  for (size_t k = 0; k < arms_; ++k) {
    Refresh(k);
    Pack(k);
  }
}

// By Cholesky's factor L of A: A^-1 is the product of L^-1, turned, and L^-1.
void ArmLines::Refresh(size_t arm) {
  const size_t cells = size_ * size_;
  factor_.assign(squares_.begin() + static_cast<ptrdiff_t>(arm * cells),
                 squares_.begin() + static_cast<ptrdiff_t>((arm + 1) * cells));
  double* l = factor_.data();
  for (size_t i = 0; i < size_; ++i)
    l[i * size_ + i] += options_.lambda;
  for (size_t j = 0; j < size_; ++j) {
    for (size_t i = j; i < size_; ++i) {
      const double rest = l[i * size_ + j] - Dot(l + i * size_, l + j * size_, j);
      if (i > j) {
        l[i * size_ + j] = rest / l[j * size_ + j];
      } else if (!(rest > 0)) {
        return;  // beyond what numbers can tell: A^-1 stays as the formula made it
      } else {
        l[j * size_ + j] = std::sqrt(rest);
      }
    }
  }
  double* inverse = inverses_.data() + arm * cells;
  double* theta = thetas_.data() + arm * size_;
  for (size_t column = 0; column < size_; ++column) {
    // L y = e, then L' z = y.
    std::fill(v_.begin(), v_.end(), 0.0);
    v_[column] = 1;
    for (size_t i = column; i < size_; ++i)
      v_[i] =
          (v_[i] - Dot(l + i * size_ + column, v_.data() + column, i - column)) / l[i * size_ + i];
    for (size_t i = size_; i-- > 0;) {
      for (size_t j = i + 1; j < size_; ++j)
        v_[i] -= l[j * size_ + i] * v_[j];
      v_[i] /= l[i * size_ + i];
    }
    for (size_t i = 0; i <= column; ++i)
      inverse[i * size_ + column] = inverse[column * size_ + i] = v_[i];
  }
  for (size_t i = 0; i < size_; ++i)
    theta[i] = Dot(inverse + i * size_, products_.data() + arm * size_, size_);
}

void ArmLines::Save(base::ByteWriter& writer) const {
  writer.Varint(learned_);
  for (uint64_t chosen : chosen_)
    writer.Varint(chosen);
  for (const auto* values : {&squares_, &products_, &inverses_, &thetas_})
    SaveDoubles(*values, writer);
}

bool ArmLines::Load(base::ByteReader& reader) {
  learned_ = reader.Varint();
  for (uint64_t& chosen : chosen_)
    chosen = reader.Varint();
  for (auto* values : {&squares_, &products_, &inverses_, &thetas_}) {
    const size_t count = values->size();
    if (!LoadDoubles(count, *values, reader) || values->size() != count || !AllFinite(*values)) {
      return false;
    }
  }
  for (size_t k = 0; k < arms_; ++k)
    Pack(k);
  return reader.ok();
}

size_t ArmLines::memory() const {
  const size_t doubles = squares_.size() + products_.size() + inverses_.size() + thetas_.size();
  return sizeof *this + (doubles + packed_.size()) * sizeof(double) + arms_ * 4 * sizeof(double);
}

}  // namespace headrace::learn
