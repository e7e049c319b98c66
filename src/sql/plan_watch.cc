// WITH (watch = off, watch_window = '1 day', ...) of CREATE MODEL.

#include <charconv>
#include <cmath>

#include "row/interval.h"
#include "sql/plan_support.h"

namespace headrace::sql {
namespace {

constexpr int64_t kWindowMin = 60'000'000;              // microseconds: a minute
constexpr int64_t kWindowMax = 3'660 * 86'400'000'000;  // ten years
constexpr int64_t kRowsMax = 1'000'000'000;

template <typename Number>
bool Read(const std::string& text, Number* number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), *number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

bool ReadWindow(const std::string& text, int64_t* window) {
  Result<row::Interval> interval = row::ParseInterval(text);
  if (!interval.ok() || interval->months != 0) return false;
  const row::Int128 micros = row::IntervalSpan(*interval);
  if (micros < kWindowMin || micros > kWindowMax) return false;
  *window = static_cast<int64_t>(micros);
  return true;
}

bool ReadRows(const std::string& text, int64_t least, int64_t* rows) {
  return Read(text, rows) && *rows >= least && *rows <= kRowsMax;
}

bool ReadThreshold(const std::string& text, double* threshold) {
  return Read(text, threshold) && std::isfinite(*threshold) && *threshold >= 0;
}

}  // namespace

std::optional<flow::WatchOptions> PlanWatch(const std::vector<Option>& options,
                                            std::vector<Diagnostic>& diagnostics) {
  flow::WatchOptions watch;
  bool on = true;
  const auto take = [&](std::string_view key, std::string_view wanted, auto read) {
    const Option* option = FindOption(options, key);
    if (option == nullptr || read(option->value)) return;
    Complain(diagnostics, "HR1278",
             std::string(key) + " = '" + option->value + "': it takes " + std::string(wanted),
             option->value_span);
  };
  take("watch", "on or off", [&](const std::string& text) {
    on = text != "off" && text != "false";
    return !on || text == "on" || text == "true";
  });
  take("watch_window", "an interval from a minute to ten years, without months",
       [&](const std::string& text) { return ReadWindow(text, &watch.window); });
  take("watch_rows", "a whole number of rows from 100",
       [&](const std::string& text) { return ReadRows(text, 100, &watch.rows); });
  take("watch_baseline_rows", "a whole number of rows from 100",
       [&](const std::string& text) { return ReadRows(text, 100, &watch.baseline_rows); });
  take("watch_psi", "a number from 0",
       [&](const std::string& text) { return ReadThreshold(text, &watch.psi); });
  take("watch_nulls", "a share from 0",
       [&](const std::string& text) { return ReadThreshold(text, &watch.nulls); });
  take("watch_range", "a share from 0",
       [&](const std::string& text) { return ReadThreshold(text, &watch.range); });
  return on ? std::optional(watch) : std::nullopt;
}

}  // namespace headrace::sql
