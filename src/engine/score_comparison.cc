#include "engine/score_comparison.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "flow/select_node.h"
#include "flow/version_choice.h"
#include "row/text.h"
#include "train/metrics.h"

namespace headrace::engine {
namespace {

constexpr size_t kBins = 10;
constexpr double kEmptyBin = 1e-4;  // the share that stands for none, so that logarithms exist

void AppendNumber(std::string_view name, double value, std::string& out) {
  if (out.back() != '{') out += ",";
  out += "\"" + std::string(name) + "\":";
  if (std::isnan(value)) {
    out += "null";
  } else {
    row::AppendJson(row::Value::Double(value), {row::TypeKind::kDouble, 0, 0}, out);
  }
}

// The value below which a share of the sample lies.
double Quantile(const std::vector<double>& rising, double share) {
  const auto last = static_cast<double>(rising.size() - 1);
  return rising[static_cast<size_t>(std::llround(share * last))];
}

void AppendSample(std::string_view name, const ScoreSample& sample, std::string& out) {
  if (out.back() != '{') out += ",";
  out += "\"" + std::string(name) + "\":{";
  const std::vector<double> rising = sample.Sorted();
  AppendNumber("mean", sample.mean(), out);
  for (const auto& [key, share] :
       {std::pair{"min", 0.0}, std::pair{"p10", 0.1}, std::pair{"p25", 0.25}, std::pair{"p50", 0.5},
        std::pair{"p75", 0.75}, std::pair{"p90", 0.9}, std::pair{"p99", 0.99},
        std::pair{"max", 1.0}}) {
    AppendNumber(key, Quantile(rising, share), out);
  }
  out += "}";
}

// A label of two: false or 0, true or 1.
std::optional<double> Binary(const row::Value& value, row::Type type) {
  using enum row::TypeKind;
  if (value.null) return {};
  double number = -1;
  if (type.kind == kBoolean) number = value.boolean ? 1 : 0;
  if (type.kind == kInteger || type.kind == kBigint) number = static_cast<double>(value.integer);
  if (type.kind == kDouble) number = value.number;
  if (number == 0 || number == 1) return number;
  return {};
}

}  // namespace

void ScoreSample::Add(double score) {
  sum_ += score;
  if (count_++ % step_ != 0) return;
  kept_.push_back(score);
  if (kept_.size() < kKept) return;
  step_ *= 2;
  for (size_t i = 0; i < kept_.size() / 2; ++i)
    kept_[i] = kept_[2 * i];
  kept_.resize(kept_.size() / 2);
}

std::vector<double> ScoreSample::Sorted() const {
  std::vector<double> rising = kept_;
  std::erase_if(rising, [](double score) { return std::isnan(score); });
  std::sort(rising.begin(), rising.end());
  return rising;
}

double StabilityIndex(const std::vector<double>& before, const std::vector<double>& after) {
  if (before.empty() || after.empty()) return 0;
  double index = 0;
  const auto share = [](const std::vector<double>& rising, auto from, auto to) {
    const auto in = static_cast<double>(to - from);
    return std::max(in / static_cast<double>(rising.size()), kEmptyBin);
  };
  auto from_before = before.begin();
  auto from_after = after.begin();
  for (size_t bin = 1; bin <= kBins; ++bin) {
    auto to_before = before.end();
    auto to_after = after.end();
    if (bin < kBins) {
      const double bound = Quantile(before, static_cast<double>(bin) / kBins);
      to_before = std::upper_bound(from_before, before.end(), bound);
      to_after = std::upper_bound(from_after, after.end(), bound);
    }
    // Where many scores are the same, several bounds are: the bins between them hold nothing.
    if (to_before != from_before || to_after != from_after) {
      const double was = share(before, from_before, to_before);
      const double is = share(after, from_after, to_after);
      index += (is - was) * std::log(is / was);
    }
    from_before = to_before;
    from_after = to_after;
  }
  return index;
}

ScoreComparison::ScoreComparison(const Deployment& before, std::string model, int32_t version)
    : model_(std::move(model)), version_(version) {
  for (const Deployed& item : before.items) {
    if (!asks_ && item.statement && Asks(*item.statement, model_)) asks_ = item.statement;
  }
  GoOn(before, 0);
}

Status ScoreComparison::Use(const LabelTable& labels, const LabelRequest& request) {
  labels_ = &labels;
  label_key_ = request.on;
  if (label_key_ == kRowId || !asks_ || asks_->schema.Find(label_key_) >= 0) return Ok();
  return NoSuchColumn(label_key_, asks_->name, asks_->schema);
}

void ScoreComparison::GoOn(const Deployment& before, uint64_t lsn) {
  versions_ = before.Find(model_)->models;
  since_ = lsn;
}

void ScoreComparison::Selected(const flow::StatementPlan& plan, const row::Row& working,
                               const row::Row& emitted) {
  const bool asked = asks_ && plan.name == asks_->name && working.cause.lsn >= since_;
  if (!asked || !plan.IsLive(working.cause.lsn)) return;
  for (const flow::Stage& stage : plan.select->stages) {
    for (const flow::Prediction& prediction : stage.predictions) {
      const row::Value& score = working.values[prediction.result_slot];
      const bool number = prediction.model == model_ &&
                          prediction.answer == flow::Prediction::Answer::kScore &&
                          prediction.result_type.kind == row::TypeKind::kDouble && !score.null;
      if (!number) continue;
      const double was = ScoreBefore(prediction, working);
      decided_ += flow::VersionChoice(*versions_, plan).For(working) == version_ ? 1 : 0;
      before_.Add(was);
      after_.Add(score.number);
      if (labels_ != nullptr) TakeLabel(plan, emitted, was, score.number);
      return;
    }
  }
}

// As the version that decides for all keys that no canary takes.
double ScoreComparison::ScoreBefore(const flow::Prediction& prediction, const row::Row& working) {
  const model::Model& model = versions_->Of(versions_->VersionAt(working.cause.lsn));
  inputs_.clear();
  for (size_t i = 0; i < prediction.input_slots.size(); ++i) {
    inputs_.push_back(flow::FeatureOf(working.values[prediction.input_slots[i]],
                                      prediction.input_types[i], model.info().categories[i]));
  }
  raw_.resize(static_cast<size_t>(model.info().outputs));
  model.ScoreRaw(inputs_, 1, raw_);
  model.Transform(1, raw_);
  return raw_.front();
}

void ScoreComparison::TakeLabel(const flow::StatementPlan& plan, const row::Row& emitted,
                                double was, double is) {
  std::string key =
      plan.name + ":" + std::to_string(emitted.partition) + ":" + std::to_string(emitted.offset);
  if (label_key_ != kRowId) {
    const int column = plan.schema.Find(label_key_);
    if (column < 0) return;
    key = LabelKey(emitted.values[column], plan.schema.columns[static_cast<size_t>(column)].type);
  }
  const LabelTable::Label* known = labels_->Find(key);
  if (known == nullptr) return;
  const std::optional<double> label = Binary(known->value, labels_->column().type);
  if (!label) return;
  labelled_.push_back(*label);
  labelled_before_.push_back(was);
  labelled_after_.push_back(is);
}

void ScoreComparison::AppendMetrics(std::string& out) const {
  out += ",\"metrics\":{\"labelled\":" + std::to_string(labelled_.size());
  for (const auto& [name, scores] :
       {std::pair{"before", &labelled_before_}, std::pair{"after", &labelled_after_}}) {
    const train::Answers answers{labelled_, *scores, {}, 1};
    out += ",\"" + std::string(name) + "\":{";
    AppendNumber("roc_auc", train::RocAuc(answers), out);
    AppendNumber("pr_auc", train::AveragePrecision(answers), out);
    AppendNumber("log_loss", train::LogLoss(answers), out);
    AppendNumber("brier", train::BrierScore(answers), out);
    out += "}";
  }
  out += "}";
}

void ScoreComparison::Append(std::string& out) const {
  if (before_.count() > 0) {
    out += ",\"scores\":{\"rows\":" + std::to_string(before_.count());
    AppendNumber("psi", StabilityIndex(before_.Sorted(), after_.Sorted()), out);
    AppendSample("before", before_, out);
    AppendSample("after", after_, out);
    out += "}";
  }
  if (labels_ != nullptr) AppendMetrics(out);
}

}  // namespace headrace::engine
