#include "learn/prequential.h"

#include <cmath>
#include <limits>

#include "headrace/check.h"

namespace headrace::learn {
namespace {

constexpr double kNoMeaning = std::numeric_limits<double>::quiet_NaN();

// The share of what `base` leaves to 1 that was gained.
double GainOver(double accuracy, double base) {
  return base < 1 ? (accuracy - base) / (1 - base) : kNoMeaning;
}

}  // namespace

Prequential::Prequential(std::unique_ptr<Learner> learner, LabelKind label, size_t delay)
    : learner_(std::move(learner)), label_(label), delay_(delay) {
  HR_CHECK(learner_->answers() == label);
}

void Prequential::Add(Features x, const Label& label) {
  std::optional<Label> guess;
  if (delay_ == 0) {
    guess = learner_->Learn(x, label);
  } else {
    guess = learner_->Ask(x);
  }
  if (label_ == LabelKind::kNumber) {
    CompareNumber(guess, label);
  } else {
    CompareClass(guess, label);
  }
  ++examples_;
  if (delay_ == 0) return Teach({}, label);
  waiting_.push_back({{x.begin(), x.end()}, label, std::string(label.text)});
  if (waiting_.size() <= delay_) return;
  Waiting& due = waiting_.front();
  due.label.text = due.text;
  Teach(due.x, due.label);
  waiting_.pop_front();
}

// Without features: it has been learned already.
void Prequential::Teach(Features x, const Label& label) {
  if (!x.empty()) learner_->Learn(x, label);
  last_ = NameOf(label);
  has_last_ = true;
}

std::string Prequential::NameOf(const Label& label) const {
  return label_ == LabelKind::kText ? std::string(label.text) : std::to_string(label.integer);
}

void Prequential::CompareClass(const std::optional<Label>& guess, const Label& label) {
  const std::string name = NameOf(label);
  counts_[name].second += 1;
  if (has_last_ && last_ == name) no_change_right_ += 1;
  if (!guess) return;
  const std::string guessed = NameOf(*guess);
  counts_[guessed].first += 1;
  if (guessed == name) right_ += 1;
}

void Prequential::CompareNumber(const std::optional<Label>& guess, const Label& label) {
  const auto count = static_cast<double>(examples_ + 1);
  const double off = label.number - mean_;
  mean_ += off / count;
  deviations_ += off * (label.number - mean_);
  const double error = label.number - (guess ? guess->number : 0);
  errors_ += std::abs(error);
  squares_ += error * error;
}

std::vector<std::pair<std::string, double>> Prequential::Measures() const {
  const auto count = static_cast<double>(examples_);
  if (label_ == LabelKind::kNumber) {
    const double r2 = deviations_ > 0 ? 1 - squares_ / deviations_ : kNoMeaning;
    return {{"mae", count > 0 ? errors_ / count : kNoMeaning},
            {"rmse", count > 0 ? std::sqrt(squares_ / count) : kNoMeaning},
            {"r2", r2}};
  }
  if (examples_ == 0) {
    return {{"accuracy", kNoMeaning},
            {"kappa", kNoMeaning},
            {"no_change", kNoMeaning},
            {"kappa_temporal", kNoMeaning}};
  }
  double chance = 0;
  for (const auto& [name, shares] : counts_)
    chance += shares.first / count * (shares.second / count);
  const double accuracy = right_ / count;
  const double no_change = no_change_right_ / count;
  return {{"accuracy", accuracy},
          {"kappa", GainOver(accuracy, chance)},
          {"no_change", no_change},
          {"kappa_temporal", GainOver(accuracy, no_change)}};
}

}  // namespace headrace::learn
