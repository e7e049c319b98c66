#include "model/isotonic_curve.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "document/text_block.h"

namespace headrace::model {

double IsotonicCurve::At(double score) const {
  if (std::isnan(score)) return score;
  const auto above = std::upper_bound(scores.begin(), scores.end(), score);
  if (above == scores.begin()) return shares.front();
  const auto i = static_cast<size_t>(above - scores.begin()) - 1;
  if (above == scores.end() || scores[i] == score) return shares[i];
  const double part = (score - scores[i]) / (scores[i + 1] - scores[i]);
  return shares[i] + part * (shares[i + 1] - shares[i]);
}

Result<IsotonicCurve> IsotonicCurve::Parse(std::string_view words, size_t line) {
  IsotonicCurve curve;
  const auto malformed = [&](const char* what) {
    return document::MalformedLine(line, "the isotonic curve " + std::string(what));
  };
  bool score = true;
  for (auto word = document::TakeWord(&words); !word.empty(); word = document::TakeWord(&words)) {
    double number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(number)) {
      return malformed("has a word that is no finite number");
    }
    std::vector<double>& to = score ? curve.scores : curve.shares;
    if (!to.empty() && (score ? number <= to.back() : number < to.back())) {
      return malformed("does not rise");
    }
    if (!score && !(number >= 0 && number <= 1)) return malformed("leaves 0 to 1");
    to.push_back(number);
    score = !score;
    if (curve.scores.size() > kIsotonicPointsMax) {
      return Error(
                 ErrorKind::kLimitExceeded, "HR3004",
                 "an isotonic curve of more than " + std::to_string(kIsotonicPointsMax) + " points")
          .AtPlace("line " + std::to_string(line));
    }
  }
  if (curve.shares.empty() || !score) return malformed("ends within a point, or has none");
  return curve;
}

}  // namespace headrace::model
