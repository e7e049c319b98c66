#include "learn/matrix_factorization.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "headrace/check.h"
#include "learn/draws.h"

namespace headrace::learn {
namespace {

constexpr double kErrorMax = 1e6;  // a step beyond it would leave no numbers behind
constexpr uint64_t kUserSalt = 1;
constexpr uint64_t kItemSalt = 2;

}  // namespace

MatrixFactorization::MatrixFactorization(const FactorOptions& options, uint64_t seed)
    : options_(options), seed_(seed) {
  HR_CHECK(options.factors >= 1);
}

const double* MatrixFactorization::Find(const Side& side, double name) const {
  const auto known = side.places.find(name);
  return known == side.places.end() ? nullptr : side.values.data() + known->second * ValuesOfOne();
}

double* MatrixFactorization::Take(Side& side, double name, uint64_t salt) {
  const auto [known, added] = side.places.try_emplace(name, side.names.size());
  if (added) {
    if (memory() > options_.memory_max) {
      side.places.erase(known);
      return nullptr;
    }
    side.names.push_back(name);
    side.values.push_back(0);
    Draws draws(seed_ ^ std::bit_cast<uint64_t>(name) * 0x9e3779b97f4a7c15 ^ salt << 32);
    draws.Next();
    for (size_t f = 0; f < options_.factors; ++f) {
      // About normal, with a deviation of a tenth.
      double sum = -2;
      for (int i = 0; i < 4; ++i)
        sum += draws.Unit();
      side.values.push_back(0.1 * 1.7320508075688772 * sum);
    }
  }
  return side.values.data() + known->second * ValuesOfOne();
}

double MatrixFactorization::Estimate(Features x) const {
  const double* user = std::isnan(x[0]) ? nullptr : Find(users_, x[0]);
  const double* item = std::isnan(x[1]) ? nullptr : Find(items_, x[1]);
  double sum = mean_;
  if (user != nullptr) sum += user[0];
  if (item != nullptr) sum += item[0];
  if (user == nullptr || item == nullptr) return sum;
  for (size_t f = 1; f <= options_.factors; ++f)
    sum += user[f] * item[f];
  return sum;
}

void MatrixFactorization::Learn(Features x, double label) {
  if (std::isnan(x[0]) || std::isnan(x[1])) return;
  mean_ += (label - mean_) / static_cast<double>(++count_);
  double* user = Take(users_, x[0], kUserSalt);
  double* item = Take(items_, x[1], kItemSalt);
  if (user == nullptr || item == nullptr) return;
  const double error = std::clamp(label - Estimate(x), -kErrorMax, kErrorMax);
  for (double* bias : {&user[0], &item[0]}) {
    const double step = options_.rate * (error - options_.l2 * *bias);
    *bias = std::clamp(*bias + step, -kErrorMax, kErrorMax);
  }
  for (size_t f = 1; f <= options_.factors; ++f) {
    const double u = user[f];
    const double i = item[f];
    user[f] = std::clamp(u + options_.rate * (error * i - options_.l2 * u), -kErrorMax, kErrorMax);
    item[f] = std::clamp(i + options_.rate * (error * u - options_.l2 * i), -kErrorMax, kErrorMax);
  }
}

void MatrixFactorization::Save(base::ByteWriter& writer) const {
  writer.Varint(count_);
  SaveDouble(mean_, writer);
  for (const Side* side : {&users_, &items_}) {
    writer.Varint(side->names.size());
    for (double name : side->names)
      SaveDouble(name, writer);
    for (double value : side->values)
      SaveDouble(value, writer);
  }
}

bool MatrixFactorization::LoadSide(Side& side, base::ByteReader& reader) {
  const uint64_t count = reader.Varint();
  if (count > reader.remaining() / (sizeof(double) * (ValuesOfOne() + 1))) return false;
  for (uint64_t i = 0; i < count; ++i) {
    const double name = LoadDouble(reader);
    if (std::isnan(name) || !side.places.emplace(name, i).second) return false;
    side.names.push_back(name);
  }
  side.values.resize(count * ValuesOfOne());
  for (double& value : side.values)
    value = LoadDouble(reader);
  return true;
}

bool MatrixFactorization::Load(base::ByteReader& reader) {
  count_ = reader.Varint();
  mean_ = LoadDouble(reader);
  return LoadSide(users_, reader) && LoadSide(items_, reader) && reader.ok();
}

size_t MatrixFactorization::memory() const {
  return sizeof *this + (users_.names.size() + items_.names.size()) * BytesOfOne();
}

}  // namespace headrace::learn
