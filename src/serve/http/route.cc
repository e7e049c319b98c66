#include "serve/http/route.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

constexpr size_t kSegmentBytesMax = 1024;
constexpr size_t kSegmentsMax = 8;
constexpr size_t kParametersMax = 16;
constexpr std::string_view kListParameter = "order_by";  // may stand several times: one list

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error BadPath(const std::string& why) {
  return Error(ErrorKind::kInvalidArgument, kMalformedRequest, "the path " + why);
}

Error BadParameter(std::string_view name, const std::string& why) {
  return Error(ErrorKind::kInvalidArgument, kBadParameter,
               "parameter `" + std::string(name) + "` " + why)
      .AtPlace("?" + std::string(name));
}

Result<std::string> DecodeSegment(std::string_view raw) {
  if (raw.size() > 3 * kSegmentBytesMax) return BadPath("has a name that is too long");
  auto segment = DecodePercent(raw, false);
  if (!segment) return BadPath("is not percent-encoded UTF-8");
  if (segment->size() > kSegmentBytesMax) return BadPath("has a name that is too long");
  if (*segment == "." || *segment == "..") return BadPath("has a `.` or `..` segment");
  for (char c : *segment) {
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return BadPath("has a name with a slash or a control character");
    }
  }
  return std::move(*segment);
}

Result<std::vector<std::string>> SplitPath(std::string_view path) {
  std::vector<std::string> segments;
  for (size_t at = 1; at < path.size();) {
    size_t end = std::min(path.find('/', at), path.size());
    if (segments.size() == kSegmentsMax) return BadPath("has too many segments");
    HR_ASSIGN(std::string segment, DecodeSegment(path.substr(at, end - at)));
    segments.push_back(std::move(segment));
    at = end + 1;
  }
  return segments;
}

Status ParseParameters(std::string_view query, Route& route) {
  for (size_t at = 0; at < query.size();) {
    size_t end = std::min(query.find('&', at), query.size());
    std::string_view pair = query.substr(at, end - at);
    at = end + 1;
    if (pair.empty()) continue;
    size_t equals = std::min(pair.find('='), pair.size());
    auto name = DecodePercent(pair.substr(0, equals), true);
    auto value = DecodePercent(equals < pair.size() ? pair.substr(equals + 1) : "", true);
    if (!name || !value) {
      return Error(ErrorKind::kInvalidArgument, kBadParameter,
                   "the query is not percent-encoded UTF-8");
    }
    auto known = std::find_if(route.parameters.begin(), route.parameters.end(),
                              [&](const auto& parameter) { return parameter.first == *name; });
    if (known != route.parameters.end()) {
      if (*name != kListParameter) return BadParameter(*name, "stands twice");
      known->second += "," + *value;
      continue;
    }
    if (route.parameters.size() == kParametersMax) return BadParameter(*name, "is one too many");
    route.parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return Ok();
}

void MatchShort(const std::vector<std::string>& s, Route& route) {
  static constexpr std::pair<std::string_view, RouteKind> kPlain[] = {
      {"livez", RouteKind::kLive},
      {"readyz", RouteKind::kReady},
      {"startupz", RouteKind::kStartup},
      {"metrics", RouteKind::kMetrics},
  };
  if (s.empty()) route.kind = RouteKind::kIndex;
  if (s.size() != 1) return;
  for (const auto& [word, kind] : kPlain) {
    if (s[0] == word) route.kind = kind;
  }
}

// Below /api/v1.
void MatchApi(std::vector<std::string>& s, Route& route) {
  const size_t n = s.size();
  if (n == 3 && s[2] == "sql") route.kind = RouteKind::kSql;
  if (n == 3 && s[2] == "streams") route.kind = RouteKind::kStreams;
  if (n == 5 && s[2] == "topics" && s[4] == "events") route.kind = RouteKind::kEvents;
  if (n == 5 && s[2] == "streams" && s[4] == "rows") route.kind = RouteKind::kRows;
  if (n == 4 && s[2] == "views") route.kind = RouteKind::kView;
  if (n == 4 && s[2] == "decisions") route.kind = RouteKind::kDecision;
  if (n == 4 && s[2] == "models") route.kind = RouteKind::kModel;
  if (n > 3 && route.kind != RouteKind::kUnknown) {
    if (s[3].empty()) {
      route.kind = RouteKind::kUnknown;
    } else {
      route.name = std::move(s[3]);
    }
  }
}

// Below /v2.
void MatchInference(std::vector<std::string>& s, Route& route) {
  const size_t n = s.size();
  if (n == 1) route.kind = RouteKind::kInferenceServer;
  if (n == 3 && s[1] == "health" && (s[2] == "live" || s[2] == "ready")) {
    route.kind = RouteKind::kInferenceHealth;
    route.detail = std::move(s[2]);
  }
  if (n == 3 && s[1] == "repository" && s[2] == "index") route.kind = RouteKind::kInferenceIndex;
  if (n < 3 || s[1] != "models" || s[2].empty()) return;
  const bool versioned = n >= 5 && s[3] == "versions" && !s[4].empty();
  const size_t behind = versioned ? 5 : 3;
  if (n == behind) route.kind = RouteKind::kInferenceModel;
  if (n == behind + 1 && s[behind] == "ready") route.kind = RouteKind::kInferenceReady;
  if (n == behind + 1 && s[behind] == "infer") route.kind = RouteKind::kInfer;
  route.name = std::move(s[2]);
  if (versioned) route.detail = std::move(s[4]);
}

}  // namespace

std::string_view PathTemplate(RouteKind kind) {
  switch (kind) {
    case RouteKind::kIndex:
      return "/";
    case RouteKind::kEvents:
      return "/api/v1/topics/{topic}/events";
    case RouteKind::kSql:
      return "/api/v1/sql";
    case RouteKind::kStreams:
      return "/api/v1/streams";
    case RouteKind::kRows:
      return "/api/v1/streams/{stream}/rows";
    case RouteKind::kView:
      return "/api/v1/views/{view}";
    case RouteKind::kDecision:
      return "/api/v1/decisions/{id}";
    case RouteKind::kModel:
      return "/api/v1/models/{model}";
    case RouteKind::kLive:
      return "/livez";
    case RouteKind::kReady:
      return "/readyz";
    case RouteKind::kStartup:
      return "/startupz";
    case RouteKind::kMetrics:
      return "/metrics";
    case RouteKind::kInferenceServer:
      return "/v2";
    case RouteKind::kInferenceHealth:
      return "/v2/health/{kind}";
    case RouteKind::kInferenceIndex:
      return "/v2/repository/index";
    case RouteKind::kInferenceModel:
      return "/v2/models/{model}";
    case RouteKind::kInferenceReady:
      return "/v2/models/{model}/ready";
    case RouteKind::kInfer:
      return "/v2/models/{model}/infer";
    case RouteKind::kMlflow:
      return "/api/2.0/mlflow/{call}";
    case RouteKind::kUnknown:
      return "other";
  }
  return "other";
}

bool TakesPost(RouteKind kind) {
  return kind == RouteKind::kEvents || kind == RouteKind::kSql || kind == RouteKind::kInfer ||
         kind == RouteKind::kInferenceIndex;
}

const std::string* Route::Find(std::string_view parameter) const {
  for (const auto& [key, value] : parameters) {
    if (key == parameter) return &value;
  }
  return nullptr;
}

Status Route::Only(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : parameters) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string hint = known.size() == 0 ? "this path takes none" : "known here:";
    for (std::string_view word : known)
      hint += " " + std::string(word);
    return BadParameter(key, "is unknown").WithHint(std::move(hint));
  }
  return Ok();
}

Result<bool> Route::Flag(std::string_view parameter, bool otherwise) const {
  const std::string* text = Find(parameter);
  if (text == nullptr) return otherwise;
  if (*text == "true") return true;
  if (*text == "false") return false;
  return BadParameter(parameter, "is neither `true` nor `false`");
}

Result<int64_t> Route::Number(std::string_view parameter, int64_t otherwise, int64_t max) const {
  const std::string* text = Find(parameter);
  if (text == nullptr) return otherwise;
  if (auto number = ParseDigits(*text, max)) return *number;
  return BadParameter(parameter, "is not a whole number from 0 to " + std::to_string(max));
}

std::optional<int64_t> ParseDigits(std::string_view text, int64_t max) {
  int64_t number = 0;
  if (text.empty() || text.front() == '-') return std::nullopt;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || end != text.data() + text.size() || number > max) return std::nullopt;
  return number;
}

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i++]);
    if (lead < 0x80) continue;
    size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - i < more) return false;
    uint32_t c = lead & (0x3FU >> more);
    for (; more > 0; --more) {
      auto next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xC0U) != 0x80) return false;
      c = c << 6 | (next & 0x3FU);
    }
    bool overlong = (lead >= 0xF0 && c < 0x10000) || (lead >= 0xE0 && c < 0x800);
    if (overlong || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return false;
  }
  return true;
}

std::optional<std::string> DecodePercent(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (text.size() - i < 3) return std::nullopt;
      int high = HexDigit(text[i + 1]);
      int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  if (!IsUtf8(out)) return std::nullopt;
  return out;
}

Result<Route> ParseRoute(std::string_view target) {
  if (!target.starts_with('/')) return BadPath("does not begin with a slash");
  target = target.substr(0, target.find('#'));
  size_t mark = std::min(target.find('?'), target.size());
  Route route;
  HR_ASSIGN(std::vector<std::string> segments, SplitPath(target.substr(0, mark)));
  if (mark < target.size()) HR_TRY(ParseParameters(target.substr(mark + 1), route));
  MatchShort(segments, route);
  if (segments.size() >= 3 && segments[0] == "api" && segments[1] == "v1") {
    MatchApi(segments, route);
  }
  if (!segments.empty() && segments[0] == "v2") MatchInference(segments, route);
  if (segments.size() == 5 && segments[0] == "api" && segments[1] == "2.0" &&
      segments[2] == "mlflow") {
    route.kind = RouteKind::kMlflow;
    route.detail = segments[3] + "/" + segments[4];
  }
  return route;
}

}  // namespace headrace::serve
