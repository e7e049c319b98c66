#include "flow/running_functions.h"

#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "flow/select_node.h"
#include "headrace/check.h"
#include "learn/adwin.h"
#include "row/text.h"

namespace headrace::flow {
namespace {

using Constants = std::span<const double>;
using Types = std::span<const row::Type>;
using Function = std::unique_ptr<state::RunningFunction>;

constexpr row::Type kTruth{row::TypeKind::kBoolean, 0, 0};
constexpr double kLargest = 1e150;

// The number a row gives, or nothing when it is to be passed over.
std::optional<double> NumberOf(const row::Value& value, row::Type type) {
  static const std::vector<std::string> kNoCategories;
  const double number = FeatureOf(value, type, kNoCategories);
  if (!(std::abs(number) < kLargest)) return {};
  return number;
}

// A detector of changes in a series: true at the row that shows one.
template <typename Detector>
class ChangeFunction final : public state::RunningFunction {
 public:
  ChangeFunction(const typename Detector::Options& options, row::Type type)
      : detector_(options), type_(type) {}

  row::Value Step(const row::Value* arguments, base::Arena&) override {
    const std::optional<double> number = NumberOf(arguments[0], type_);
    return number ? row::Value::Boolean(detector_.Add(*number)) : row::Value::Null();
  }
  void Save(base::ByteWriter& writer) const override { detector_.Save(writer); }
  bool Load(base::ByteReader& reader) override { return detector_.Load(reader); }
  size_t bytes() const override { return sizeof *this + detector_.memory(); }

 private:
  Detector detector_;
  row::Type type_;
};

constexpr double kMany = 1e9;  // rows a constant may count

constexpr RunningParameter kAdwin[] = {
    {.name = "delta", .standard = 0.002, .least = 0, .most = 1, .inside = true},
    {.name = "clock", .standard = 32, .least = 1, .most = kMany, .whole = true},
    {.name = "min_window_length", .standard = 5, .least = 1, .most = kMany, .whole = true},
    {.name = "grace_period", .standard = 10, .least = 1, .most = kMany, .whole = true},
};
Function MakeAdwin(Constants c, Types types) {
  return std::make_unique<ChangeFunction<learn::Adwin>>(
      learn::Adwin::Options{c[0], static_cast<int32_t>(c[1]), static_cast<int32_t>(c[2]),
                            static_cast<int32_t>(c[3])},
      types[0]);
}

constexpr auto kEntries = std::to_array<RunningEntry>({
    {"adwin", 1, kAdwin, kTruth, MakeAdwin},
});

}  // namespace

std::string RunningEntry::Signature() const {
  std::string text = std::string(name) + "(value";
  for (size_t i = 1; i < values; ++i)
    text += ", value";
  for (const RunningParameter& parameter : parameters)
    text += ", " + std::string(parameter.name);
  return text + ")";
}

const RunningEntry* FindRunningFunction(std::string_view name) {
  for (const RunningEntry& entry : kEntries) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::vector<std::string> RunningFunctionNames() {
  std::vector<std::string> names;
  for (const RunningEntry& entry : kEntries)
    names.emplace_back(entry.name);
  return names;
}

state::RunningCall MakeRunningCall(const RunningEntry& entry, std::vector<double> constants,
                                   std::vector<row::Type> types) {
  HR_CHECK(constants.size() == entry.parameters.size() && types.size() == entry.values);
  state::RunningCall call;
  call.definition = std::string(entry.name) + "(";
  for (size_t i = 0; i < constants.size(); ++i) {
    if (i > 0) call.definition += ",";
    row::AppendText(row::Value::Double(constants[i]), {row::TypeKind::kDouble, 0, 0},
                    call.definition);
  }
  call.definition += ")";
  call.argument_types = types;
  call.result_type = entry.result;
  call.make = [make = entry.make, constants = std::move(constants), types = std::move(types)] {
    return make(constants, types);
  };
  return call;
}

}  // namespace headrace::flow
