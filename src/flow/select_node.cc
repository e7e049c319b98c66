#include "flow/select_node.h"

#include <algorithm>
#include <cmath>

#include "row/text.h"

namespace headrace::flow {
namespace {

constexpr size_t kScoreBlock = 256;

}  // namespace

double FeatureOf(const row::Value& value, row::Type type,
                 const std::vector<std::string>& categories) {
  if (value.null) return std::nan("");
  switch (type.kind) {
    case row::TypeKind::kDouble:
      return value.number;
    case row::TypeKind::kDecimal:
      return row::DecimalToDouble(value);
    case row::TypeKind::kBoolean:
      return value.boolean ? 1.0 : 0.0;
    case row::TypeKind::kText: {
      auto found = std::find(categories.begin(), categories.end(), value.text());
      return found == categories.end() ? std::nan("") : double(found - categories.begin());
    }
    default:
      return static_cast<double>(value.integer);
  }
}

int32_t ModelVersions::VersionAt(uint64_t lsn) const {
  int32_t version = activations.front().version;
  for (const Activation& activation : activations) {
    if (activation.from_lsn <= lsn) version = activation.version;
  }
  return version;
}

SelectNode::SelectNode(std::shared_ptr<const StatementPlan> plan, ModelLookup models)
    : plan_(std::move(plan)), models_(std::move(models)) {
  for (const Stage& stage : plan_->select->stages) {
    auto& blocks = key_blocks_.emplace_back();
    for (const state::KeyBlockSpec& spec : stage.key_blocks) {
      blocks.push_back(state::KeyBlock::Make(spec));
    }
  }
}

std::vector<state::KeyBlock*> SelectNode::key_blocks() const {
  std::vector<state::KeyBlock*> all;
  for (const auto& stage : key_blocks_) {
    for (const auto& block : stage)
      all.push_back(block.get());
  }
  return all;
}

size_t SelectNode::state_bytes() const {
  size_t bytes = 0;
  for (const auto& stage : key_blocks_) {
    for (const auto& block : stage)
      bytes += block->bytes();
  }
  return bytes;
}

void SelectNode::Run(row::Batch& input, row::Batch& output, Collector& collector) {
  const SelectPlan& select = *plan_->select;
  CopyRows(input, collector);
  for (size_t i = 0; i < select.stages.size(); ++i) {
    Evaluate(select.stages[i], collector);
    UpdateWindows(i, collector);
    for (const Prediction& prediction : select.stages[i].predictions)
      Predict(prediction);
  }
  output.Clear();
  for (size_t i = 0; i < working_.rows().size(); ++i) {
    const row::Row& from = working_.rows()[i];
    if (from.failed) continue;
    row::Row& to = output.Add(select.output_slots.size());
    row::Value* values = to.values;
    to = from;
    to.values = values;
    to.payload = {};
    for (size_t c = 0; c < select.output_slots.size(); ++c) {
      values[c] = from.values[select.output_slots[c]];
    }
    collector.Emit(*plan_, to);
    if (probe_) probe_(*plan_, from);
  }
}

bool SelectNode::TakesLate(row::Row& row, Collector& collector) const {
  if (row.watermark == INT64_MIN || row.event_time >= row.watermark - plan_->lateness) return true;
  collector.CountLate(*plan_);
  if (plan_->late_policy == LatePolicy::kDeadLetter && !row.dead_lettered) {
    row.dead_lettered = true;
    collector.Refuse(
        plan_->select->input, row,
        {"HR2208", "later than the allowed lateness behind the watermark", "", plan_.get()});
  }
  return false;
}

void SelectNode::CopyRows(row::Batch& input, Collector& collector) {
  const SelectPlan& select = *plan_->select;
  working_.Clear();
  origins_.clear();
  expr::EvalContext context{working_.arena(), std::nullopt};
  for (row::Row& from : input.rows()) {
    if (from.failed || from.cause.lsn < plan_->start_lsn || from.event_time < plan_->start_time) {
      continue;
    }
    if (!TakesLate(from, collector)) continue;
    if (select.where) {
      row::Value verdict = select.where->Evaluate(from.values, context);
      if (context.error) {
        if (!from.dead_lettered) {
          collector.Refuse(select.input, from,
                           {context.error->code(), context.error->message(), "", plan_.get()});
        }
        from.dead_lettered = true;
        context.error.reset();
        continue;
      }
      if (verdict.null || !verdict.boolean) continue;
    }
    row::Row& to = working_.Add(static_cast<size_t>(select.slots));
    row::Value* values = to.values;
    to = from;
    to.values = values;
    for (int column : select.copied_columns)
      values[column] = from.values[column];
    origins_.push_back(&from);
  }
}

void SelectNode::Evaluate(const Stage& stage, Collector& collector) {
  expr::EvalContext context{working_.arena(), std::nullopt};
  for (size_t i = 0; i < working_.rows().size(); ++i) {
    row::Row& row = working_.rows()[i];
    for (const Evaluation& evaluation : stage.evaluations) {
      if (row.failed) break;
      row.values[evaluation.slot] = evaluation.expression->Evaluate(row.values, context);
      if (context.error) {
        Fail(i, *context.error, collector);
        context.error.reset();
      }
    }
  }
}

void SelectNode::UpdateWindows(size_t stage, Collector& collector) {
  for (auto& block : key_blocks_[stage]) {
    size_t count = working_.rows().size();
    failed_.assign(count, 0);
    if (errors_.size() < count) errors_.resize(count);
    for (size_t i = 0; i < count; ++i)
      failed_[i] = working_.rows()[i].failed ? 1 : 0;
    block->Update(working_, failed_, errors_);
    for (size_t i = 0; i < count; ++i) {
      if (failed_[i] != 0 && !working_.rows()[i].failed) {
        Fail(i, Error(ErrorKind::kInvalidArgument, "HR2102", errors_[i]), collector);
      }
    }
  }
}

void SelectNode::Fail(size_t index, const Error& error, Collector& collector) {
  working_.rows()[index].failed = true;
  row::Row& origin = *origins_[index];
  if (origin.dead_lettered) return;
  origin.dead_lettered = true;
  collector.Refuse(plan_->select->input, origin,
                   {error.code(), error.message(), error.place(), plan_.get()});
}

void SelectNode::Predict(const Prediction& prediction) {
  std::shared_ptr<const ModelVersions> versions = models_(prediction.model);
  const std::vector<row::Row>& rows = working_.rows();
  size_t i = 0;
  while (i < rows.size()) {
    const model::Model* model = &versions->At(rows[i].cause.lsn);
    scored_.clear();
    for (; i < rows.size() && scored_.size() < kScoreBlock; ++i) {
      if (rows[i].failed) continue;
      if (&versions->At(rows[i].cause.lsn) != model) break;
      scored_.push_back(i);
    }
    if (!scored_.empty()) ScoreRange(prediction, *model, 0, scored_.size());
  }
}

void SelectNode::ScoreRange(const Prediction& prediction, const model::Model& model, size_t begin,
                            size_t end) {
  size_t inputs = prediction.input_slots.size();
  size_t count = end - begin;
  auto predictions = static_cast<size_t>(model.info().predictions);
  features_.resize(count * inputs);
  scores_.resize(count * static_cast<size_t>(model.info().outputs));
  for (size_t r = 0; r < count; ++r) {
    const row::Value* values = working_.rows()[scored_[begin + r]].values;
    for (size_t f = 0; f < inputs; ++f) {
      features_[r * inputs + f] = FeatureOf(values[prediction.input_slots[f]],
                                            prediction.input_types[f], model.info().categories[f]);
    }
  }
  model.ScoreRaw(features_, count, scores_);
  model.Transform(count, scores_);
  for (size_t r = 0; r < count; ++r) {
    row::Value& result = working_.rows()[scored_[begin + r]].values[prediction.result_slot];
    if (predictions == 1) {
      result = row::Value::Double(scores_[r]);
      continue;
    }
    std::string text = "[";
    for (size_t k = 0; k < predictions; ++k) {
      if (k > 0) text += ", ";
      row::AppendText(row::Value::Double(scores_[r * predictions + k]),
                      {row::TypeKind::kDouble, 0, 0}, text);
    }
    text += "]";
    result = row::Value::Text(working_.arena().Copy(text));
  }
}

}  // namespace headrace::flow
