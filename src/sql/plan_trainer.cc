// CREATE MODEL ... TRAIN ... INTO SHADOW OF: a model that is trained again and again.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "row/interval.h"
#include "sql/plan_support.h"
#include "train/evaluate.h"

namespace headrace::sql {
namespace {

constexpr int64_t kEveryMin = 1'000'000;  // microseconds
constexpr int64_t kEveryMax = 3'660 * 86'400'000'000;
constexpr int64_t kHour = 3'600'000'000;
constexpr int64_t kMegabyte = 1 << 20;

const std::vector<std::string> kOptions = {
    "trees",     "leaves",  "learning_rate", "min_leaf_rows", "l2",           "balanced",
    "seed",      "holdout", "min_rows",      "rows",          "memory_mb",    "early_stopping",
    "objective", "promote", "promote_after", "promote_rows",  "promote_flips"};

bool IsNumber(row::Type type) {
  using enum row::TypeKind;
  return type.kind == kBoolean || type.kind == kInteger || type.kind == kBigint ||
         type.kind == kDouble || type.kind == kDecimal;
}

template <typename Number>
bool Read(const std::string& text, Number* number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), *number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

class TrainerPlanner {
 public:
  TrainerPlanner(const CreateModel& create, const NameLookup& names,
                 std::vector<Diagnostic>& diagnostics)
      : create_(create),
        train_(*create.train),
        names_(names),
        diagnostics_(diagnostics),
        plan_(std::make_shared<TrainerPlan>()) {}

  std::shared_ptr<const TrainerPlan> Run() {
    const size_t before = diagnostics_.size();
    plan_->name = create_.name.name;
    plan_->options.memory = kTrainerMemory;
    if (train_.algorithm.name != "gradient_boosting") {
      Complain("HR1255", "`" + train_.algorithm.name + "` is not trained here",
               train_.algorithm.span)
          .hint = "TRAIN gradient_boosting (...)";
    }
    SetModel();
    SetStream();
    SetTriggers();
    SetOptions();
    return diagnostics_.size() == before ? plan_ : nullptr;
  }

 private:
  Diagnostic& Complain(std::string code, std::string message, const SourceSpan& span) {
    return sql::Complain(diagnostics_, std::move(code), std::move(message), span);
  }

  void SetModel() {
    plan_->shadow_of = train_.shadow_of.name;
    for (const Identifier& feature : train_.features)
      plan_->features.push_back(feature.name);
    const std::optional<KnownName> known = names_.Find(train_.shadow_of.name);
    if (!known || !known->models) {
      Diagnostic& unknown = Complain("HR1107", "unknown model `" + train_.shadow_of.name + "`",
                                     train_.shadow_of.span);
      unknown.candidates = expr::CloseNames(train_.shadow_of.name, names_.model_names());
      unknown.hint = "a model with versions, made by CREATE MODEL ... WITH (path = '...')";
      return;
    }
    watched_ = known->models->watch.has_value();
    const model::ModelInfo& info = known->models->versions.front()->info();
    FitInputs(info);
    const train::Task task = train::TaskOf(info);
    plan_->options.objective = task == train::Task::kBinary       ? train::Objective::kBinary
                               : task == train::Task::kMulticlass ? train::Objective::kMulticlass
                                                                  : train::Objective::kRegression;
    outputs_ = info.outputs;
  }

  // A version takes the inputs that version 1 takes, in that order.
  void FitInputs(const model::ModelInfo& info) {
    std::string list;
    for (const std::string& feature : info.features)
      list += (list.empty() ? "" : ", ") + feature;
    if (plan_->features != info.features) {
      Complain("HR1256", "a version of `" + plan_->shadow_of + "` takes other inputs than these",
               train_.features.front().span)
          .hint = "they are, in this order: " + list;
    }
    for (size_t f = 0; f < info.features.size(); ++f) {
      if (!info.exact_categories || info.categories[f].empty()) continue;
      Complain("HR1256", "input `" + info.features[f] + "` of `" + plan_->shadow_of + "` is a text",
               train_.features.front().span)
          .hint = "only models whose inputs are numbers are trained here";
    }
  }

  void SetStream() {
    plan_->stream = train_.stream.name;
    plan_->label = train_.label.name;
    const std::optional<KnownName> known = FindRelation(names_, train_.stream, diagnostics_);
    if (!known) return;
    const bool view = known->statement && known->statement->view;
    if (view || known->plain != nullptr) {
      Complain("HR1257", "`" + plan_->stream + "` is no stream", train_.stream.span).hint =
          "a model is trained on the rows of a stream";
      return;
    }
    for (const Identifier& feature : train_.features)
      CheckColumn(known->schema(), feature, "feature");
    CheckColumn(known->schema(), train_.label, "label");
    if (std::find(plan_->features.begin(), plan_->features.end(), plan_->label) !=
        plan_->features.end()) {
      Complain("HR1257", "label `" + plan_->label + "` is a feature, too", train_.label.span).hint =
          "a model would learn the label from it";
    }
    if (known->time_column() < 0) {
      Complain("HR1258", "the rows of `" + plan_->stream + "` have no event time",
               train_.stream.span)
          .hint = "declare WATERMARK FOR its column, and let the stream select that column";
      return;
    }
    plan_->watermark_delay = DelayOf(*known);
  }

  void CheckColumn(const row::Schema& schema, const Identifier& column, std::string_view what) {
    const int at = schema.Find(column.name);
    if (at >= 0 && IsNumber(schema.columns[static_cast<size_t>(at)].type)) return;
    if (at >= 0) {
      Complain("HR1257",
               std::string(what) + " `" + column.name + "` must be a number, not " +
                   row::ToString(schema.columns[static_cast<size_t>(at)].type),
               column.span)
          .hint = "cast it in the SELECT that makes the stream";
      return;
    }
    std::vector<std::string> columns;
    for (const row::Column& each : schema.columns)
      columns.push_back(each.name);
    Complain("HR1257", "`" + plan_->stream + "` has no column `" + column.name + "`", column.span)
        .candidates = expr::CloseNames(column.name, columns);
  }

  int64_t DelayOf(KnownName known) const {
    while (known.statement) {
      std::optional<KnownName> input = names_.Find(known.statement->input());
      if (!input) return 0;
      known = *input;
    }
    return known.source ? known.source->watermark_delay : 0;
  }

  void SetTriggers() {
    if (train_.every) {
      plan_->every = Micros(train_.every->text);
      if (plan_->every == 0) {
        Complain("HR1261", "EVERY takes an interval from a second to ten years, without months",
                 train_.every->span);
      }
    }
    if (!train_.drift) return;
    double limit = 0;
    if (!Read(train_.drift->text, &limit) || !std::isfinite(limit)) {
      Complain("HR1261", "drift is compared with a number from 0", train_.drift->span);
    }
    plan_->drift = limit;
    if (train_.drift_of.name != plan_->shadow_of) {
      Complain("HR1262", "drift is that of the model that is to be replaced", train_.drift_of.span)
          .hint = "write drift(" + plan_->shadow_of + ")";
    } else if (!watched_) {
      Complain("HR1262", "`" + plan_->shadow_of + "` is not watched: nothing tells of its drift",
               train_.drift_of.span)
          .hint = "CREATE it without `watch = off`";
    }
  }

  void SetOptions() {
    CheckOptions(create_.options, kOptions, diagnostics_);
    train::Options& options = plan_->options;
    Whole("trees", 1, train::kTrainingTreesMax, &options.trees);
    Whole("leaves", 2, train::kTrainingLeavesMax, &options.leaves);
    Whole("min_leaf_rows", 1, 1'000'000, &options.min_leaf_rows);
    Whole("early_stopping", 0, train::kTrainingTreesMax, &options.early_stopping);
    Whole("seed", 0, UINT32_MAX, &options.seed);
    Whole("min_rows", 10, kTrainerRowsMax, &plan_->min_rows);
    Whole("rows", 10, kTrainerRowsMax, &plan_->rows);
    size_t megabytes = kTrainerMemory / kMegabyte;
    Whole("memory_mb", 16, 65'536, &megabytes);
    options.memory = megabytes * kMegabyte;
    Share("learning_rate", 1e-6, 1, &options.learning_rate);
    Share("l2", 0, 1e9, &options.l2);
    Share("holdout", 0.01, 0.9, &plan_->holdout);
    if (const Option* balanced = FindOption(create_.options, "balanced")) {
      options.balanced = balanced->value == "true" || balanced->value == "on";
      if (!options.balanced && balanced->value != "false" && balanced->value != "off")
        Unfit(*balanced, "on or off");
    }
    SetObjective();
    SetGate();
    if (plan_->min_rows <= plan_->rows) return;
    Complain("HR1259", "min_rows is more than rows: it would never train", create_.name.span);
  }

  void SetGate() {
    const Option* promote = FindOption(create_.options, "promote");
    if (promote != nullptr && promote->value != "gate" && promote->value != "never") {
      Unfit(*promote, "gate or never");
    }
    const bool gate = promote != nullptr && promote->value == "gate";
    for (const Option& option : create_.options) {
      if (gate || !option.key.name.starts_with("promote_")) continue;
      Complain("HR1259", option.key.name + " means nothing without promote = 'gate'",
               option.key.span);
    }
    if (!gate) return;
    plan_->promote_after = plan_->every > 0 ? plan_->every : kHour;
    Whole("promote_rows", 1, INT32_MAX, &plan_->gate_rows);
    Share("promote_flips", 0, 100, &plan_->gate_flips);
    const Option* after = FindOption(create_.options, "promote_after");
    if (after == nullptr) return;
    plan_->promote_after = Micros(after->value);
    if (*plan_->promote_after == 0) {
      Unfit(*after, "an interval from a second to ten years, without months");
    }
  }

  // 0: none that can be.
  static int64_t Micros(const std::string& text) {
    const Result<row::Interval> interval = row::ParseInterval(text);
    if (!interval.ok() || interval->months != 0) return 0;
    const row::Int128 micros = row::IntervalSpan(*interval);
    return micros < kEveryMin || micros > kEveryMax ? 0 : static_cast<int64_t>(micros);
  }

  void SetObjective() {
    const Option* option = FindOption(create_.options, "objective");
    train::Objective& objective = plan_->options.objective;
    if (option != nullptr) {
      if (option->value == "binary") {
        objective = train::Objective::kBinary;
      } else if (option->value == "regression") {
        objective = train::Objective::kRegression;
      } else if (option->value == "multiclass") {
        objective = train::Objective::kMulticlass;
      } else {
        return Unfit(*option, "binary, regression or multiclass");
      }
    }
    const bool several = objective == train::Objective::kMulticlass;
    if (outputs_ == 0 || several == (outputs_ > 1)) return;
    Complain("HR1259",
             "`" + plan_->shadow_of + "` gives " + std::to_string(outputs_) +
                 (outputs_ == 1 ? " score" : " scores") + ": that is another objective",
             option != nullptr ? option->value_span : train_.shadow_of.span)
        .hint = "objective = 'binary' and 'regression' give one, 'multiclass' one for each class";
  }

  void Unfit(const Option& option, const std::string& wanted) {
    Complain("HR1259", option.key.name + " = '" + option.value + "': it takes " + wanted,
             option.value_span);
  }

  template <typename Number>
  void Whole(std::string_view key, int64_t least, int64_t most, Number* number) {
    const Option* option = FindOption(create_.options, key);
    if (option == nullptr) return;
    int64_t value = 0;
    if (Read(option->value, &value) && value >= least && value <= most) {
      *number = static_cast<Number>(value);
      return;
    }
    Unfit(*option, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }

  void Share(std::string_view key, double least, double most, double* number) {
    const Option* option = FindOption(create_.options, key);
    if (option == nullptr) return;
    if (Read(option->value, number) && *number >= least && *number <= most) return;
    char wanted[80];
    std::snprintf(wanted, sizeof wanted, "a number from %g to %g", least, most);
    Unfit(*option, wanted);
  }

  const CreateModel& create_;
  const TrainClause& train_;
  const NameLookup& names_;
  std::vector<Diagnostic>& diagnostics_;
  std::shared_ptr<TrainerPlan> plan_;
  bool watched_ = true;  // or unknown
  int32_t outputs_ = 0;  // of the model; 0: unknown
};

}  // namespace

std::shared_ptr<const TrainerPlan> Planner::PlanTrainer(const CreateModel& create) const {
  return TrainerPlanner(create, names_, diagnostics_).Run();
}

}  // namespace headrace::sql
