#include "cli/off_policy.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include "cli/logged_choices.h"
#include "cli/model_file.h"
#include "learn/arm_lines.h"
#include "learn/policy.h"
#include "model/csv_records.h"

namespace headrace::cli {
namespace {

constexpr double kLargest = learn::Policy::kNumberMax;

Error BadRow(std::string message, size_t line) {
  return Error(ErrorKind::kCorruption, "HR3005", std::move(message))
      .AtPlace("line " + std::to_string(line));
}

std::optional<double> NumberOf(std::string_view cell) {
  double number = 0;
  const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  const bool good = problem == std::errc() && end == cell.data() + cell.size();
  return good && std::abs(number) <= kLargest ? std::optional(number) : std::nullopt;
}

Result<double> ShareFlag(const Arguments& arguments, std::string_view flag, const char* standard,
                         double most) {
  const std::string text = arguments.Get(flag, standard);
  const std::optional<double> number = NumberOf(text);
  if (number && *number >= 0 && *number <= most) return *number;
  return Error(ErrorKind::kInvalidArgument, "HR9001",
               std::string(flag) + " cannot be `" + text + "`");
}

// Logged choices, in order.
struct Choices {
  std::vector<std::string> arms;  // by number, as they occur
  std::vector<size_t> arm;        // the others: by row
  std::vector<double> reward, propensity, share, x;
  size_t features = 0;

  size_t rows() const { return arm.size(); }
  learn::Features row(size_t i) const {
    return std::span<const double>(x).subspan(i * features, features);
  }
};

class ChoiceReader {
 public:
  ChoiceReader(const Arguments& arguments, Choices& choices)
      : arguments_(arguments), choices_(choices) {}

  Status Begin(const std::vector<std::string>& header) {
    header_ = header;
    HR_ASSIGN(arm_, Find(arguments_.Get("--arm", "arm")));
    HR_ASSIGN(reward_, Find(arguments_.Get("--reward", "reward")));
    HR_ASSIGN(propensity_, Find(arguments_.Get("--propensity", "propensity")));
    if (const std::string* column = arguments_.Find("--target-share")) {
      HR_ASSIGN(share_, Find(*column));
    }
    if (const std::string* missing = arguments_.Find("--missing")) {
      missing_ = NumberOf(*missing);
      if (!missing_) {
        return Error(ErrorKind::kInvalidArgument, "HR9001",
                     "--missing cannot be `" + *missing + "`");
      }
    }
    for (const std::string& list : arguments_.All("--features")) {
      for (size_t at = 0; at <= list.size();) {
        const size_t end = std::min(list.find(',', at), list.size());
        HR_ASSIGN(const size_t column, Find(list.substr(at, end - at)));
        features_.push_back(column);
        at = end + 1;
      }
    }
    choices_.features = features_.size();
    return Ok();
  }

  Status Add(const std::vector<std::string>& cells, size_t line) {
    if (cells.size() != header_.size()) {
      return BadRow("the row has " + std::to_string(cells.size()) + " cells, not " +
                        std::to_string(header_.size()),
                    line);
    }
    const auto [number, is_new] = numbers_.try_emplace(cells[arm_], choices_.arms.size());
    if (is_new) choices_.arms.push_back(cells[arm_]);
    if (choices_.arms.size() > learn::Policy::kArmsMax)
      return BadRow("there are more than 1000 arms", line);
    choices_.arm.push_back(number->second);
    HR_ASSIGN(const double propensity, Number(cells, propensity_, line));
    if (propensity <= 0 || propensity > 1) {
      return BadRow("the propensity '" + cells[propensity_] + "' is no probability above 0", line);
    }
    choices_.propensity.push_back(propensity);
    if (missing_ && cells[reward_].empty()) {
      choices_.reward.push_back(*missing_);
    } else {
      HR_ASSIGN(const double reward, Number(cells, reward_, line));
      choices_.reward.push_back(reward);
    }
    if (share_) {
      HR_ASSIGN(const double share, Number(cells, *share_, line));
      if (share < 0 || share > 1) return BadRow("a share is from 0 to 1", line);
      choices_.share.push_back(share);
    }
    for (size_t column : features_) {  // what is missing counts as 0, as CHOOSE has it
      double value = 0;
      if (!cells[column].empty()) {
        HR_ASSIGN(value, Number(cells, column, line));
      }
      choices_.x.push_back(value);
    }
    return Ok();
  }

 private:
  Result<size_t> Find(const std::string& name) const {
    const auto found = std::find(header_.begin(), header_.end(), name);
    if (found == header_.end()) return BadRow("there is no column `" + name + "`", 1);
    return static_cast<size_t>(found - header_.begin());
  }

  Result<double> Number(const std::vector<std::string>& cells, size_t column, size_t line) const {
    if (cells[column] == "true") return 1.0;
    if (cells[column] == "false") return 0.0;
    const std::optional<double> number = NumberOf(cells[column]);
    if (number) return *number;
    Error error = BadRow("`" + header_[column] + "` is '" + cells[column] + "', no number", line);
    const bool reward = column == reward_ && cells[column].empty();
    return reward ? std::move(error).WithHint("--missing 0 says what no reward is worth") : error;
  }

  const Arguments& arguments_;
  Choices& choices_;
  std::vector<std::string> header_;
  std::map<std::string, size_t> numbers_;
  size_t arm_ = 0;
  size_t reward_ = 0;
  size_t propensity_ = 0;
  std::optional<size_t> share_;
  std::optional<double> missing_;
  std::vector<size_t> features_;
};

Result<Choices> ReadChoices(const Arguments& arguments) {
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  const bool logged = arguments.Has("--data");
  const std::string input = logged ? arguments.Get("--choices", "") : arguments.Get("--input", "-");
  HR_ASSIGN(const std::string rows,
            logged ? LoggedChoices(arguments) : ReadRowsFile(*files, input));
  model::CsvRecords records(rows);
  std::vector<std::string> cells;
  Result<bool> more = records.Next(&cells);
  if (!more.ok()) return InFile(input, more.error());
  if (!*more) return InFile(input, BadRow("there is no line of names", 1));
  Choices choices;
  ChoiceReader reader(arguments, choices);
  if (Status begun = reader.Begin(cells); !begun.ok()) return InFile(input, begun.error());
  for (more = records.Next(&cells); more.ok() && *more; more = records.Next(&cells)) {
    if (cells.size() == 1 && cells[0].empty()) continue;
    Status added = reader.Add(cells, records.line());
    if (!added.ok()) return InFile(input, added.error());
  }
  if (!more.ok()) return InFile(input, more.error());
  if (choices.arms.size() < 2) return InFile(input, BadRow("there are fewer than two arms", 1));
  return choices;
}

// With which probability the target would have drawn each arm.
class Target {
 public:
  // A policy learns from the first rows as they were logged, and stays as it is then.
  static Result<Target> Make(const Arguments& arguments, const Choices& choices) {
    Target target;
    target.arms_ = choices.arms.size();
    if (arguments.Has("--target-share")) return target;
    target.known_ = true;
    const std::string name = arguments.Get("--target", "uniform");
    if (name == "uniform") return target;
    if (name.starts_with("arm:")) {
      const auto arm = std::find(choices.arms.begin(), choices.arms.end(), name.substr(4));
      if (arm == choices.arms.end()) {
        return Error(ErrorKind::kInvalidArgument, "HR9001",
                     "no row chose the arm of --target " + name);
      }
      target.fixed_ = static_cast<size_t>(arm - choices.arms.begin());
      return target;
    }
    learn::PolicySpec spec;
    spec.type = name;
    spec.arms = target.arms_;
    spec.features = learn::PolicyTakes(name, choices.features > 0) ? choices.features : 0;
    HR_ASSIGN(spec.options, arguments.Pairs("--set"));
    HR_ASSIGN(target.policy_, learn::Policy::Make(spec));
    HR_ASSIGN(const double share, ShareFlag(arguments, "--learn-share", "0.5", 1));
    target.learned_ = static_cast<size_t>(share * static_cast<double>(choices.rows()));
    target.features_ = spec.features;
    for (size_t i = 0; i < target.learned_; ++i) {
      if (!target.policy_->Accepts(choices.reward[i])) {
        return Error(ErrorKind::kInvalidArgument, "HR3005",
                     "a policy of type `" + name + "` cannot learn a reward of the rows")
            .WithHint("thompson and exp3 take rewards from 0 to 1");
      }
      target.policy_->Learn({choices.arm[i], choices.row(i).first(target.features_),
                             choices.reward[i], choices.propensity[i]});
    }
    return target;
  }

  bool known() const { return known_; }
  size_t learned() const { return learned_; }
  void Weigh(learn::Features x, std::span<double> shares) {
    if (policy_) return policy_->Weigh(x.first(features_), shares);
    std::fill(shares.begin(), shares.end(), fixed_ ? 0 : 1 / static_cast<double>(arms_));
    if (fixed_) shares[*fixed_] = 1;
  }

 private:
  bool known_ = false;
  size_t arms_ = 0;
  size_t learned_ = 0;
  size_t features_ = 0;
  std::optional<size_t> fixed_;
  std::unique_ptr<learn::Policy> policy_;
};

}  // namespace

Result<OffPolicyReport> EvaluateOffPolicy(const Arguments& arguments) {
  HR_ASSIGN(const double clip, ShareFlag(arguments, "--clip", "1e9", kLargest));
  HR_ASSIGN(const Choices choices, ReadChoices(arguments));
  HR_ASSIGN(Target target, Target::Make(arguments, choices));
  const size_t arms = choices.arms.size();
  if (learn::ArmLines::Cells(arms, choices.features) > learn::ArmLines::kCellsMax) {
    return Error(ErrorKind::kInvalidArgument, "HR3046", "too many arms and features")
        .WithHint("arms * (features + 1)^2 may be 2097152");
  }
  // The model of rewards: lines by arm, fitted to each second row for the rows between.
  learn::ArmLines::Options lines;
  lines.rule = learn::ArmLines::Rule::kGreedy;
  learn::ArmLines models[2] = {{arms, choices.features, lines}, {arms, choices.features, lines}};
  const size_t first = target.learned();
  for (size_t i = first; target.known() && i < choices.rows(); ++i)
    models[i % 2].Learn({choices.arm[i], choices.row(i), choices.reward[i], 1});
  OffPolicyReport report;
  report.estimates = learn::OffPolicy(clip);
  report.arms = arms;
  report.learned_rows = first;
  report.robust = target.known();
  std::vector<double> shares(arms);
  std::vector<double> means(arms);
  for (size_t i = first; i < choices.rows(); ++i) {
    learn::OffPolicy::Row row{choices.reward[i], choices.propensity[i], 0, 0, 0};
    if (target.known()) {
      models[1 - i % 2].Weigh(choices.row(i), shares, means);
      target.Weigh(choices.row(i), shares);
      row.share = shares[choices.arm[i]];
      row.predicted = means[choices.arm[i]];
      row.expected = std::inner_product(shares.begin(), shares.end(), means.begin(), 0.0);
    } else {
      row.share = choices.share[i];
    }
    report.estimates.Add(row);
  }
  return report;
}

}  // namespace headrace::cli
