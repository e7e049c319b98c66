#include "cli/demo/decision_meter.h"

namespace headrace::cli {
namespace {

// The text of a member that holds a plain string, or nothing.
std::string_view StringMember(std::string_view row, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":\"";
  const size_t at = row.find(key);
  if (at == std::string_view::npos) return {};
  const size_t begin = at + key.size();
  const size_t end = row.find('"', begin);
  return end == std::string_view::npos ? std::string_view() : row.substr(begin, end - begin);
}

}  // namespace

void DecisionMeter::Take(std::string_view row, uint64_t nanoseconds) {
  latency_.Record(nanoseconds);
  const std::string_view decision = StringMember(row, "decision");
  for (size_t kind = 0; kind < kKinds.size(); ++kind) {
    if (decision != kKinds[kind]) continue;
    ++counts_[kind];
    newest_[kind] = StringMember(row, "_id");
  }
}

std::string DurationText(uint64_t nanoseconds) {
  const uint64_t micros = (nanoseconds + 500) / 1000;
  if (micros < 1000) return std::to_string(micros) + " us";
  const uint64_t tenths = (micros + 50) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

std::string CountText(uint64_t count) {
  std::string text = std::to_string(count);
  for (size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

}  // namespace headrace::cli
