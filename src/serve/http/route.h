#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/result.h"

namespace headrace::serve {

enum class RouteKind : uint8_t {
  kIndex,
  kEvents,
  kSql,
  kStreams,
  kRows,
  kView,
  kDecision,
  kModel,
  kLive,
  kReady,
  kStartup,
  kMetrics,
  kInferenceServer,
  kInferenceHealth,
  kInferenceIndex,
  kInferenceModel,
  kInferenceReady,
  kInfer,
  kMlflow,
  kUnknown,
};

// The path with its variable parts in braces: a bounded set, for metrics and the index.
std::string_view PathTemplate(RouteKind kind);
inline constexpr RouteKind kAllRoutes[] = {
    RouteKind::kIndex,
    RouteKind::kEvents,
    RouteKind::kSql,
    RouteKind::kStreams,
    RouteKind::kRows,
    RouteKind::kView,
    RouteKind::kDecision,
    RouteKind::kModel,
    RouteKind::kLive,
    RouteKind::kReady,
    RouteKind::kStartup,
    RouteKind::kMetrics,
    RouteKind::kInferenceServer,
    RouteKind::kInferenceHealth,
    RouteKind::kInferenceIndex,
    RouteKind::kInferenceModel,
    RouteKind::kInferenceReady,
    RouteKind::kInfer,
    RouteKind::kMlflow,
    RouteKind::kUnknown,
};
bool TakesPost(RouteKind kind);

// Where a request goes. Value type.
struct Route {
  RouteKind kind = RouteKind::kUnknown;
  std::string name;    // topic, stream, view, model or row ID, decoded
  std::string detail;  // the version of a model; what of a protocol is asked
  std::vector<std::pair<std::string, std::string>> parameters;  // decoded, names unique

  // Null when the parameter is absent.
  const std::string* Find(std::string_view parameter) const;
  // Refuses parameters that are not in the list, naming the first.
  Status Only(std::initializer_list<std::string_view> known) const;
  // An absent parameter gives `otherwise`. Errors: HR8006 with the parameter as place.
  Result<bool> Flag(std::string_view parameter, bool otherwise) const;
  Result<int64_t> Number(std::string_view parameter, int64_t otherwise, int64_t max) const;
};

// Takes the target of a request apart: percent-decodes once, refuses dot segments, slashes and
// control characters inside a segment, and names over 1024 bytes. A path nobody knows is kUnknown.
// Errors: HR8001, HR8006.
Result<Route> ParseRoute(std::string_view target);

// Percent-decodes. Nothing when a % is not followed by two hex digits, or the result is not UTF-8.
std::optional<std::string> DecodePercent(std::string_view text, bool plus_is_space);
bool IsUtf8(std::string_view text);

// A decimal number from 0 to `max`, digits only.
std::optional<int64_t> ParseDigits(std::string_view text, int64_t max);

}  // namespace headrace::serve
