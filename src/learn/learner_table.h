#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "learn/classifier.h"
#include "learn/learner_options.h"
#include "learn/linear.h"

namespace headrace::learn {

// A learner by name: its options, and what makes it.
struct LearnerKind {
  std::string_view name;
  std::vector<OptionRule> rules;
  // One of the two.
  std::unique_ptr<Classifier> (*make_classifier)(size_t features, const OptionValues& options);
  std::unique_ptr<Regressor> (*make_regressor)(size_t features, const OptionValues& options);
};

// Ascending by name.
const std::vector<LearnerKind>& AllLearnerKinds();
const LearnerKind* FindLearnerKind(std::string_view name);

}  // namespace headrace::learn
