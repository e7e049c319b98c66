#include "learn/learner.h"

#include <algorithm>
#include <cmath>

#include "learn/learner_options.h"
#include "learn/learner_table.h"

namespace headrace::learn {
namespace {

constexpr uint8_t kVersion = 1;
constexpr double kLabelMax = 1e150;  // as of inputs: sums of them stay numbers

Error UnknownKind(const std::string& kind) {
  std::string list;
  for (const std::string& known : LearnerKinds())
    list += (list.empty() ? "" : ", ") + known;
  return Error(ErrorKind::kInvalidArgument, "HR3080", "there is no learner `" + kind + "`")
      .WithHint("the learners: " + list);
}

LabelKind LabelOf(const LearnerKind& kind) {
  if (kind.make_unlabelled != nullptr) return LabelKind::kNone;
  return kind.make_regressor != nullptr ? LabelKind::kNumber : LabelKind::kInteger;
}

Status CheckLabel(const LearnerKind& kind, LabelKind given) {
  const LabelKind wanted = LabelOf(kind);
  if (wanted == (given == LabelKind::kText ? LabelKind::kInteger : given)) return Ok();
  const bool none = wanted == LabelKind::kNone;
  const bool estimates = wanted == LabelKind::kNumber;
  return Error(ErrorKind::kInvalidArgument, "HR3083",
               "`" + std::string(kind.name) + "` learns " +
                   (none        ? "without labels"
                    : estimates ? "numbers"
                                : "classes"))
      .WithHint(none        ? "leave LABEL out"
                : estimates ? "declare LABEL (name DOUBLE PRECISION)"
                            : "declare LABEL (name BIGINT), TEXT or BOOLEAN");
}

Status CheckFeatures(const LearnerKind& kind, size_t given) {
  if (kind.features > 0 && given != kind.features) {
    return Error(ErrorKind::kInvalidArgument, "HR3084",
                 "`" + std::string(kind.name) + "` takes " + std::to_string(kind.features) +
                     " inputs, not " + std::to_string(given))
        .WithHint("they are the numbers of a user and of an item");
  }
  if (given >= 1 && given <= kFeaturesMax) return Ok();
  return Error(ErrorKind::kInvalidArgument, "HR3084",
               "a learner takes 1 to " + std::to_string(kFeaturesMax) + " inputs, not " +
                   std::to_string(given));
}

}  // namespace

LearnerShape ShapeOf(std::string_view kind) {
  const LearnerKind* known = FindLearnerKind(kind);
  return known == nullptr ? LearnerShape{} : LearnerShape{LabelOf(*known), known->features};
}

std::vector<std::string> LearnerKinds() {
  std::vector<std::string> kinds;
  for (const LearnerKind& kind : AllLearnerKinds())
    kinds.emplace_back(kind.name);
  return kinds;
}

std::vector<std::string> LearnerOptions(std::string_view kind) {
  std::vector<std::string> names;
  if (const LearnerKind* known = FindLearnerKind(kind); known != nullptr)
    for (const OptionRule& rule : known->rules)
      names.emplace_back(rule.name);
  std::sort(names.begin(), names.end());
  return names;
}

Learner::~Learner() = default;

Result<std::unique_ptr<Learner>> Learner::Make(const LearnerSpec& spec) {
  const LearnerKind* kind = FindLearnerKind(spec.kind);
  if (kind == nullptr) return UnknownKind(spec.kind);
  HR_ASSIGN(OptionValues options, OptionValues::Read(kind->rules, spec.options));
  HR_TRY(CheckLabel(*kind, spec.label));
  HR_TRY(CheckFeatures(*kind, spec.features));
  auto learner = std::unique_ptr<Learner>(new Learner(spec.label));
  if (kind->make_unlabelled != nullptr) {
    learner->unlabelled_ = kind->make_unlabelled(spec.features, options);
    learner->groups_ = kind->groups;
    return learner;
  }
  if (kind->make_regressor != nullptr) {
    learner->regressor_ = kind->make_regressor(spec.features, options);
    return learner;
  }
  learner->classifier_ = kind->make_classifier(spec.features, options);
  learner->probability_ = options.Number("output") == 1;
  if (learner->probability_ && spec.label == LabelKind::kText) {
    return Error(ErrorKind::kInvalidArgument, "HR3083",
                 "the probability that is asked for is that of the class 1 or TRUE")
        .WithHint("declare LABEL (name BIGINT) or BOOLEAN, or leave `output` out");
  }
  return learner;
}

LabelKind Learner::answers() const {
  if (unlabelled_ != nullptr) return groups_ ? LabelKind::kInteger : LabelKind::kNumber;
  return probability_ ? LabelKind::kNumber : label_;
}

int Learner::ClassOf(const Label& label) {
  if (label.text.size() > kLabelBytesMax) return -1;
  ClassName name = label.integer;
  if (label_ == LabelKind::kText) name = std::string(label.text);
  const auto known = numbers_.find(name);
  if (known != numbers_.end()) return static_cast<int>(known->second);
  if (names_.size() == kClassesMax) return -1;
  numbers_[name] = names_.size();
  names_.push_back(std::move(name));
  return static_cast<int>(names_.size() - 1);
}

std::optional<Label> Learner::AnswerFrom(const Votes& votes) const {
  Label answer;
  const int best = MostVotes(votes);
  if (best < 0 || static_cast<size_t>(best) >= names_.size()) return {};
  if (probability_) {
    const auto one = numbers_.find(ClassName(int64_t{1}));
    const bool voted = one != numbers_.end() && one->second < votes.size();
    // While one class is known, what it does not have is that of the other.
    answer.number = voted ? votes[one->second] : votes.size() == 1 ? 1 - votes[0] : 0;
    return answer;
  }
  const ClassName& name = names_[static_cast<size_t>(best)];
  if (const auto* integer = std::get_if<int64_t>(&name)) answer.integer = *integer;
  if (const auto* text = std::get_if<std::string>(&name)) answer.text = *text;
  return answer;
}

std::optional<Label> Learner::Ask(Features x) {
  if (learned_ == 0) return {};
  if (unlabelled_ != nullptr) {
    const std::optional<double> answer = unlabelled_->Answer(x);
    if (!answer) return {};
    return groups_ ? Label{static_cast<int64_t>(*answer), 0, {}} : Label{0, *answer, {}};
  }
  if (regressor_ != nullptr) return Label{0, regressor_->Estimate(x), {}};
  classifier_->Vote(x, votes_);
  return AnswerFrom(votes_);
}

std::optional<Label> Learner::Learn(Features x, const Label& label) {
  if (unlabelled_ != nullptr) {
    const std::optional<Label> answer = Ask(x);
    unlabelled_->Learn(x);
    ++learned_;
    return answer;
  }
  if (regressor_ != nullptr) {
    const std::optional<Label> answer = Ask(x);
    if (!(std::abs(label.number) < kLabelMax)) return answer;
    regressor_->Learn(x, label.number);
    ++learned_;
    return answer;
  }
  const int number = ClassOf(label);
  if (number < 0) return Ask(x);
  classifier_->Learn(x, static_cast<size_t>(number), votes_);
  return learned_++ == 0 ? std::nullopt : AnswerFrom(votes_);
}

void Learner::Save(base::ByteWriter& writer) const {
  writer.U8(kVersion);
  writer.Varint(learned_);
  writer.Varint(names_.size());
  for (const ClassName& name : names_) {
    if (const auto* text = std::get_if<std::string>(&name))
      writer.String(*text);
    else
      writer.Zigzag(std::get<int64_t>(name));
  }
  if (classifier_ != nullptr) classifier_->Save(writer);
  if (regressor_ != nullptr) regressor_->Save(writer);
  if (unlabelled_ != nullptr) unlabelled_->Save(writer);
}

bool Learner::LoadNames(base::ByteReader& reader) {
  const uint64_t count = reader.Varint();
  if (count > kClassesMax) return false;
  for (uint64_t i = 0; i < count; ++i) {
    ClassName name;
    if (label_ == LabelKind::kText) {
      const std::string_view text = reader.String();
      if (text.size() > kLabelBytesMax) return false;
      name = std::string(text);
    } else {
      name = reader.Zigzag();
    }
    if (!reader.ok() || !numbers_.emplace(name, i).second) return false;
    names_.push_back(std::move(name));
  }
  return true;
}

bool Learner::Load(base::ByteReader& reader) {
  if (reader.U8() != kVersion) return false;
  learned_ = reader.Varint();
  if (!LoadNames(reader)) return false;
  if (regressor_ != nullptr) return regressor_->Load(reader);
  if (unlabelled_ != nullptr) return unlabelled_->Load(reader);
  return classifier_->Load(reader);
}

size_t Learner::memory() const {
  const size_t bytes = sizeof *this + (classifier_  ? classifier_->memory()
                                       : regressor_ ? regressor_->memory()
                                                    : unlabelled_->memory());
  constexpr size_t kNameBytes = 2 * (sizeof(ClassName) + 48);
  return bytes + names_.size() * kNameBytes;
}

}  // namespace headrace::learn
