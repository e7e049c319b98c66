#include "train/calibration.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/portable_math.h"
#include "model/baseline.h"

namespace headrace::train {
namespace {

using base::Exp;
using base::Log;
using base::Sigmoid;

constexpr size_t kNewtonSteps = 100;

Error NotCalibrated(std::string message) {
  return {ErrorKind::kInvalidArgument, "HR3074", std::move(message)};
}

std::string TextOf(double number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

// The negative log likelihood of the targets, its slope and its curvature.
struct Likelihood {
  double loss = 0;
  double slope[2] = {0, 0};
  double curvature[3] = {0, 0, 0};  // ss, s, 1
};

Likelihood Measure(const ScoredRows& rows, const double (&targets)[2], const PlattCurve& at) {
  Likelihood sum;
  for (size_t row = 0; row < rows.labels.size(); ++row) {
    const double s = rows.values[row];
    const double target = targets[rows.labels[row] > 0.5 ? 1 : 0];
    const double score = at.slope * s + at.offset;
    const double p = Sigmoid(score);
    // log(1 + e^score) - target score, without overflow.
    sum.loss += std::max(score, 0.0) + Log(1 + Exp(-std::abs(score))) - target * score;
    sum.slope[0] += (p - target) * s;
    sum.slope[1] += p - target;
    sum.curvature[0] += p * (1 - p) * s * s;
    sum.curvature[1] += p * (1 - p) * s;
    sum.curvature[2] += p * (1 - p);
  }
  return sum;
}

// Multiplies the numbers of a line name=a b c.
std::string Scaled(std::string_view line, double factor) {
  const size_t equals = line.find('=');
  std::string out(line.substr(0, equals + 1));
  const char* at = line.data() + equals + 1;
  const char* const end = line.data() + line.size();
  while (at < end) {
    if (*at == ' ') {
      out.push_back(*at++);
      continue;
    }
    double number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (next == at) return std::string(line);
    out += TextOf(number * factor);
    at = next;
  }
  return out;
}

bool IsAnswer(std::string_view line) {
  for (std::string_view name : {"leaf_value=", "leaf_const=", "leaf_coeff=", "internal_value="}) {
    if (line.starts_with(name)) return true;
  }
  return false;
}

// A file taken apart: what stands before the trees, each tree, and what stands behind.
struct Sections {
  std::string header;
  std::vector<std::string> trees;
  std::string tail;

  static Result<Sections> Of(std::string_view text) {
    const size_t first = text.find("\nTree=");
    const size_t end = text.find("\nend of trees");
    if (first == std::string_view::npos || end == std::string_view::npos || end < first) {
      return NotCalibrated("the model has no trees");
    }
    Sections sections;
    sections.header = text.substr(0, first + 1);
    sections.tail = text.substr(end + 1);
    for (size_t at = first + 1; at <= end;) {
      const size_t next = std::min(text.find("\nTree=", at), end) + 1;
      sections.trees.emplace_back(text.substr(at, next - at));
      at = next;
    }
    return sections;
  }

  std::string Join() const {
    std::string sizes = "tree_sizes=";
    for (size_t t = 0; t < trees.size(); ++t)
      sizes += (t == 0 ? "" : " ") + std::to_string(trees[t].size());
    std::string out = header;
    if (const size_t at = out.find("\ntree_sizes="); at != std::string::npos) {
      out.replace(at + 1, out.find('\n', at + 1) - at - 1, sizes);
    }
    for (const std::string& tree : trees)
      out += tree;
    return out + tail;
  }
};

std::string ScaledTree(std::string_view tree, double factor) {
  std::string out;
  while (!tree.empty()) {
    const size_t end = std::min(tree.find('\n'), tree.size() - 1);
    const std::string_view line = tree.substr(0, end);
    out += (IsAnswer(line) ? Scaled(line, factor) : std::string(line)) + "\n";
    tree.remove_prefix(end + 1);
  }
  return out;
}

std::string ConstantTree(size_t number, double value) {
  return "Tree=" + std::to_string(number) +
         "\nnum_leaves=1\nnum_cat=0\nsplit_feature=\nsplit_gain=\n" +
         "threshold=\ndecision_type=\nleft_child=\nright_child=\nleaf_value=" + TextOf(value) +
         "\nleaf_weight=0\nleaf_count=0\ninternal_value=\ninternal_weight=\ninternal_count=\n"
         "is_linear=0\nshrinkage=1\n\n\n";
}

// So that the transform, sigmoid(scale x mean or sum), gives the curve of the sum.
// What the file says of how its scores lay is not so of the new ones.
void ForgetBaseline(std::string& header) {
  const size_t at = header.find("\n" + std::string(model::Baseline::kKey) + "=");
  if (at == std::string::npos) return;
  header.erase(at, header.find('\n', at + 1) - at);
}

std::string WithPlatt(Sections sections, const PlattCurve& curve, bool average, double scale) {
  ForgetBaseline(sections.header);
  const double trees = average ? static_cast<double>(sections.trees.size() + 1) : 1;
  for (std::string& tree : sections.trees)
    tree = ScaledTree(tree, curve.slope * trees / scale);
  sections.trees.push_back(ConstantTree(sections.trees.size(), curve.offset * trees / scale));
  return sections.Join();
}

std::string WithIsotonic(Sections sections, const model::IsotonicCurve& curve) {
  std::string line = std::string(model::kIsotonicLine);
  for (size_t i = 0; i < curve.scores.size(); ++i)
    line += " " + TextOf(curve.scores[i]) + " " + TextOf(curve.shares[i]);
  // LightGBM's Python looks for the categories in the last lines.
  if (!sections.tail.ends_with('\n')) sections.tail.push_back('\n');
  const size_t at = sections.tail.rfind("\npandas_categorical:");
  sections.tail.insert(at == std::string::npos ? sections.tail.size() : at + 1, line + "\n");
  return sections.Join();
}

// What the sigmoid multiplies scores with.
double SigmoidScale(std::string_view objective) {
  constexpr std::string_view kName = "sigmoid:";
  double scale = 1;
  if (const size_t at = objective.find(kName); at != std::string_view::npos) {
    std::from_chars(objective.data() + at + kName.size(), objective.data() + objective.size(),
                    scale);
  }
  return scale;
}

Status CheckRows(const ScoredRows& rows) {
  const auto positive = std::count(rows.labels.begin(), rows.labels.end(), 1.0);
  if (positive == 0 || static_cast<size_t>(positive) == rows.labels.size()) {
    return NotCalibrated("the rows to calibrate with have one class only");
  }
  const bool finite = std::all_of(rows.values.begin(), rows.values.end(),
                                  [](double x) { return std::isfinite(x); });
  if (!finite) return NotCalibrated("the model gives scores that are not finite to these rows");
  return Ok();
}

}  // namespace

PlattCurve FitPlatt(const ScoredRows& rows) {
  double count[2] = {0, 0};
  for (double label : rows.labels)
    ++count[label > 0.5 ? 1 : 0];
  const double targets[2] = {1 / (count[0] + 2), (count[1] + 1) / (count[1] + 2)};
  PlattCurve at = {0, Log((count[1] + 1) / (count[0] + 1))};
  Likelihood here = Measure(rows, targets, at);
  for (size_t step = 0; step < kNewtonSteps; ++step) {
    // Scores that are all alike leave the slope open; a little of the diagonal closes it.
    const double a = here.curvature[0] * (1 + 1e-12) + 1e-300;
    const double b = here.curvature[1];
    const double c = here.curvature[2];
    const double determinant = a * c - b * b;
    if (!(determinant > 0)) break;
    const double slope = -(c * here.slope[0] - b * here.slope[1]) / determinant;
    const double offset = -(a * here.slope[1] - b * here.slope[0]) / determinant;
    const double promised = slope * here.slope[0] + offset * here.slope[1];
    if (!(promised < -1e-15 * std::max(1.0, here.loss))) break;
    double share = 1;
    Likelihood next;
    PlattCurve there;
    do {
      there = {at.slope + share * slope, at.offset + share * offset};
      next = Measure(rows, targets, there);
      share /= 2;
    } while (!(next.loss <= here.loss + 1e-4 * share * promised) && share > 1e-10);
    if (!(next.loss < here.loss)) break;
    at = there;
    here = next;
  }
  return at;
}

model::IsotonicCurve FitIsotonic(const ScoredRows& rows) {
  std::vector<size_t> order(rows.labels.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rows.values[a] < rows.values[b]; });
  struct Block {
    double low, high;      // scores
    double positive, all;  // rows; whole numbers, so exact
    double share() const { return positive / all; }
  };
  std::vector<Block> blocks;
  for (size_t row : order) {
    const double score = rows.values[row];
    const double label = rows.labels[row] > 0.5 ? 1 : 0;
    if (!blocks.empty() && blocks.back().high == score && blocks.back().low == score) {
      blocks.back().positive += label;
      ++blocks.back().all;
    } else {
      blocks.push_back({score, score, label, 1});
    }
  }
  std::vector<Block> pooled;
  for (Block block : blocks) {
    while (!pooled.empty() &&
           pooled.back().positive * block.all >= block.positive * pooled.back().all) {
      block = {pooled.back().low, block.high, pooled.back().positive + block.positive,
               pooled.back().all + block.all};
      pooled.pop_back();
    }
    pooled.push_back(block);
  }
  model::IsotonicCurve curve;
  for (const Block& block : pooled) {
    for (double score : {block.low, block.high}) {
      if (!curve.scores.empty() && curve.scores.back() == score) continue;
      curve.scores.push_back(score);
      curve.shares.push_back(block.share());
    }
  }
  return curve;
}

Result<std::string> Calibrate(std::string_view text, std::string_view csv, std::string_view label,
                              Calibration method) {
  HR_ASSIGN(const auto model, model::Model::Load(text));
  const model::ModelInfo& info = model->info();
  if (info.format != model::Format::kLightGbmText || !info.objective.starts_with("binary")) {
    return NotCalibrated("only binary models in LightGBM's text format are calibrated")
        .WithHint("this one is " + std::string(model::ToString(info.format)) + ", " +
                  info.objective);
  }
  std::string plain(text);
  std::erase(plain, '\r');
  if (plain.find("\n" + std::string(model::kIsotonicLine)) != std::string::npos) {
    return NotCalibrated("the model is calibrated already")
        .WithHint("begin with the file before that");
  }
  HR_ASSIGN(Sections sections, Sections::Of(plain));
  HR_ASSIGN(ScoredRows rows, ScoreRows(*model, csv, label, Task::kBinary, ScoreStage::kRaw));
  HR_TRY(CheckRows(rows));
  const bool average = sections.header.find("\naverage_output") != std::string::npos;
  if (method == Calibration::kPlatt) {
    return WithPlatt(std::move(sections), FitPlatt(rows), average, SigmoidScale(info.objective));
  }
  if (average) {
    for (double& score : rows.values)
      score /= static_cast<double>(sections.trees.size());
  }
  const model::IsotonicCurve curve = FitIsotonic(rows);
  if (curve.scores.size() > model::kIsotonicPointsMax) {
    return NotCalibrated("the curve has more than " + std::to_string(model::kIsotonicPointsMax) +
                         " points");
  }
  return WithIsotonic(std::move(sections), curve);
}

}  // namespace headrace::train
