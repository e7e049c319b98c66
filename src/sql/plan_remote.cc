// CREATE MODEL name INPUT (...) OUTPUT (...) WITH (url = ...): a model that another program runs.

#include <charconv>
#include <cmath>
#include <set>

#include "document/json.h"
#include "sql/plan_support.h"

namespace headrace::sql {
namespace {

const std::vector<std::string> kOptions = {
    "url",         "timeout",          "default",       "queue", "when_full",
    "connections", "breaker_failures", "breaker_pause", "tensor"};

std::optional<model::RemoteType> RemoteTypeOf(row::Type type) {
  switch (type.kind) {
    case row::TypeKind::kBoolean:
      return model::RemoteType::kBoolean;
    case row::TypeKind::kInteger:
      return model::RemoteType::kInteger;
    case row::TypeKind::kBigint:
      return model::RemoteType::kBigint;
    case row::TypeKind::kDouble:
      return model::RemoteType::kDouble;
    case row::TypeKind::kText:
      return model::RemoteType::kText;
    default:
      return {};
  }
}

// The value as the output's type; nothing where it does not fit.
std::optional<model::RemoteValue> DefaultOf(const document::Value& value, row::Type type) {
  if (const std::string* text = value.text()) {
    return type.kind == row::TypeKind::kText ? std::optional<model::RemoteValue>(*text)
                                             : std::nullopt;
  }
  const bool* flag = value.boolean();
  const double* number = value.number();
  const bool nested =
      value.array() != nullptr || value.numbers() != nullptr || value.object() != nullptr;
  if (flag == nullptr && number == nullptr && !nested) return model::RemoteValue();
  if (type.kind == row::TypeKind::kBoolean) {
    return flag != nullptr ? std::optional<model::RemoteValue>(*flag) : std::nullopt;
  }
  if (number == nullptr) return {};
  if (type.kind == row::TypeKind::kText || !std::isfinite(*number)) return {};
  if (type.kind == row::TypeKind::kDouble) return model::RemoteValue(*number);
  constexpr double kExact = 9007199254740992.0;
  const bool whole = std::trunc(*number) == *number && std::abs(*number) <= kExact;
  const auto integer = whole ? static_cast<int64_t>(*number) : 0;
  if (!whole || !row::FitsInteger(integer, type)) return {};
  return model::RemoteValue(integer);
}

class RemotePlanner {
 public:
  RemotePlanner(const CreateModel& create, std::vector<Diagnostic>& diagnostics)
      : create_(create), diagnostics_(diagnostics), plan_(std::make_shared<flow::RemotePlan>()) {}

  std::shared_ptr<const flow::RemotePlan> Run() {
    const size_t before = diagnostics_.size();
    plan_->name = create_.name.name;
    AddColumns(create_.remote->inputs, plan_->inputs, plan_->signature.inputs);
    AddColumns(create_.remote->outputs, plan_->outputs, plan_->signature.outputs);
    CheckOptions(create_.options, kOptions, diagnostics_);
    SetUrl();
    SetInterval("timeout", kTimeoutMsMax, &plan_->timeout_ms);
    SetInterval("breaker_pause", kTimeoutMsMax, &plan_->breaker_pause_ms);
    SetNumber("queue", 1, kQueueMax, &plan_->queue);
    SetNumber("connections", 1, kConnectionsMax, &plan_->connections);
    SetNumber("breaker_failures", 0, kFailuresMax, &plan_->breaker_failures);
    SetWhenFull();
    SetTensor();
    if (diagnostics_.size() == before) SetDefault();
    return diagnostics_.size() == before ? plan_ : nullptr;
  }

 private:
  static constexpr int64_t kTimeoutMsMax = 600'000;
  static constexpr int64_t kQueueMax = 100'000;
  static constexpr int64_t kConnectionsMax = 64;
  static constexpr int64_t kFailuresMax = 1'000'000;

  void AddColumns(const std::vector<ModelColumn>& given, std::vector<row::Column>& columns,
                  std::vector<model::RemoteColumn>& signature) {
    std::set<std::string> names;
    for (const ModelColumn& column : given) {
      if (!names.insert(column.name.name).second) {
        Complain(diagnostics_, "HR1117", "`" + column.name.name + "` stands twice",
                 column.name.span);
      }
      // On its way alone: here it is a double.
      const bool real = column.type.name == "real" && column.type.array_dimensions == 0;
      const std::optional<row::Type> type =
          real ? row::Type{row::TypeKind::kDouble, 0, 0} : ToRowType(column.type);
      std::optional<model::RemoteType> remote = type ? RemoteTypeOf(*type) : std::nullopt;
      if (real) remote = model::RemoteType::kReal;
      if (!remote) {
        Complain(diagnostics_, "HR1231",
                 "a remote model cannot take or give a " + ToString(column.type), column.type.span)
            .hint = "BOOLEAN, INTEGER, BIGINT, REAL, DOUBLE PRECISION and TEXT can be sent";
        continue;
      }
      columns.push_back({column.name.name, *type, false});
      signature.push_back({column.name.name, *remote});
    }
    if (given.size() <= model::kRemoteColumnsMax) return;
    Complain(diagnostics_, "HR1231", "a remote model has at most 1000 inputs and outputs",
             create_.name.span);
  }

  void SetUrl() {
    const Option* url = FindOption(create_.options, "url");
    if (url == nullptr) {
      Complain(diagnostics_, "HR1230", "a remote model needs WITH (url = '...')", create_.name.span)
          .hint = "write url = 'http://HOST:PORT/v2/models/NAME'";
      return;
    }
    Result<model::RemoteAddress> address = model::RemoteAddress::Parse(url->value);
    if (!address.ok()) {
      Complain(diagnostics_, address.error().code(), address.error().message(), url->value_span)
          .hint = address.error().hint();
      return;
    }
    plan_->address = std::move(address).value();
    plan_->url = url->value;
  }

  void ComplainOf(const Option& option, const std::string& hint) {
    Complain(diagnostics_, "HR1230",
             option.key.name + " = '" + option.value + "' is not understood", option.value_span)
        .hint = hint;
  }

  void SetInterval(std::string_view name, int64_t most, int64_t* to) {
    const Option* option = FindOption(create_.options, name);
    if (option == nullptr) return;
    const std::optional<int64_t> value = ParseMilliseconds(option->value);
    if (!value || *value > most) {
      return ComplainOf(*option, option->key.name +
                                     " = '200 milliseconds': an interval of a millisecond to ten "
                                     "minutes");
    }
    *to = *value;
  }

  void SetNumber(std::string_view name, int64_t least, int64_t most, int64_t* to) {
    const Option* option = FindOption(create_.options, name);
    if (option == nullptr) return;
    const std::string& text = option->value;
    int64_t value = -1;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool read = error == std::errc() && end == text.data() + text.size();
    if (!read || value < least || value > most) {
      return ComplainOf(
          *option, "a whole number of " + std::to_string(least) + " to " + std::to_string(most));
    }
    *to = value;
  }

  void SetWhenFull() {
    const Option* option = FindOption(create_.options, "when_full");
    if (option == nullptr) return;
    using WhenFull = flow::RemotePlan::WhenFull;
    if (option->value != "wait" && option->value != "default") {
      return ComplainOf(*option, "'wait': events wait; 'default': the row gets the default value");
    }
    plan_->when_full = option->value == "wait" ? WhenFull::kWait : WhenFull::kDefault;
  }

  void SetTensor() {
    const Option* option = FindOption(create_.options, "tensor");
    if (option == nullptr) return;
    for (const model::RemoteColumn& input : plan_->signature.inputs) {
      if (input.type == plan_->signature.inputs.front().type) continue;
      return ComplainOf(*option, "inputs that go in one tensor have one type");
    }
    if (option->value.empty()) return ComplainOf(*option, "the name of the model's input");
    plan_->signature.tensor = option->value;
  }

  // A value, or with several outputs a JSON array of one for each.
  void SetDefault() {
    const Option* option = FindOption(create_.options, "default");
    if (option == nullptr) return;
    const bool one = plan_->outputs.size() == 1;
    if (one && plan_->outputs[0].type.kind == row::TypeKind::kText) {
      plan_->defaults.emplace_back(option->value);
      return;
    }
    // A number beside other things in an array stands as a value of its own.
    const std::string text = "[" + (one ? option->value : Unwrapped(option->value)) + ",\"\"]";
    const auto parsed = document::ParseJson(text, document::NumberWidth::kFloat64);
    const document::Value::Array* values = parsed.ok() ? parsed->array() : nullptr;
    bool good = values != nullptr && values->size() == plan_->outputs.size() + 1;
    for (size_t i = 0; good && i < plan_->outputs.size(); ++i) {
      std::optional<model::RemoteValue> value = DefaultOf((*values)[i], plan_->outputs[i].type);
      good = value.has_value();
      if (good) plan_->defaults.push_back(std::move(*value));
    }
    if (good) return;
    Complain(diagnostics_, "HR1232",
             "default = '" + option->value + "' does not fit the outputs of `" + plan_->name + "`",
             option->value_span)
        .hint = one ? "a value of the output's type"
                    : "a JSON array with a value for each output, such as '[0.5, \"none\"]'";
  }

  // Without the brackets of an array.
  static std::string Unwrapped(const std::string& text) {
    const size_t begin = text.find('[');
    const size_t end = text.rfind(']');
    const bool array = begin != std::string::npos && end != std::string::npos && begin < end;
    return array ? text.substr(begin + 1, end - begin - 1) : text;
  }

  const CreateModel& create_;
  std::vector<Diagnostic>& diagnostics_;
  std::shared_ptr<flow::RemotePlan> plan_;
};

}  // namespace

std::shared_ptr<const flow::RemotePlan> Planner::PlanRemote(const CreateModel& create) const {
  return RemotePlanner(create, diagnostics_).Run();
}

}  // namespace headrace::sql
