#include "learn/adaptive_forest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/portable_math.h"
#include "headrace/check.h"

namespace headrace::learn {
namespace {

Adwin Detector(double delta) {
  Adwin::Options options;
  options.delta = delta;
  return Adwin(options);
}

size_t DrawSize(const ForestOptions& options, size_t features) {
  const auto usual = static_cast<size_t>(std::lround(0.6 * static_cast<double>(features)));
  const size_t size = options.max_features != 0 ? options.max_features : usual;
  return std::clamp<size_t>(size, 1, features);
}

}  // namespace

AdaptiveForest::AdaptiveForest(size_t features, const ForestOptions& options, uint64_t seed)
    : features_(features),
      options_(options),
      exp_of_minus_lambda_(base::Exp(-options.lambda)),
      draws_(seed) {
  HR_CHECK(features >= 1 && options.models >= 1);
  options_.max_features = DrawSize(options, features);
  // A member may have a second tree in the background.
  options_.tree.memory_max /= 2 * options.models;
  if (options_.subspace == Subspace::kLeaf) options_.tree.max_features = options_.max_features;
  for (size_t i = 0; i < options.models; ++i)
    members_.push_back(
        {NewPatch(), {}, Detector(options.warning_delta), Detector(options.drift_delta)});
}

std::unique_ptr<HoeffdingTree> AdaptiveForest::NewTree() {
  const size_t seen = options_.subspace == Subspace::kTree ? options_.max_features : features_;
  return std::make_unique<HoeffdingTree>(seen, options_.tree, &draws_);
}

AdaptiveForest::Patch AdaptiveForest::NewPatch() {
  Patch patch;
  if (options_.subspace == Subspace::kTree) patch.features = DrawFeatures();
  patch.tree = NewTree();
  return patch;
}

std::vector<uint16_t> AdaptiveForest::DrawFeatures() {
  std::vector<uint16_t> features;
  if (features_ <= kDealtMax) {
    if (deck_.empty()) FillDeck();
    for (size_t f = 0; f < features_; ++f)
      if ((deck_.back() >> f & 1) != 0) features.push_back(static_cast<uint16_t>(f));
    deck_.pop_back();
    return features;
  }
  features.resize(features_);
  std::iota(features.begin(), features.end(), uint16_t{0});
  for (size_t i = 0; i < options_.max_features; ++i)
    std::swap(features[i], features[i + draws_.Below(features_ - i)]);
  features.resize(options_.max_features);
  return features;
}

void AdaptiveForest::FillDeck() {
  for (uint32_t draw = 0; draw < uint32_t{1} << features_; ++draw)
    if (static_cast<size_t>(std::popcount(draw)) == options_.max_features)
      deck_.push_back(static_cast<uint16_t>(draw));
  for (size_t i = 0; i < deck_.size(); ++i)
    std::swap(deck_[i], deck_[i + draws_.Below(deck_.size() - i)]);
}

Features AdaptiveForest::Patch::Cut(Features x, std::vector<double>& seen) const {
  if (features.empty()) return x;
  seen.clear();
  for (uint16_t feature : features)
    seen.push_back(x[feature]);
  return seen;
}

void AdaptiveForest::Patch::Learn(Features x, size_t label, double weight, Votes& before) {
  std::vector<double> seen;
  if (weight > 0)
    tree->Learn(Cut(x, seen), label, weight, before);
  else
    tree->Vote(Cut(x, seen), before);
}

void AdaptiveForest::AddVotes(const Member& member, const Votes& votes, Votes& sum) {
  if (votes.size() > sum.size()) sum.resize(votes.size());
  const double weight = member.accuracy() > 0 ? member.accuracy() : 1;
  for (size_t k = 0; k < votes.size(); ++k)
    sum[k] += votes[k] * weight;
}

void AdaptiveForest::Vote(Features x, Votes& votes) const {
  votes.clear();
  Votes own;
  std::vector<double> seen;
  for (const Member& member : members_) {
    member.patch.tree->Vote(member.patch.Cut(x, seen), own);
    AddVotes(member, own, votes);
  }
  Normalize(votes);
}

void AdaptiveForest::Learn(Features x, size_t label, Votes& before) {
  before.clear();
  Votes own;
  Votes unused;
  for (Member& member : members_) {
    const int weight = draws_.Poisson(exp_of_minus_lambda_);
    member.patch.Learn(x, label, weight, own);
    AddVotes(member, own, before);
    const bool right = MostVotes(own) == static_cast<int>(label);
    member.seen += 1;
    member.right += right ? 1 : 0;
    if (weight == 0) continue;
    if (member.background.tree != nullptr) member.background.Learn(x, label, weight, unused);
    Watch(member, !right);
  }
  Normalize(before);
}

void AdaptiveForest::Watch(Member& member, bool wrong) {
  const double error = wrong ? 1 : 0;
  if (member.warning.Add(error)) {
    member.background = NewPatch();
    member.warning.Reset();
  }
  if (!member.drift.Add(error)) return;
  if (member.background.tree != nullptr) {
    member.patch = std::move(member.background);
    member.background = {};
    member.warning.Reset();
  } else {
    member.patch = NewPatch();
  }
  member.drift.Reset();
  member.seen = member.right = 0;
}

void AdaptiveForest::SavePatch(const Patch& patch, base::ByteWriter& writer) {
  for (uint16_t feature : patch.features)
    writer.Varint(feature);
  patch.tree->Save(writer);
}

bool AdaptiveForest::LoadPatch(Patch& patch, base::ByteReader& reader) {
  if (options_.subspace == Subspace::kTree) {
    patch.features.resize(options_.max_features);
    for (uint16_t& feature : patch.features) {
      const uint64_t number = reader.Varint();
      if (number >= features_) return false;
      feature = static_cast<uint16_t>(number);
    }
  }
  patch.tree = NewTree();
  return patch.tree->Load(reader);
}

void AdaptiveForest::Save(base::ByteWriter& writer) const {
  draws_.Save(writer);
  writer.Varint(deck_.size());
  for (uint16_t draw : deck_)
    writer.Varint(draw);
  for (const Member& member : members_) {
    SavePatch(member.patch, writer);
    writer.U8(member.background.tree != nullptr ? 1 : 0);
    if (member.background.tree != nullptr) SavePatch(member.background, writer);
    member.warning.Save(writer);
    member.drift.Save(writer);
    SaveDouble(member.seen, writer);
    SaveDouble(member.right, writer);
  }
}

// Making trees draws numbers, so the state of the draws comes last.
bool AdaptiveForest::Load(base::ByteReader& reader) {
  Draws draws;
  draws.Load(reader);
  if (!LoadDeck(reader)) return false;
  for (Member& member : members_) {
    if (!LoadPatch(member.patch, reader)) return false;
    const uint8_t background = reader.U8();
    if (background > 1 || (background == 1 && !LoadPatch(member.background, reader))) return false;
    if (!member.warning.Load(reader) || !member.drift.Load(reader)) return false;
    member.seen = LoadDouble(reader);
    member.right = LoadDouble(reader);
  }
  draws_ = draws;
  return reader.ok();
}

bool AdaptiveForest::LoadDeck(base::ByteReader& reader) {
  const uint64_t count = reader.Varint();
  if (count > size_t{1} << kDealtMax) return false;
  deck_.clear();
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t draw = reader.Varint();
    if (draw >> std::min(features_, kDealtMax) != 0 ||
        static_cast<size_t>(std::popcount(draw)) != options_.max_features)
      return false;
    deck_.push_back(static_cast<uint16_t>(draw));
  }
  return reader.ok();
}

size_t AdaptiveForest::memory() const {
  size_t bytes = sizeof *this;
  for (const Member& member : members_) {
    bytes += sizeof member + member.patch.tree->memory();
    if (member.background.tree != nullptr) bytes += member.background.tree->memory();
    bytes += member.warning.memory() + member.drift.memory();
  }
  return bytes;
}

}  // namespace headrace::learn
