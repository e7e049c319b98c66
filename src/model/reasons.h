#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace headrace::model {

// What is told when a feature raised the score, by the feature's place in ModelInfo::features.
// Several features may share a text. Immutable once declared.
using ReasonTexts = std::map<int32_t, std::string>;

struct Reason {
  std::string text;
  double contribution = 0;  // to the raw score: the sum over the features that share the text
};

inline constexpr size_t kReasonsMax = 3;

// The texts whose features raised the raw score most, the largest first, at most kReasonsMax.
// `contributions` is of one output, as Model::Contributions gives them. What lowered the score is
// no reason.
std::vector<Reason> TopReasons(const ReasonTexts& texts, std::span<const double> contributions);

}  // namespace headrace::model
