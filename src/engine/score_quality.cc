#include "engine/score_quality.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "engine/row_cursor.h"
#include "engine/row_decoder.h"
#include "row/text.h"
#include "train/metrics.h"

namespace headrace::engine {
namespace {

constexpr int64_t kDay = 86'400'000'000;  // microseconds
constexpr int kReliabilityBins = 10;
constexpr int kHistogramBins = 20;

struct Age {
  int64_t most;
  std::string_view name;
};
constexpr Age kAges[] = {{kDay, "up to 1 day"},
                         {7 * kDay, "1 to 7 days"},
                         {30 * kDay, "7 to 30 days"},
                         {INT64_MAX, "over 30 days"}};

uint8_t AgeOf(int64_t micros) {
  uint8_t age = 0;
  while (micros > kAges[age].most)
    ++age;
  return age;
}

void AppendNumber(double value, std::string& out) {
  if (std::isfinite(value)) {
    row::AppendJson(row::Value::Double(value), {row::TypeKind::kDouble, 0, 0}, out);
  } else {
    out += "null";
  }
}

void AppendPoint(double x, double y, std::string& out) {
  out += out.back() == '[' ? "[" : ",[";
  AppendNumber(x, out);
  out += ",";
  AppendNumber(y, out);
  out += "]";
}

// The column of the statement that is the score of the model, or -1.
int ScoreColumn(const flow::StatementPlan& plan, const std::string& model) {
  if (!plan.select) return -1;
  for (const flow::Stage& stage : plan.select->stages) {
    for (const flow::Prediction& prediction : stage.predictions) {
      if (prediction.model != model || !prediction.gives_number()) continue;
      const std::vector<int>& slots = plan.select->output_slots;
      const auto found = std::find(slots.begin(), slots.end(), prediction.result_slot);
      if (found != slots.end()) return static_cast<int>(found - slots.begin());
    }
  }
  return -1;
}

}  // namespace

// Takes the rows of the stream, one after the other.
class ScoreQuality::Reader {
 public:
  Reader(ScoreQuality& quality, const Deployed& item, const flow::ModelVersions& versions,
         const LabelTable& labels)
      : quality_(quality), item_(item), versions_(versions), labels_(labels) {}

  Status Prepare(const std::string& model, const LabelRequest& request) {
    const row::Schema& schema = item_.statement->schema;
    score_ = ScoreColumn(*item_.statement, model);
    time_ = item_.statement->time_column;
    by_id_ = request.on == kRowId;
    HR_TRY(Find(request.on, &key_));
    if (!request.segment.empty()) HR_TRY(Find(request.segment, &segment_));
    types_.clear();
    for (const row::Column& column : schema.columns)
      types_.push_back(column.type);
    return Ok();
  }

  Status Take(const StoredRow& stored, const row::Value* values) {
    if (values[score_].null || !std::isfinite(values[score_].number)) return Ok();
    const std::string key = by_id_ ? item_.name + ":" + std::to_string(stored.partition) + ":" +
                                         std::to_string(stored.offset)
                                   : LabelKey(values[key_], types_[static_cast<size_t>(key_)]);
    const LabelTable::Label* known = labels_.Find(key);
    std::optional<double> label;
    if (known != nullptr) label = BinaryLabel(known->value, labels_.column().type);
    if (!label) {
      ++quality_.unlabelled_;
      return Ok();
    }
    if (quality_.rows_.size() == kRowsMax) {
      return Error(ErrorKind::kLimitExceeded, "HR1289", "more than 20000000 rows have a label")
          .WithHint("--as-of T leaves out later labels");
    }
    Scored& scored = quality_.rows_.emplace_back();
    scored.score = values[score_].number;
    scored.label = static_cast<float>(*label);
    scored.version = versions_.VersionAt(stored.cause.lsn);
    if (time_ >= 0 && !values[time_].null && known->time != INT64_MIN) {
      scored.age = AgeOf(known->time - values[time_].integer);
    }
    if (segment_ >= 0) scored.segment = SegmentOf(values[segment_]);
    return Ok();
  }

  // Values with few rows become one.
  void Finish() {
    if (segments_.size() <= kSegmentsMax) return;
    std::vector<int32_t> order(segments_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      return counts_[static_cast<size_t>(a)] > counts_[static_cast<size_t>(b)];
    });
    std::vector<int32_t> becomes(segments_.size(), static_cast<int32_t>(kSegmentsMax) - 1);
    std::vector<std::string> kept;
    for (size_t i = 0; i + 1 < kSegmentsMax; ++i) {
      becomes[static_cast<size_t>(order[i])] = static_cast<int32_t>(i);
      kept.push_back(quality_.segments_[static_cast<size_t>(order[i])]);
    }
    kept.emplace_back("(others)");
    quality_.segments_ = std::move(kept);
    for (Scored& scored : quality_.rows_)
      scored.segment = becomes[static_cast<size_t>(scored.segment)];
  }

 private:
  Status Find(const std::string& column, int* at) const {
    if (column == kRowId) return Ok();
    *at = item_.statement->schema.Find(column);
    if (*at >= 0) return Ok();
    return NoSuchColumn(column, item_.name, item_.statement->schema);
  }

  int32_t SegmentOf(const row::Value& value) {
    std::string text = "NULL";
    if (!value.null) text = LabelKey(value, types_[static_cast<size_t>(segment_)]);
    const auto [at, added] =
        segments_.try_emplace(std::move(text), static_cast<int32_t>(segments_.size()));
    if (added) {
      quality_.segments_.push_back(at->first);
      counts_.push_back(0);
    }
    ++counts_[static_cast<size_t>(at->second)];
    return at->second;
  }

  ScoreQuality& quality_;
  const Deployed& item_;
  const flow::ModelVersions& versions_;
  const LabelTable& labels_;
  int score_ = -1;
  int time_ = -1;
  int key_ = -1;
  int segment_ = -1;
  bool by_id_ = false;
  std::vector<row::Type> types_;
  std::map<std::string, int32_t> segments_;
  std::vector<uint64_t> counts_;
};

Result<std::optional<ScoreQuality>> ScoreQuality::Load(const log::Log& log,
                                                       const Deployment& deployment,
                                                       const std::string& model,
                                                       const LabelTable& labels,
                                                       const LabelRequest& request) {
  const Deployed* asks = nullptr;
  for (const Deployed& item : deployment.items) {
    if (asks == nullptr && item.statement && ScoreColumn(*item.statement, model) >= 0) asks = &item;
  }
  if (asks == nullptr) return std::optional<ScoreQuality>{};
  ScoreQuality quality;
  quality.statement_ = asks->name;
  Reader reader(quality, *asks, *deployment.Find(model)->models, labels);
  HR_TRY(reader.Prepare(model, request));
  HR_ASSIGN(auto cursor, RowCursor::Open(log, *asks, -1, 0));
  RowDecoder decoder(deployment, *asks);
  StoredRow stored;
  while (true) {
    HR_ASSIGN(const bool more, cursor->Next(&stored));
    if (!more) break;
    row::Value* values = nullptr;
    HR_ASSIGN(const bool fits, decoder.Decode(stored, &values));
    if (fits) HR_TRY(reader.Take(stored, values));
  }
  reader.Finish();
  return std::optional(std::move(quality));
}

std::vector<int32_t> ScoreQuality::Versions() const {
  std::set<int32_t> versions;
  for (const Scored& scored : rows_)
    versions.insert(scored.version);
  return {versions.begin(), versions.end()};
}

template <typename Wanted>
void ScoreQuality::AppendGroup(std::string_view by, std::string_view name, const Wanted& wanted,
                               std::string& out) const {
  std::vector<double> labels;
  std::vector<double> scores;
  for (const Scored& scored : rows_) {
    if (!wanted(scored)) continue;
    labels.push_back(scored.label);
    scores.push_back(scored.score);
  }
  if (labels.empty()) return;
  out += out.back() == '[' ? "{\"by\":\"" : ",{\"by\":\"";
  out += std::string(by) + "\",\"name\":";
  row::AppendJsonString(name, out);
  out += ",\"rows\":" + std::to_string(labels.size()) +
         ",\"positives\":" + std::to_string(std::count(labels.begin(), labels.end(), 1.0));
  const train::Answers answers{labels, scores, {}, 1};
  const bool shares = std::all_of(scores.begin(), scores.end(),
                                  [](double score) { return score >= 0 && score <= 1; });
  const double nothing = std::nan("");
  for (const auto& [key, value] :
       {std::pair{"roc_auc", train::RocAuc(answers)},
        std::pair{"pr_auc", train::AveragePrecision(answers)},
        std::pair{"log_loss", shares ? train::LogLoss(answers) : nothing},
        std::pair{"brier", shares ? train::BrierScore(answers) : nothing},
        std::pair{"ece", shares ? train::CalibrationError(answers) : nothing}}) {
    out += ",\"" + std::string(key) + "\":";
    AppendNumber(value, out);
  }
  out += "}";
}

// Points of the curves at about equal steps of rows, from the highest score down; scores that are
// the same give one point. How often a score comes and how often its label is 1, by equal widths.
void ScoreQuality::AppendCurves(int32_t version, std::string& out) const {
  std::vector<std::pair<double, double>> sorted;
  for (const Scored& scored : rows_) {
    if (scored.version == version) sorted.emplace_back(scored.score, scored.label);
  }
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  double positives = 0;
  for (const auto& [score, label] : sorted)
    positives += label;
  const double rows = static_cast<double>(sorted.size());
  std::string roc = "[";
  std::string pr = "[";
  AppendPoint(0, 0, roc);
  double hits = 0;
  size_t told = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    hits += sorted[i].second;
    const bool tie = i + 1 < sorted.size() && sorted[i + 1].first == sorted[i].first;
    const bool last = i + 1 == sorted.size();
    if (tie || (!last && (i + 1 - told) * kCurvePoints < sorted.size())) continue;
    told = i + 1;
    const double taken = static_cast<double>(i + 1);
    AppendPoint((taken - hits) / std::max(rows - positives, 1.0), hits / std::max(positives, 1.0),
                roc);
    AppendPoint(hits / std::max(positives, 1.0), hits / taken, pr);
  }
  std::vector<uint64_t> counts(kHistogramBins);
  struct Bin {
    double scores = 0;
    double positives = 0;
    uint64_t rows = 0;
  };
  std::vector<Bin> bins(kReliabilityBins);
  for (const auto& [score, label] : sorted) {
    const double inside = std::clamp(score, 0.0, 1.0);
    ++counts[std::min<size_t>(static_cast<size_t>(inside * kHistogramBins), kHistogramBins - 1)];
    Bin& bin = bins[std::min<size_t>(static_cast<size_t>(inside * kReliabilityBins),
                                     kReliabilityBins - 1)];
    bin.scores += inside;
    bin.positives += label;
    ++bin.rows;
  }
  out += out.back() == '[' ? "{\"version\":" : ",{\"version\":";
  out += std::to_string(version) + ",\"roc\":" + roc + "],\"pr\":" + pr + "],\"reliability\":[";
  for (const Bin& bin : bins) {
    if (bin.rows == 0) continue;
    const double count = static_cast<double>(bin.rows);
    AppendPoint(bin.scores / count, bin.positives / count, out);
  }
  out += "],\"histogram\":[";
  for (size_t i = 0; i < counts.size(); ++i)
    out += (i == 0 ? "" : ",") + std::to_string(counts[i]);
  out += "]}";
}

std::string ScoreQuality::Json() const {
  std::string out = "{\"statement\":";
  row::AppendJsonString(statement_, out);
  out += ",\"labelled\":" + std::to_string(rows_.size()) +
         ",\"unlabelled\":" + std::to_string(unlabelled_) + ",\"groups\":[";
  for (int32_t version : Versions()) {
    AppendGroup(
        "version", std::to_string(version),
        [&](const Scored& scored) { return scored.version == version; }, out);
  }
  for (uint8_t age = 0; age < std::size(kAges); ++age) {
    AppendGroup(
        "label_age", kAges[age].name, [&](const Scored& scored) { return scored.age == age; }, out);
  }
  for (size_t i = 0; i < segments_.size(); ++i) {
    AppendGroup(
        "segment", segments_[i],
        [&](const Scored& scored) { return scored.segment == static_cast<int32_t>(i); }, out);
  }
  out += "],\"curves\":[";
  for (int32_t version : Versions())
    AppendCurves(version, out);
  return out + "]}";
}

}  // namespace headrace::engine
