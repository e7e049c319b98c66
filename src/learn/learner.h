#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "headrace/result.h"
#include "learn/classifier.h"
#include "learn/regressor.h"
#include "learn/unlabelled.h"

namespace headrace::learn {

// What the examples of a learner are labelled with.
enum class LabelKind : uint8_t {
  kInteger,  // a class named by a whole number
  kText,     // a class named by a text
  kNumber,   // a number to be estimated
  kNone,     // they have none
};

// A learner as a user declares it. Options are name and value as written: `grace_period`, `200`.
struct LearnerSpec {
  std::string kind;
  size_t features = 0;
  LabelKind label = LabelKind::kText;
  std::vector<std::pair<std::string, std::string>> options;
};

// A label, or an answer: the member that its kind names. The text lives as long as the learner.
struct Label {
  int64_t integer = 0;
  double number = 0;
  std::string_view text;
};

// One of the learners there are, between labels as users know them and classes by number. The same
// specification and the same examples give the same answers and the same saved bytes on every
// machine. Memory is bounded by the option memory_mb where there is one, otherwise by features and
// classes. Confined.
class Learner {
 public:
  static constexpr size_t kLabelBytesMax = 1000;

  // Errors: HR3080 (no such learner), HR3081 (no such option), HR3082 (a value outside its range),
  // HR3083 (the learner does not take such labels), HR3084 (too few or too many features).
  static Result<std::unique_ptr<Learner>> Make(const LearnerSpec& spec);
  ~Learner();

  // What it says, or nothing as long as it knows nothing.
  std::optional<Label> Ask(Features x);
  // Takes an example, whose label is not looked at when there is to be none; gives what Ask would
  // have said before. A class beyond the 1,000th, a text
  // above kLabelBytesMax and a number beyond 1e150 are asked about, but not learned.
  std::optional<Label> Learn(Features x, const Label& label);

  // What an answer's member is: a class, or a number (an estimate, a score, the probability of
  // class 1), or the whole number of a group.
  LabelKind answers() const;

  // With a version in front. Load goes into one that was just made from the same specification.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);
  size_t memory() const;

 private:
  using ClassName = std::variant<int64_t, std::string>;

  explicit Learner(LabelKind label) : label_(label) {}
  // Below 0: it cannot be learned.
  int ClassOf(const Label& label);
  std::optional<Label> AnswerFrom(const Votes& votes) const;
  bool LoadNames(base::ByteReader& reader);

  LabelKind label_;
  bool probability_ = false;
  bool groups_ = false;
  std::unique_ptr<Classifier> classifier_;  // one of the three
  std::unique_ptr<Regressor> regressor_;
  std::unique_ptr<Unlabelled> unlabelled_;
  std::vector<ClassName> names_;  // of the classes, by number
  std::map<ClassName, size_t> numbers_;
  Votes votes_;
  uint64_t learned_ = 0;
};

// What a kind learns from: the label that it takes (of classes the one named by numbers), and how
// many features; 0: any number of them.
struct LearnerShape {
  LabelKind label = LabelKind::kInteger;
  size_t features = 0;
};
LearnerShape ShapeOf(std::string_view kind);

// Their names, ascending.
std::vector<std::string> LearnerKinds();
// The options that a kind has, ascending; none when there is no such kind.
std::vector<std::string> LearnerOptions(std::string_view kind);

}  // namespace headrace::learn
