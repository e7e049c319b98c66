#include "flow/select_node.h"

#include <algorithm>
#include <cmath>

#include "flow/explanation.h"
#include "flow/version_choice.h"
#include "row/text.h"

namespace headrace::flow {
namespace {

const std::vector<std::string> kNoCategories;

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

SelectNode::SelectNode(std::shared_ptr<const StatementPlan> plan, ModelLookup models,
                       os::WorkerTeam& team, os::SpillFile* spill)
    : plan_(std::move(plan)), models_(std::move(models)), team_(&team), scratch_(team.size()) {
  for (const Stage& stage : plan_->select->stages) {
    auto& blocks = key_blocks_.emplace_back();
    for (const state::KeyBlockSpec& spec : stage.key_blocks) {
      blocks.push_back(state::KeyBlock::Make(spec, spill));
    }
    for (const state::RunningSpec& spec : stage.running)
      blocks.push_back(state::MakeRunningBlock(spec, spill));
    std::vector<WatchBlock*>& watches = watches_.emplace_back();
    for (const WatchPlan& watch : stage.watches) {
      auto block = std::make_unique<WatchBlock>(watch);
      watches.push_back(block.get());
      blocks.push_back(std::move(block));
    }
  }
  for (const PolicyCall& call : plan_->select->policy_calls)
    choices_a_row_ += call.kind == PolicyCall::Kind::kChoose ? 1 : 0;
}

void SelectNode::Use(ModelLookup models, os::WorkerTeam& team) {
  models_ = std::move(models);
  team_ = &team;
  scratch_.resize(team.size());
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
  CopyRows(input, collector);
  RunStages(0, output, collector);
}

void SelectNode::Answer(const RemoteAnswer& answer, row::Place at, row::Batch& output,
                        Collector& collector) {
  working_.Clear();
  origins_.clear();
  output.Clear();
  const std::optional<size_t> stage = asking_->Take(answer, at, working_);
  if (!stage) return;
  origins_.push_back(&working_.rows().front());
  RunStages(*stage + 1, output, collector);
}

void SelectNode::RunStages(size_t first, row::Batch& output, Collector& collector) {
  const SelectPlan& select = *plan_->select;
  for (size_t i = first; i < select.stages.size(); ++i) {
    Evaluate(select.stages[i], collector);
    UpdateWindows(i, collector);
    for (const Prediction& prediction : select.stages[i].predictions)
      Predict(prediction);
    Watch(i);
    if (!select.stages[i].questions.empty()) asking_->Ask(i, working_, origins_);
  }
  if (!policies_.empty()) RunPolicies();
  output.Clear();
  for (size_t i = 0; i < working_.rows().size(); ++i) {
    const row::Row& from = working_.rows()[i];
    if (from.failed) continue;
    row::Row& to = output.Add(select.output_slots.size());
    row::Value* values = to.values;
    to = from;
    to.values = values;
    to.payload = {};
    if (!plan_->keeps_partitions()) to.partition = 0;
    for (size_t c = 0; c < select.output_slots.size(); ++c) {
      values[c] = from.values[select.output_slots[c]];
    }
  }
  collector.EmitAll(*plan_, output, *team_);
  if (choices_a_row_ > 0) NameChoices(output);
  if (probe_ == nullptr) return;
  size_t emitted = 0;
  for (const row::Row& row : working_.rows()) {
    if (!row.failed) probe_->Selected(*plan_, row, output.rows()[emitted++]);
  }
}

// Columns of the input by which canaries choose. The plan reads them or not.
std::vector<int> SelectNode::CanaryColumns() const {
  std::vector<int> columns;
  for (const Stage& stage : plan_->select->stages) {
    for (const Prediction& prediction : stage.predictions) {
      const std::shared_ptr<const ModelVersions> versions = models_(prediction.model);
      if (versions->canaries.empty()) continue;
      const VersionChoice choice(*versions, *plan_);
      columns.insert(columns.end(), choice.columns().begin(), choice.columns().end());
    }
  }
  return columns;
}

void SelectNode::CopyRows(row::Batch& input, Collector& collector) {
  const SelectPlan& select = *plan_->select;
  const std::vector<int> canary_columns = CanaryColumns();
  working_.Clear();
  origins_.clear();
  expr::EvalContext context{working_.arena(), std::nullopt};
  for (row::Row& from : input.rows()) {
    if (from.failed || from.cause.lsn < plan_->start_lsn || from.event_time < plan_->start_time) {
      continue;
    }
    if (plan_->IsTooLate(from.event_time, from.watermark)) {
      RefuseLate(*plan_, from, collector);
      continue;
    }
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
    for (int column : canary_columns)
      values[column] = from.values[column];
    origins_.push_back(&from);
  }
}

void SelectNode::Evaluate(const Stage& stage, Collector& collector) {
  if (stage.evaluations.empty()) return;
  std::vector<row::Row>& rows = working_.rows();
  broken_.resize(std::max(broken_.size(), os::WorkerTeam::PiecesOf(rows.size())));
  team_->RunRows(rows.size(), [&](size_t begin, size_t end, size_t worker) {
    expr::EvalContext context{working_.arena(worker), std::nullopt};
    for (size_t i = begin; i < end; ++i) {
      for (const Evaluation& evaluation : stage.evaluations) {
        if (rows[i].failed) break;
        rows[i].values[evaluation.slot] = evaluation.expression->Evaluate(rows[i].values, context);
        if (!context.error) continue;
        rows[i].failed = true;
        broken_[begin / os::WorkerTeam::kPieceRows].emplace_back(i, std::move(*context.error));
        context.error.reset();
      }
    }
  });
  for (auto& piece : broken_) {
    for (const auto& [index, error] : piece)
      Fail(index, error, collector);
    piece.clear();
  }
}

void SelectNode::UpdateWindows(size_t stage, Collector& collector) {
  const size_t windows = key_blocks_[stage].size() - watches_[stage].size();
  for (size_t b = 0; b < windows; ++b) {
    const std::unique_ptr<state::KeyBlock>& block = key_blocks_[stage][b];
    size_t count = working_.rows().size();
    failures_.failed.assign(count, 0);
    for (size_t i = 0; i < count; ++i)
      failures_.failed[i] = working_.rows()[i].failed ? 1 : 0;
    block->Update(working_, failures_, *team_);
    for (size_t i = 0; i < count; ++i) {
      if (failures_.failed[i] != 0 && !working_.rows()[i].failed) {
        Fail(i, Error(ErrorKind::kInvalidArgument, "HR2102", failures_.errors[i]), collector);
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

void SelectNode::RunPolicies() {
  drawn_.clear();
  const std::vector<PolicyCall>& calls = plan_->select->policy_calls;
  for (row::Row& row : working_.rows()) {
    if (row.failed) continue;
    for (size_t c = 0; c < calls.size(); ++c) {
      if (calls[c].kind == PolicyCall::Kind::kChoose) {
        Choose(calls[c], *policies_[c], row);
      } else {
        Reward(calls[c], *policies_[c], row);
      }
    }
  }
}

void SelectNode::Choose(const PolicyCall& call, PolicyNode& policy, row::Row& row) {
  context_.clear();
  for (size_t i = 0; i < call.argument_slots.size(); ++i) {
    const double value =
        FeatureOf(row.values[call.argument_slots[i]], call.argument_types[i], kNoCategories);
    context_.push_back(std::abs(value) <= learn::Policy::kNumberMax ? value : 0);
  }
  const PolicyNode::Drawn drawn = policy.Choose(row, context_);
  drawn_.push_back({&policy, drawn.number});
  const std::string& arm = call.policy->arms[drawn.choice.arm];
  row.values[call.result_slot] = row::Value::Text(working_.arena().Copy(arm));
  row.values[call.propensity_slot] = row::Value::Double(drawn.choice.propensity);
}

void SelectNode::Reward(const PolicyCall& call, PolicyNode& policy, row::Row& row) {
  const auto number = [&](size_t i) -> std::optional<double> {
    const double value =
        FeatureOf(row.values[call.argument_slots[i]], call.argument_types[i], kNoCategories);
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
  };
  PolicyNode::Given given;
  const row::Value& id = row.values[call.argument_slots[0]];
  if (!id.null) given.id = id.text();
  given.reward = number(1);
  given.has_metric = call.argument_slots.size() > 2;
  if (given.has_metric) given.metric = number(2);
  row.values[call.result_slot] = row::Value::Text(ToString(policy.Reward(row, given)));
}

void SelectNode::NameChoices(const row::Batch& output) {
  size_t at = 0;
  for (const row::Row& row : output.rows()) {
    for (size_t c = 0; c < choices_a_row_; ++c, ++at)
      drawn_[at].policy->Name(drawn_[at].number, plan_->name, row.partition, row.offset);
  }
}

// The score of a row does not depend on what is scored with it: the rows of one version go
// together.
void SelectNode::Predict(const Prediction& prediction) {
  const std::shared_ptr<const ModelVersions> versions = models_(prediction.model);
  const VersionChoice choice(*versions, *plan_);
  for (auto& [version, rows] : scored_)
    rows.clear();
  std::vector<row::Row>& rows = working_.rows();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].failed) continue;
    if (prediction.when_slot >= 0) {
      const row::Value& asked = rows[i].values[prediction.when_slot];
      rows[i].values[prediction.result_slot] = row::Value::Null();
      if (asked.null || !asked.boolean) continue;
    }
    const int32_t version = choice.For(rows[i]);
    scored_[version].push_back(i);
    if (prediction.version_slot < 0) continue;
    rows[i].values[prediction.version_slot] = row::Value::Integer(version);
  }
  for (const auto& [version, chosen] : scored_) {
    team_->RunRows(chosen.size(), [&, number = version, &all = chosen](size_t begin, size_t end,
                                                                       size_t worker) {
      const std::span<const size_t> piece = std::span(all).subspan(begin, end - begin);
      if (prediction.answer == Prediction::Answer::kScore) {
        const int64_t start = timer_ == nullptr ? 0 : timer_->Now();
        Score(prediction, versions->Of(number), piece, worker);
        if (timer_ != nullptr) {
          timer_->Scored(prediction.model, number, piece.size(), timer_->Now() - start);
        }
      } else {
        Explain(prediction, *versions, number, piece, worker);
      }
    });
  }
}

void SelectNode::Watch(size_t stage) {
  for (WatchBlock* watch : watches_[stage])
    watch->Watch(working_, *models_(watch->plan().model), health_);
}

void SelectNode::GatherFeatures(const Prediction& prediction, const model::Model& model,
                                size_t index, double* features) const {
  const row::Value* values = working_.rows()[index].values;
  for (size_t f = 0; f < prediction.input_slots.size(); ++f) {
    features[f] = FeatureOf(values[prediction.input_slots[f]], prediction.input_types[f],
                            model.info().categories[f]);
  }
}

void SelectNode::Explain(const Prediction& prediction, const ModelVersions& versions,
                         int32_t version, std::span<const size_t> rows, size_t worker) {
  std::vector<double>& features = scratch_[worker].features;
  features.resize(prediction.input_slots.size());
  for (size_t index : rows) {
    GatherFeatures(prediction, versions.Of(version), index, features.data());
    std::string text;
    const bool told = flow::Explain(prediction, versions, version, features, text);
    working_.rows()[index].values[prediction.result_slot] =
        told ? row::Value::Text(working_.arena(worker).Copy(text)) : row::Value::Null();
  }
}

void SelectNode::Score(const Prediction& prediction, const model::Model& model,
                       std::span<const size_t> rows, size_t worker) {
  const size_t inputs = prediction.input_slots.size();
  const size_t count = rows.size();
  const auto predictions = static_cast<size_t>(model.info().predictions);
  auto& [features, scores] = scratch_[worker];
  features.resize(count * inputs);
  scores.resize(count * static_cast<size_t>(model.info().outputs));
  for (size_t r = 0; r < count; ++r)
    GatherFeatures(prediction, model, rows[r], features.data() + r * inputs);
  model.ScoreRaw(features, count, scores);
  model.Transform(count, scores);
  for (size_t r = 0; r < count; ++r) {
    row::Value& result = working_.rows()[rows[r]].values[prediction.result_slot];
    for (size_t k = 0; k < prediction.output_slots.size() && predictions > 1; ++k) {
      const double score = scores[r * predictions + k];
      const std::vector<bool>& texts = model.info().text_outputs;
      const bool text = texts.size() == predictions && texts[k];
      working_.rows()[rows[r]].values[prediction.output_slots[k]] =
          text ? row::Value::Text(working_.arena(worker).Copy(model::TextOf(model.info(), score)))
               : row::Value::Double(score);
    }
    if (predictions == 1) {
      // A model's texts live as long as the model; the row may outlive it.
      result = model.info().text_prediction ? row::Value::Text(working_.arena(worker).Copy(
                                                  model::TextOf(model.info(), scores[r])))
                                            : row::Value::Double(scores[r]);
      continue;
    }
    std::string text = "[";
    for (size_t k = 0; k < predictions; ++k) {
      if (k > 0) text += ", ";
      row::AppendText(row::Value::Double(scores[r * predictions + k]),
                      {row::TypeKind::kDouble, 0, 0}, text);
    }
    text += "]";
    result = row::Value::Text(working_.arena(worker).Copy(text));
  }
}

}  // namespace headrace::flow
