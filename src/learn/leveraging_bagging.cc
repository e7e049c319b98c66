#include "learn/leveraging_bagging.h"

#include <algorithm>

#include "base/portable_math.h"
#include "headrace/check.h"

namespace headrace::learn {

LeveragingBagging::LeveragingBagging(size_t features, const BaggingOptions& options, uint64_t seed)
    : features_(features),
      options_(options),
      exp_of_minus_lambda_(base::Exp(-options.lambda)),
      draws_(seed) {
  HR_CHECK(options.models >= 1);
  options_.tree.memory_max /= options.models;
  Adwin::Options errors;
  errors.delta = options.drift_delta;
  for (size_t i = 0; i < options.models; ++i)
    members_.push_back({std::make_unique<HoeffdingTree>(features, options_.tree), Adwin(errors)});
}

void LeveragingBagging::AddVotes(const Votes& votes, Votes& sum) {
  if (votes.size() > sum.size()) sum.resize(votes.size());
  for (size_t k = 0; k < votes.size(); ++k)
    sum[k] += votes[k];
}

void LeveragingBagging::Vote(Features x, Votes& votes) const {
  votes.clear();
  Votes own;
  for (const Member& member : members_) {
    member.tree->Vote(x, own);
    AddVotes(own, votes);
  }
  Normalize(votes);
}

// A tree's error is that after it has learned the example, as in the paper's program.
void LeveragingBagging::Learn(Features x, size_t label, Votes& before) {
  before.clear();
  Votes own;
  bool worse = false;
  for (Member& member : members_) {
    const int times = draws_.Poisson(exp_of_minus_lambda_);
    if (times > 0) {
      member.tree->Learn(x, label, 1, own);
      AddVotes(own, before);
      for (int i = 1; i < times; ++i)
        member.tree->Learn(x, label, 1, own);
      member.tree->Vote(x, own);
    } else {
      member.tree->Vote(x, own);
      AddVotes(own, before);
    }
    const int guess = MostVotes(own);
    if (guess < 0) continue;
    const double mean = member.errors.mean();
    if (member.errors.Add(guess == static_cast<int>(label) ? 0 : 1) && member.errors.mean() > mean)
      worse = true;
  }
  Normalize(before);
  if (worse) ReplaceWorst();
}

void LeveragingBagging::ReplaceWorst() {
  const auto worst = std::max_element(
      members_.begin(), members_.end(),
      [](const Member& a, const Member& b) { return a.errors.mean() < b.errors.mean(); });
  worst->tree = std::make_unique<HoeffdingTree>(features_, options_.tree);
  worst->errors.Reset();
}

void LeveragingBagging::Save(base::ByteWriter& writer) const {
  draws_.Save(writer);
  for (const Member& member : members_) {
    member.tree->Save(writer);
    member.errors.Save(writer);
  }
}

bool LeveragingBagging::Load(base::ByteReader& reader) {
  draws_.Load(reader);
  for (Member& member : members_)
    if (!member.tree->Load(reader) || !member.errors.Load(reader)) return false;
  return reader.ok();
}

size_t LeveragingBagging::memory() const {
  size_t bytes = sizeof *this;
  for (const Member& member : members_)
    bytes += sizeof member + member.tree->memory() + member.errors.memory();
  return bytes;
}

}  // namespace headrace::learn
