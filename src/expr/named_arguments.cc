// Arguments by name: make_interval(days => 1).
#include <algorithm>
#include <array>
#include <string>

#include "expr/node.h"

namespace headrace::expr {
namespace {

constexpr size_t kMaxNames = 7;

struct Signature {
  std::string_view function;
  std::array<std::string_view, kMaxNames> names;  // empty behind the last
  size_t required = 0;                            // the others have defaults
  // The text of the default of each argument behind the required ones.
  std::string_view missing = {};
};

constexpr auto kSignatures = std::to_array<Signature>({
    {"make_interval", {"years", "months", "weeks", "days", "hours", "mins", "secs"}, 0, "0"},
    {"make_date", {"year", "month", "day"}, 3},
    {"make_time", {"hour", "min", "sec"}, 3},
    {"make_timestamp", {"year", "month", "mday", "hour", "min", "sec"}, 6},
    {"make_timestamptz", {"year", "month", "mday", "hour", "min", "sec"}, 6},
    {"jsonb_set", {"jsonb_in", "path", "replacement", "create_if_missing"}, 3, "true"},
});

Error BadArguments(const Signature& signature, std::string message) {
  std::string hint = "the arguments of " + std::string(signature.function) + " are ";
  for (size_t i = 0; i < kMaxNames && !signature.names[i].empty(); ++i) {
    hint += (i == 0 ? "" : ", ") + std::string(signature.names[i]);
  }
  return TypeError(std::move(message)).WithHint(std::move(hint));
}

size_t CountOf(const Signature& signature) {
  const auto* end = std::ranges::find(signature.names, std::string_view());
  return static_cast<size_t>(end - signature.names.begin());
}

}  // namespace

Result<std::vector<ExprPtr>> ArrangeArguments(std::string_view function,
                                              std::vector<ExprPtr> arguments,
                                              const std::vector<std::string>& names) {
  if (names.empty()) return arguments;
  const auto* signature = std::ranges::find(kSignatures, function, &Signature::function);
  if (signature == kSignatures.end()) {
    return TypeError(std::string(function) + " does not take arguments by name")
        .WithHint("give them by position");
  }
  const size_t count = CountOf(*signature);
  std::vector<ExprPtr> arranged(count);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const auto* found = std::ranges::find(signature->names, std::string_view(names[i]));
    const size_t at = names[i].empty() ? i : static_cast<size_t>(found - signature->names.begin());
    if (at >= count) return BadArguments(*signature, "no argument `" + names[i] + "`");
    if (arranged[at] != nullptr) {
      return BadArguments(
          *signature, "the argument `" + std::string(signature->names[at]) + "` is given twice");
    }
    arranged[at] = std::move(arguments[i]);
  }
  for (size_t at = 0; at < count; ++at) {
    if (arranged[at] != nullptr) continue;
    if (at < signature->required) {
      return BadArguments(*signature,
                          "the argument `" + std::string(signature->names[at]) + "` is missing");
    }
    arranged[at] = Literal(Value::Text(signature->missing), kUnknown);
  }
  return arranged;
}

}  // namespace headrace::expr
