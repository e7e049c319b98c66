#include "serve/http/problem.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "row/text.h"
#include "serve/http/route.h"

namespace headrace::serve {
namespace {

struct CodeStatus {
  std::string_view code;
  int status;
};

// Errors whose status their kind does not tell.
constexpr std::array kStatusOfCode = {
    CodeStatus{kHeaderTooLarge, 431},
    CodeStatus{kBodyTooLarge, 413},
    CodeStatus{kMethodNotAllowed, 405},
    CodeStatus{kUnsupportedMedia, 415},
    CodeStatus{kBadCloudEvent, 422},
    CodeStatus{kTooBusy, 503},
    CodeStatus{kRequestTimeout, 408},
    CodeStatus{kNotAnObject, 422},
    CodeStatus{kForeignOrigin, 403},
    CodeStatus{kTooManyEvents, 413},
    // Of the engine: a key that was sent with another request; an answer whose rows are gone; too
    // many refusals to be kept.
    CodeStatus{"HR5004", 422},
    CodeStatus{"HR5005", 410},
    CodeStatus{"HR5006", 413},
};

int StatusOfKind(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return 400;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kAlreadyExists:
    case ErrorKind::kConflict:
      return 409;
    case ErrorKind::kLimitExceeded:
      return 429;
    case ErrorKind::kUnavailable:
    case ErrorKind::kIo:
    case ErrorKind::kNoSpace:
      return 503;
    case ErrorKind::kTimeout:
      return 504;
    case ErrorKind::kCorruption:
    case ErrorKind::kInternal:
      return 500;
  }
  return 500;
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() <= 9 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void AppendMember(std::string_view name, std::string_view value, std::string& out) {
  out += ",\"";
  out += name;
  out += "\":";
  AppendQuoted(value, out);
}

// `line:column`, or `file:line:column`.
bool AppendLineAndColumn(std::string_view place, std::string& out) {
  size_t last = place.rfind(':');
  if (last == std::string_view::npos) return false;
  std::string_view column = place.substr(last + 1);
  std::string_view line = place.substr(0, last);
  std::string_view file;
  if (size_t before = line.rfind(':'); before != std::string_view::npos) {
    file = line.substr(0, before);
    line = line.substr(before + 1);
  }
  if (!IsNumber(line) || !IsNumber(column)) return false;
  if (!file.empty()) AppendMember("file", file, out);
  out += ",\"line\":" + std::to_string(std::stoul(std::string(line)));
  out += ",\"column\":" + std::to_string(std::stoul(std::string(column)));
  return true;
}

}  // namespace

void AppendQuoted(std::string_view text, std::string& out) {
  if (IsUtf8(text)) return row::AppendJsonString(text, out);
  std::string replaced(text);
  std::replace_if(
      replaced.begin(), replaced.end(),
      [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  row::AppendJsonString(replaced, out);
}

int StatusOf(const Error& error) {
  for (const CodeStatus& entry : kStatusOfCode) {
    if (entry.code == error.code()) return entry.status;
  }
  return StatusOfKind(error.kind());
}

std::string_view ReasonOf(int status) {
  static constexpr std::pair<int, std::string_view> kReasons[] = {
      {200, "OK"},
      {400, "Bad Request"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {413, "Content Too Large"},
      {415, "Unsupported Media Type"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  };
  for (const auto& [code, reason] : kReasons) {
    if (code == status) return reason;
  }
  return "Unknown";
}

Response Problem(const Error& error, int status) {
  Response response;
  response.status = status;
  response.content_type = kProblemJson;
  if (status == 429 || status == 503) response.retry_after_seconds = 1;
  std::string& out = response.body;
  out = "{\"type\":\"about:blank\"";
  AppendMember("title", ReasonOf(status), out);
  out += ",\"status\":" + std::to_string(status);
  AppendMember("code", error.code(), out);
  AppendMember("detail", error.message(), out);
  if (!error.hint().empty()) AppendMember("hint", error.hint(), out);
  const std::string& place = error.place();
  if (place.starts_with('/') && place.find(':') == std::string::npos) {
    AppendMember("pointer", place, out);
  } else if (!place.empty() && !AppendLineAndColumn(place, out)) {
    AppendMember(place.starts_with('/') ? "pointer" : "place", place, out);
  }
  out += '}';
  return response;
}

Response Problem(const Error& error) {
  return Problem(error, StatusOf(error));
}

}  // namespace headrace::serve
