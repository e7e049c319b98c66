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

// The first question to the model whose answer is one number; null: there is none.
const flow::Prediction* Asked(const flow::StatementPlan& plan, const std::string& model) {
  for (const flow::Stage& stage : plan.select->stages) {
    for (const flow::Prediction& prediction : stage.predictions) {
      if (prediction.model == model && prediction.gives_number()) return &prediction;
    }
  }
  return nullptr;
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

ScoreComparison::ScoreComparison(const Deployment& before, std::string model, int32_t version,
                                 ScoreTimes& times)
    : model_(std::move(model)), version_(version), times_(times) {
  GoOn(before, "", 0);
}

Status ScoreComparison::Use(const LabelTable& labels, const LabelRequest& request) {
  labels_ = &labels;
  label_key_ = request.on;
  if (label_key_ == kRowId || !asks_ || asks_->schema.Find(label_key_) >= 0) return Ok();
  return NoSuchColumn(label_key_, asks_->name, asks_->schema);
}

void ScoreComparison::GoOn(const Deployment& before, const std::string& stream, uint64_t lsn) {
  asks_.reset();
  for (const Deployed& item : before.items) {
    if (!asks_ && item.statement && Asks(*item.statement, model_)) asks_ = item.statement;
  }
  versions_ = before.Find(model_)->models;
  since_ = lsn;
  score_column_ = ScoreColumn(stream);
}

int ScoreComparison::ScoreColumn(const std::string& stream) const {
  // Rows of a former revision may have other columns, and those of a canary are not what is asked.
  if (!asks_ || asks_->name != stream || !asks_->select || asks_->from_lsn > since_) return -1;
  for (const flow::ModelVersions::Canary& canary : versions_->canaries)
    if (canary.until_lsn > since_) return -1;
  const flow::Prediction* asked = Asked(*asks_, model_);
  if (asked == nullptr || asked->when_slot >= 0) return -1;
  const std::vector<int>& slots = asks_->select->output_slots;
  const auto column = std::find(slots.begin(), slots.end(), asked->result_slot);
  return column == slots.end() ? -1 : static_cast<int>(column - slots.begin());
}

void ScoreComparison::Selected(const flow::StatementPlan& plan, const row::Row& working,
                               const row::Row& emitted) {
  const bool here = asks_ && plan.name == asks_->name && working.cause.lsn >= since_;
  if (!here || !plan.IsLive(working.cause.lsn)) return;
  const flow::Prediction* asked = Asked(plan, model_);
  if (asked == nullptr || working.values[asked->result_slot].null) return;
  decided_ += flow::VersionChoice(*versions_, plan).For(working) == version_ ? 1 : 0;
  const int32_t before = versions_->VersionAt(working.cause.lsn);
  if (seen_++ % kTimedEvery == 0) {
    ScoreAlone(*asked, working, before, &alone_before_);
    ScoreAlone(*asked, working, version_, &alone_after_);
  }
  if (score_column_ >= 0) return;
  const double was = ScoreAlone(*asked, working, before, nullptr);
  const double is = working.values[asked->result_slot].number;
  Add(was, is);
  if (labels_ == nullptr) return;
  const std::string id =
      plan.name + ":" + std::to_string(emitted.partition) + ":" + std::to_string(emitted.offset);
  TakeLabel(id, plan.schema, emitted.values, was, is);
}

void ScoreComparison::Take(const RowPair& pair) {
  if (score_column_ < 0) return;
  const row::Value& was = pair.before[score_column_];
  const row::Value& is = pair.after[score_column_];
  if (was.null || is.null) return;
  Add(was.number, is.number);
  if (labels_ != nullptr) {
    TakeLabel(pair.id, pair.after_schema, pair.after, was.number, is.number);
  }
}

void ScoreComparison::Add(double was, double is) {
  before_.Add(was);
  after_.Add(is);
}

double ScoreComparison::ScoreAlone(const flow::Prediction& prediction, const row::Row& working,
                                   int32_t version, base::Histogram* time) {
  const model::Model& model = versions_->Of(version);
  inputs_.clear();
  for (size_t i = 0; i < prediction.input_slots.size(); ++i) {
    inputs_.push_back(flow::FeatureOf(working.values[prediction.input_slots[i]],
                                      prediction.input_types[i], model.info().categories[i]));
  }
  raw_.resize(static_cast<size_t>(model.info().outputs));
  const int64_t start = times_.Now();
  model.ScoreRaw(inputs_, 1, raw_);
  model.Transform(1, raw_);
  const int64_t spent = times_.Now() - start;
  times_.Scored(model_, version, 1, spent);
  if (time != nullptr) time->Record(static_cast<uint64_t>(std::max<int64_t>(spent, 0)));
  return raw_.front();
}

void ScoreComparison::TakeLabel(std::string_view id, const row::Schema& schema,
                                const row::Value* values, double was, double is) {
  std::string key(id);
  if (label_key_ != kRowId) {
    const int column = schema.Find(label_key_);
    if (column < 0) return;
    key = LabelKey(values[column], schema.columns[static_cast<size_t>(column)].type);
  }
  const LabelTable::Label* known = labels_->Find(key);
  if (known == nullptr) return;
  const std::optional<double> label = BinaryLabel(known->value, labels_->column().type);
  if (!label) return;
  labelled_.push_back(*label);
  labelled_before_.push_back(was);
  labelled_after_.push_back(is);
}

void ScoreComparison::AppendLatency(std::string& out) const {
  out += ",\"latency\":{\"rows\":" + std::to_string(alone_before_.count());
  for (const auto& [name, time] :
       {std::pair{"before", &alone_before_}, std::pair{"after", &alone_after_}}) {
    const auto count = static_cast<double>(time->count());
    out += ",\"" + std::string(name) + "\":{";
    AppendNumber("mean", time->sum_seconds() * 1e6 / count, out);
    AppendNumber("p50", static_cast<double>(time->Quantile(0.5)) * 1e-3, out);
    AppendNumber("p99", static_cast<double>(time->Quantile(0.99)) * 1e-3, out);
    out += "}";
  }
  out += "}";
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
  if (alone_before_.count() > 0) AppendLatency(out);
  if (labels_ != nullptr) AppendMetrics(out);
}

}  // namespace headrace::engine
