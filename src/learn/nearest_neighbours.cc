#include "learn/nearest_neighbours.h"

#include <algorithm>
#include <cmath>

#include "headrace/check.h"

namespace headrace::learn {
namespace {

constexpr double kFarthest = 1e300;  // along one feature: distances and their sums stay numbers

}  // namespace

NearestNeighbours::NearestNeighbours(size_t features, const NeighbourOptions& options)
    : features_(features), options_(options), standardizer_(features) {
  HR_CHECK(options.neighbours >= 1 && options.window >= 1);
}

std::vector<double> NearestNeighbours::InverseVariances() const {
  std::vector<double> inverse(features_, 1);
  if (!options_.standardize) return inverse;
  for (size_t f = 0; f < features_; ++f) {
    const double variance = standardizer_.variance(f);
    const double over = variance > 0 ? 1 / variance : 0;
    inverse[f] = std::isfinite(over) ? over : 0;
  }
  return inverse;
}

std::vector<NearestNeighbours::Neighbour> NearestNeighbours::Nearest(Features x) const {
  const std::vector<double> inverse = InverseVariances();
  const size_t count = labels_.size();
  std::vector<Neighbour> all(count);
  for (size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (size_t f = 0; f < features_; ++f) {
      const double off = x[f] - values_[i * features_ + f];
      if (std::isnan(off) || inverse[f] == 0) continue;
      sum += std::min(off * off * inverse[f], kFarthest);
    }
    all[i] = {sum, (next_ + count - 1 - i) % count, i};
  }
  const size_t wanted = std::min(options_.neighbours, count);
  std::partial_sort(all.begin(), all.begin() + static_cast<ptrdiff_t>(wanted), all.end(),
                    [](const Neighbour& a, const Neighbour& b) {
                      return a.distance != b.distance ? a.distance < b.distance : a.age < b.age;
                    });
  all.resize(wanted);
  return all;
}

void NearestNeighbours::Vote(Features x, Votes& votes) const {
  votes.assign(classes_, 0);
  if (labels_.empty()) return;
  const std::vector<Neighbour> nearest = Nearest(x);
  if (nearest.front().distance == 0) {
    votes[labels_[nearest.front().at]] = 1;
    return;
  }
  for (const Neighbour& neighbour : nearest)
    votes[labels_[neighbour.at]] += 1 / std::sqrt(neighbour.distance);
  Normalize(votes);
}

void NearestNeighbours::Learn(Features x, size_t label, Votes& before) {
  Vote(x, before);
  standardizer_.Learn(x);
  classes_ = std::max(classes_, label + 1);
  if (labels_.size() < options_.window) {
    values_.insert(values_.end(), x.begin(), x.end());
    labels_.push_back(static_cast<uint16_t>(label));
  } else {
    std::copy(x.begin(), x.end(), values_.begin() + static_cast<ptrdiff_t>(next_ * features_));
    labels_[next_] = static_cast<uint16_t>(label);
  }
  next_ = (next_ + 1) % options_.window;
}

void NearestNeighbours::Save(base::ByteWriter& writer) const {
  standardizer_.Save(writer);
  writer.Varint(classes_);
  writer.Varint(next_);
  writer.Varint(labels_.size());
  for (uint16_t label : labels_)
    writer.Varint(label);
  for (double value : values_)
    SaveDouble(value, writer);
}

bool NearestNeighbours::Load(base::ByteReader& reader) {
  standardizer_.Load(reader);
  const uint64_t classes = reader.Varint();
  const uint64_t next = reader.Varint();
  const uint64_t count = reader.Varint();
  const bool full = count == options_.window;
  if (classes > kClassesMax || count > options_.window || count > reader.remaining() ||
      (full ? next >= count : next != count))
    return false;
  labels_.resize(count);
  for (uint16_t& label : labels_) {
    const uint64_t number = reader.Varint();
    if (number >= classes) return false;
    label = static_cast<uint16_t>(number);
  }
  if (count * features_ > reader.remaining() / sizeof(double)) return false;
  values_.resize(count * features_);
  for (double& value : values_)
    value = LoadDouble(reader);
  classes_ = classes;
  next_ = next;
  return reader.ok();
}

size_t NearestNeighbours::memory() const {
  return sizeof *this + features_ * 24 + labels_.size() * (features_ * sizeof(double) + 2);
}

}  // namespace headrace::learn
