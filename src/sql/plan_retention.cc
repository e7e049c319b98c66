// WITH (retention = '7 days', retention_bytes = '10 GB'), or Kafka's names for the same.

#include <charconv>

#include "row/interval.h"
#include "sql/plan_support.h"

namespace headrace::sql {
namespace {

constexpr int64_t kMicrosPerMilli = 1000;

// A whole number from `from` on; -1 keeps for good, as Kafka has it.
std::optional<int64_t> WholeNumber(std::string_view text, std::string_view* rest) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < -1) return {};
  *rest = text.substr(static_cast<size_t>(end - text.data()));
  return value;
}

// '10 GB': powers of 1024, as pg_size_bytes has them.
std::optional<int64_t> Size(std::string_view text) {
  std::string_view unit;
  std::optional<int64_t> value = WholeNumber(text, &unit);
  if (!value) return {};
  while (unit.starts_with(' '))
    unit.remove_prefix(1);
  int shift = 0;
  for (std::string_view name : {"", "kB", "MB", "GB", "TB"}) {
    if (unit == name || (shift == 0 && unit == "B")) {
      bool fits = *value <= (INT64_MAX >> shift) && (*value >= 0 || shift == 0);
      return fits ? std::optional(*value << shift) : std::nullopt;
    }
    shift += 10;
  }
  return {};
}

std::optional<int64_t> PlainNumber(std::string_view text) {
  std::string_view rest;
  std::optional<int64_t> value = WholeNumber(text, &rest);
  return rest.empty() ? value : std::nullopt;
}

}  // namespace

std::optional<int64_t> ParseMilliseconds(std::string_view text) {
  Result<row::Interval> interval = row::ParseInterval(text);
  if (!interval.ok()) return {};
  row::Int128 micros = row::IntervalSpan(*interval);
  if (micros < kMicrosPerMilli || micros > INT64_MAX) return {};
  return static_cast<int64_t>(micros) / kMicrosPerMilli;
}

flow::Retention PlanRetention(const std::vector<Option>& options,
                              std::vector<Diagnostic>& diagnostics) {
  flow::Retention retention;
  const Option* time = FindOption(options, "retention");
  const Option* kafka_time = FindOption(options, "retention.ms");
  const Option* size = FindOption(options, "retention_bytes");
  const Option* kafka_size = FindOption(options, "retention.bytes");
  if ((time != nullptr && kafka_time != nullptr) || (size != nullptr && kafka_size != nullptr)) {
    const Option* second = time != nullptr && kafka_time != nullptr ? kafka_time : kafka_size;
    Complain(diagnostics, "HR1138",
             "`" + second->key.name + "` says again what another option says", second->key.span)
        .hint = "retention is retention.ms, and retention_bytes is retention.bytes";
    return retention;
  }
  auto take = [&](const Option* option, std::optional<int64_t> (*read)(std::string_view),
                  const std::string& hint, int64_t* to) {
    if (option == nullptr) return;
    std::optional<int64_t> value = read(option->value);
    if (value) {
      *to = *value;
    } else {
      Complain(diagnostics, "HR1139",
               option->key.name + " = '" + option->value + "' is not understood",
               option->value_span)
          .hint = hint;
    }
  };
  take(time, ParseMilliseconds, "retention = '7 days': an interval of a millisecond and more",
       &retention.ms);
  take(kafka_time, PlainNumber, "retention.ms = 604800000; -1 keeps for good", &retention.ms);
  take(size, Size, "retention_bytes = '10 GB': a whole number of B, kB, MB, GB, TB",
       &retention.bytes);
  take(kafka_size, PlainNumber, "retention.bytes = 1073741824; -1 keeps for good",
       &retention.bytes);
  return retention;
}

}  // namespace headrace::sql
