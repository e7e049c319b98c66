#include "learn/arm_counts.h"

#include <algorithm>
#include <cmath>

#include "base/portable_math.h"

namespace headrace::learn {

void ShareAll(size_t arm, std::span<double> shares) {
  std::fill(shares.begin(), shares.end(), 0.0);
  shares[arm] = 1;
}

void ShareAmongBest(std::span<const double> means, std::span<double> shares) {
  const double most = *std::max_element(means.begin(), means.end());
  const auto equals = std::count(means.begin(), means.end(), most);
  for (size_t k = 0; k < means.size(); ++k)
    shares[k] = means[k] == most ? 1 / static_cast<double>(equals) : 0;
}

size_t Greatest(std::span<const double> values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

void ArmCounts::Weigh(Features, std::span<double> shares, std::span<double> means) {
  for (size_t k = 0; k < arms_.size(); ++k)
    means[k] = arms_[k].mean();
  if (options_.rule == Rule::kBeta || options_.rule == Rule::kNormal) return Sample(shares);
  const auto fresh =
      std::find_if(arms_.begin(), arms_.end(), [](const Arm& arm) { return arm.chosen == 0; });
  if (fresh != arms_.end()) return ShareAll(static_cast<size_t>(fresh - arms_.begin()), shares);
  if (options_.rule == Rule::kUcb1) return ShareAll(BestBound(), shares);
  ShareAmongBest(means, shares);
}

size_t ArmCounts::BestBound() const {
  double all = 0;
  for (const Arm& arm : arms_)
    all += arm.rewards;
  const double log = all > 1 ? base::Log(all) : 0;
  size_t best = 0;
  double most = -INFINITY;
  for (size_t k = 0; k < arms_.size(); ++k) {
    // What nothing is known of yet, or no more, counts as a small part of a reward.
    const double rewards = std::max(arms_[k].rewards, 1e-3);
    const double bound = arms_[k].mean() + options_.alpha * std::sqrt(log / rewards);
    if (bound > most) {
      most = bound;
      best = k;
    }
  }
  return best;
}

void ArmCounts::Sample(std::span<double> shares) {
  if (sampled_.empty()) {
    sampled_.resize(arms_.size());
    first_.clear();
    second_.clear();
    for (const Arm& arm : arms_) {
      if (options_.rule == Rule::kBeta) {
        first_.push_back(1 + arm.sum);
        second_.push_back(1 + std::max(0.0, arm.rewards - arm.sum));
      } else {
        first_.push_back(arm.sum / (arm.rewards + 1));
        second_.push_back(options_.noise / std::sqrt(arm.rewards + 1));
      }
    }
    if (options_.rule == Rule::kBeta) {
      best_.OfBetas(first_, second_, sampled_);
    } else {
      best_.OfNormals(first_, second_, sampled_);
    }
  }
  std::copy(sampled_.begin(), sampled_.end(), shares.begin());
}

bool ArmCounts::Accepts(double reward) const {
  return options_.rule != Rule::kBeta || (reward >= 0 && reward <= 1);
}

void ArmCounts::Learn(const Lesson& lesson) {
  if (options_.discount < 1) {
    for (Arm& arm : arms_) {
      arm.rewards *= options_.discount;
      arm.sum *= options_.discount;
    }
  }
  // It was tried, whoever chose it.
  arms_[lesson.arm].chosen = std::max<uint64_t>(arms_[lesson.arm].chosen, 1);
  arms_[lesson.arm].rewards += 1;
  arms_[lesson.arm].sum += lesson.reward;
  sampled_.clear();
}

void ArmCounts::Save(base::ByteWriter& writer) const {
  writer.Varint(arms_.size());
  for (const Arm& arm : arms_) {
    writer.Varint(arm.chosen);
    SaveDouble(arm.rewards, writer);
    SaveDouble(arm.sum, writer);
  }
}

bool ArmCounts::Load(base::ByteReader& reader) {
  bool good = reader.Varint() == arms_.size();
  for (size_t k = 0; good && k < arms_.size(); ++k) {
    Arm& arm = arms_[k];
    arm.chosen = reader.Varint();
    arm.rewards = LoadDouble(reader);
    arm.sum = LoadDouble(reader);
    good = reader.ok() && arm.rewards >= 0 && arm.rewards < 1e18 && std::abs(arm.sum) < 1e30 &&
           (options_.rule != Rule::kBeta || (arm.sum >= 0 && arm.sum <= arm.rewards + 1e-6));
  }
  sampled_.clear();
  return good;
}

void Exp3::Weigh(Features, std::span<double> shares, std::span<double> means) {
  double sum = 0;
  for (size_t k = 0; k < logs_.size(); ++k)
    sum += shares[k] = base::Exp(logs_[k]);
  for (size_t k = 0; k < logs_.size(); ++k) {
    shares[k] /= sum;
    means[k] = logs_[k];
  }
}

void Exp3::Learn(const Lesson& lesson) {
  if (discount_ < 1) {
    for (double& log : logs_)
      log *= discount_;
  }
  const auto arms = static_cast<double>(logs_.size());
  logs_[lesson.arm] += gamma_ * lesson.reward / (lesson.propensity * arms);
  const double most = *std::max_element(logs_.begin(), logs_.end());
  // Below e^-600 is nothing, and stays within what a number can be.
  for (double& log : logs_)
    log = std::max(log - most, -600.0);
}

void Exp3::Save(base::ByteWriter& writer) const {
  SaveDoubles(logs_, writer);
}

bool Exp3::Load(base::ByteReader& reader) {
  const size_t arms = logs_.size();
  return LoadDoubles(arms, logs_, reader) && logs_.size() == arms &&
         std::all_of(logs_.begin(), logs_.end(),
                     [](double log) { return log >= -600 && log <= 0; });
}

}  // namespace headrace::learn
