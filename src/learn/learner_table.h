#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "learn/classifier.h"
#include "learn/learner_options.h"
#include "learn/linear.h"
#include "learn/unlabelled.h"

namespace headrace::learn {

// A learner by name: its options, and what makes it.
struct LearnerKind {
  std::string_view name;
  std::vector<OptionRule> rules;
  // One of the three.
  std::unique_ptr<Classifier> (*make_classifier)(size_t features, const OptionValues& options);
  std::unique_ptr<Regressor> (*make_regressor)(size_t features, const OptionValues& options);
  std::unique_ptr<Unlabelled> (*make_unlabelled)(size_t features,
                                                 const OptionValues& options) = nullptr;
  bool groups = false;  // without labels: answers are numbers of groups, not scores
  // How many it takes; 0: any.
  size_t features = 0;
};

// Ascending by name.
const std::vector<LearnerKind>& AllLearnerKinds();
const LearnerKind* FindLearnerKind(std::string_view name);

}  // namespace headrace::learn
