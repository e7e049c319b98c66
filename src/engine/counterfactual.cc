#include "engine/counterfactual.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/arena.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

constexpr size_t kBatch = 256;  // rows that are scored together
constexpr row::Type kNumber{row::TypeKind::kDouble, 0, 0};

bool Meets(const std::vector<int>& slots, const std::set<int>& marked) {
  return std::any_of(slots.begin(), slots.end(), [&](int slot) { return marked.contains(slot); });
}

// Decides again with another score. Confined.
class Decider {
 public:
  explicit Decider(const DecisionPath& path) : path_(path) {
    for (const Step& step : path.steps) {
      const auto slots = static_cast<size_t>(step.plan->select->slots);
      values_.emplace_back(step.working.values, step.working.values + slots);
    }
    const row::Schema& schema = path.steps.back().plan->schema;
    decision_ = static_cast<size_t>(schema.Find("decision"));
  }

  // Whether nothing but expressions stands between the score and the decision.
  bool Possible() const {
    std::set<int> marked = {path_.prediction->result_slot};
    for (size_t i = 0; i < path_.steps.size(); ++i) {
      if (!Mark(*path_.steps[i].plan->select, i == 0 ? path_.stage + 1 : 0, marked)) return false;
      std::set<int> next;
      const std::vector<int>& outputs = path_.steps[i].plan->select->output_slots;
      for (size_t c = 0; c < outputs.size(); ++c) {
        if (marked.contains(outputs[c])) next.insert(static_cast<int>(c));
      }
      marked = std::move(next);
    }
    return true;
  }

  // As JSON; nothing when a statement would have failed or left the row out.
  std::optional<std::string> Of(double score) {
    arena_.Reset();
    values_[0][static_cast<size_t>(path_.prediction->result_slot)] = row::Value::Double(score);
    for (size_t i = 0; i < path_.steps.size(); ++i) {
      if (i > 0 && !HandOn(i)) return {};
      if (!Evaluate(i, i == 0 ? path_.stage + 1 : 0)) return {};
    }
    const flow::StatementPlan& last = *path_.steps.back().plan;
    std::string decision;
    row::AppendJson(values_.back()[static_cast<size_t>(last.select->output_slots[decision_])],
                    last.schema.columns[decision_].type, decision);
    return decision;
  }

 private:
  static bool Mark(const flow::SelectPlan& select, size_t first, std::set<int>& marked) {
    for (size_t s = first; s < select.stages.size(); ++s) {
      const flow::Stage& stage = select.stages[s];
      for (const flow::Evaluation& evaluation : stage.evaluations) {
        std::vector<int> read;
        evaluation.expression->CollectSlots(read);
        if (Meets(read, marked)) marked.insert(evaluation.slot);
      }
      for (const state::KeyBlockSpec& block : stage.key_blocks) {
        std::vector<int> read = block.key_slots;
        for (const state::AggregateSpec& aggregate : block.aggregates) {
          read.push_back(aggregate.argument_slot);
          read.push_back(aggregate.filter_slot);
        }
        if (Meets(read, marked)) return false;
      }
      for (const state::RunningSpec& running : stage.running) {
        if (Meets(running.key_slots, marked)) return false;
        for (const state::RunningCall& call : running.calls) {
          if (Meets(call.argument_slots, marked)) return false;
          for (const state::RunningCall::Question& question : call.questions) {
            if (Meets(question.argument_slots, marked)) return false;
          }
        }
      }
      for (const flow::Prediction& prediction : stage.predictions) {
        const bool score = prediction.answer == flow::Prediction::Answer::kScore;
        if (score && Meets(prediction.input_slots, marked)) return false;
      }
    }
    for (const flow::PolicyCall& call : select.policy_calls) {
      if (Meets(call.argument_slots, marked)) return false;
    }
    return true;
  }

  // The row of the statement before is read.
  bool HandOn(size_t step) {
    const std::vector<int>& outputs = path_.steps[step - 1].plan->select->output_slots;
    const flow::SelectPlan& select = *path_.steps[step].plan->select;
    for (int column : select.copied_columns) {
      const auto at = static_cast<size_t>(column);
      values_[step][at] = values_[step - 1][static_cast<size_t>(outputs[at])];
    }
    if (!select.where) return true;
    std::vector<row::Value> input;
    for (int slot : outputs)
      input.push_back(values_[step - 1][static_cast<size_t>(slot)]);
    expr::EvalContext context{arena_, std::nullopt};
    const row::Value verdict = select.where->Evaluate(input.data(), context);
    return !context.error && !verdict.null && verdict.boolean;
  }

  bool Evaluate(size_t step, size_t first) {
    const flow::SelectPlan& select = *path_.steps[step].plan->select;
    expr::EvalContext context{arena_, std::nullopt};
    for (size_t s = first; s < select.stages.size(); ++s) {
      for (const flow::Evaluation& evaluation : select.stages[s].evaluations) {
        values_[step][static_cast<size_t>(evaluation.slot)] =
            evaluation.expression->Evaluate(values_[step].data(), context);
        if (context.error) return false;
      }
    }
    return true;
  }

  const DecisionPath& path_;
  std::vector<std::vector<row::Value>> values_;  // by step
  size_t decision_ = 0;                          // column of the last
  base::Arena arena_;
};

// A value for an input, in one of the intervals between its splits.
struct Candidate {
  double value = 0;
  double bound = 0;  // of the interval, towards the value that was
  bool below = true;
  double distance = 0;
};

// The largest value of the type up to `x`, and the smallest beyond it.
double AtMost(double x, row::Type type) {
  if (type.kind == row::TypeKind::kDouble) return x;
  const double scale = type.kind == row::TypeKind::kDecimal ? std::pow(10.0, type.scale) : 1;
  return std::floor(x * scale) / scale;
}

double Beyond(double x, row::Type type, bool single) {
  if (type.kind == row::TypeKind::kDouble) {
    return single ? static_cast<double>(std::nextafter(static_cast<float>(x), HUGE_VALF))
                  : std::nextafter(x, HUGE_VAL);
  }
  const double scale = type.kind == row::TypeKind::kDecimal ? std::pow(10.0, type.scale) : 1;
  return (std::floor(x * scale) + 1) / scale;
}

// One for each interval but that of `x`: the value in it that is nearest. Those below, the nearest
// first, then those above.
std::vector<Candidate> CandidatesOf(const model::Model& model, size_t feature, double x,
                                    row::Type type) {
  std::vector<Candidate> candidates;
  const std::vector<double> splits = model.Splits(feature);
  if (splits.empty() || std::isnan(x)) return candidates;
  const double span = splits.back() - splits.front();
  const double width = span > 0 ? span : std::max(std::abs(splits.front()), 1.0);
  const auto add = [&](double value, double bound, bool below) {
    candidates.push_back({value, bound, below, std::abs(value - x) / width});
  };
  const auto above = std::lower_bound(splits.begin(), splits.end(), x);
  for (auto split = above; split != splits.begin();) {
    --split;
    // Where the type has no value in the interval there is nothing to change to.
    const double value = AtMost(*split, type);
    if (split == splits.begin() || value > *(split - 1)) add(value, value, true);
  }
  for (auto split = above; split != splits.end(); ++split) {
    const double value = Beyond(*split, type, model.SinglePrecision());
    if (split + 1 != splits.end() && value > *(split + 1)) continue;
    add(value, type.kind == row::TypeKind::kDouble ? *split : value, false);
  }
  return candidates;
}

// Searches changes of one input, then of two. Confined.
class Search {
 public:
  explicit Search(const DecisionPath& path) : path_(path), decider_(path) {
    const size_t features = path.inputs.size();
    for (size_t f = 0; f < features; ++f) {
      candidates_.push_back(
          CandidatesOf(*path.model, f, path.inputs[f], path.prediction->input_types[f]));
    }
  }

  std::optional<Counterfactuals> Run() {
    if (!decider_.Possible()) return {};
    if (decider_.Of(Scores({path_.inputs}).front()) != path_.decision) return {};
    for (size_t f = 0; f < candidates_.size(); ++f)
      ChangeOne(f);
    if (best_.empty()) ChangeTwo();
    std::vector<std::pair<double, Counterfactual>> ordered;
    for (auto& [decision, found] : best_)
      ordered.push_back(std::move(found));
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    Counterfactuals all;
    all.complete = complete_;
    for (auto& [distance, found] : ordered)
      all.found.push_back(std::move(found));
    return all;
  }

 private:
  std::vector<double> Scores(const std::vector<std::vector<double>>& rows) {
    const size_t width = path_.inputs.size();
    std::vector<double> features;
    features.reserve(rows.size() * width);
    for (const std::vector<double>& row : rows)
      features.insert(features.end(), row.begin(), row.end());
    std::vector<double> scores(rows.size());
    path_.model->ScoreRaw(features, rows.size(), scores);
    path_.model->Transform(rows.size(), scores);
    return scores;
  }

  void Keep(double distance, const std::string& decision, double score,
            std::vector<Counterfactual::Change> changes) {
    auto [known, is_new] = best_.try_emplace(decision);
    if (!is_new && known->second.first <= distance) return;
    known->second = {distance, {decision, score, std::move(changes)}};
  }

  static Counterfactual::Change ChangeTo(size_t feature, const Candidate& to, bool all_beyond) {
    const bool exact = to.bound == to.value;
    const std::string_view above = exact ? ">=" : ">";
    return {feature, to.value,
            !all_beyond ? "="
            : to.below  ? "<="
                        : above,
            all_beyond ? to.bound : to.value};
  }

  void ChangeOne(size_t feature) {
    const std::vector<Candidate>& candidates = candidates_[feature];
    std::vector<std::vector<double>> rows(candidates.size(), path_.inputs);
    for (size_t i = 0; i < candidates.size(); ++i)
      rows[i][feature] = candidates[i].value;
    if (rows.empty() || scored_ + rows.size() > kCounterfactualScores) return;
    scored_ += rows.size();
    const std::vector<double> scores = Scores(rows);
    std::vector<std::optional<std::string>> decisions;
    for (double score : scores)
      decisions.push_back(decider_.Of(score));
    for (size_t i = 0; i < candidates.size(); ++i) {
      if (!decisions[i] || *decisions[i] == path_.decision) continue;
      bool all_beyond = true;
      for (size_t j = i + 1; j < candidates.size(); ++j) {
        if (candidates[j].below != candidates[i].below) break;
        all_beyond = all_beyond && decisions[j] == decisions[i];
      }
      Keep(candidates[i].distance, *decisions[i], scores[i],
           {ChangeTo(feature, candidates[i], all_beyond)});
    }
  }

  void ChangeTwo() {
    const size_t pairs = std::max<size_t>(candidates_.size() * (candidates_.size() - 1) / 2, 1);
    const size_t left = kCounterfactualScores - std::min(scored_, kCounterfactualScores);
    // So many of each input, the nearest, that all pairs of inputs have their turn.
    const auto most = static_cast<size_t>(std::sqrt(static_cast<double>(left / pairs)));
    for (std::vector<Candidate>& candidates : candidates_) {
      std::stable_sort(candidates.begin(), candidates.end(),
                       [](const auto& a, const auto& b) { return a.distance < b.distance; });
      complete_ = complete_ && candidates.size() <= most;
      if (candidates.size() > most) candidates.resize(most);
    }
    for (size_t f = 0; f < candidates_.size(); ++f) {
      for (size_t g = f + 1; g < candidates_.size(); ++g)
        ChangeBoth(f, g);
    }
    Flush();
  }

  void ChangeBoth(size_t f, size_t g) {
    for (const Candidate& one : candidates_[f]) {
      for (const Candidate& other : candidates_[g]) {
        rows_.push_back(path_.inputs);
        rows_.back()[f] = one.value;
        rows_.back()[g] = other.value;
        changed_.push_back(
            {one.distance + other.distance, {ChangeTo(f, one, false), ChangeTo(g, other, false)}});
        if (rows_.size() == kBatch) Flush();
      }
    }
  }

  void Flush() {
    if (rows_.empty()) return;
    const std::vector<double> scores = Scores(rows_);
    for (size_t i = 0; i < rows_.size(); ++i) {
      const std::optional<std::string> decision = decider_.Of(scores[i]);
      if (!decision || *decision == path_.decision) continue;
      Keep(changed_[i].first, *decision, scores[i], std::move(changed_[i].second));
    }
    rows_.clear();
    changed_.clear();
  }

  const DecisionPath& path_;
  Decider decider_;
  std::vector<std::vector<Candidate>> candidates_;                 // by feature
  std::map<std::string, std::pair<double, Counterfactual>> best_;  // by decision, with its distance
  size_t scored_ = 0;
  bool complete_ = true;
  // Of pairs, to be scored together.
  std::vector<std::vector<double>> rows_;
  std::vector<std::pair<double, std::vector<Counterfactual::Change>>> changed_;
};

}  // namespace

std::optional<Counterfactuals> FindCounterfactuals(const DecisionPath& path) {
  const model::ModelInfo& info = path.model->info();
  if (info.trees == 0 || info.outputs != 1 || info.text_prediction) return {};
  return Search(path).Run();
}

void AppendCounterfactuals(const DecisionPath& path, const Counterfactuals& all, std::string& out) {
  const auto number = [&out](std::string_view name, double value) {
    out += name;
    row::AppendJson(row::Value::Double(value), kNumber, out);
  };
  out += "[";
  for (const Counterfactual& found : all.found) {
    out += out.back() == '[' ? "{\"decision\":" : ",{\"decision\":";
    out += found.decision;
    number(",\"score\":", found.score);
    out += ",\"changes\":[";
    for (const Counterfactual::Change& change : found.changes) {
      out += out.back() == '[' ? "{\"feature\":" : ",{\"feature\":";
      row::AppendJsonString(path.model->info().features[change.feature], out);
      number(",\"from\":", path.inputs[change.feature]);
      out += ",\"relation\":\"" + std::string(change.relation) + "\"";
      number(",\"bound\":", change.bound);
      number(",\"value\":", change.value);
      out += "}";
    }
    out += "]}";
  }
  out += "]";
}

}  // namespace headrace::engine
