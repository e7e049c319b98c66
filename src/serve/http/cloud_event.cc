#include "serve/http/cloud_event.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "serve/http/json_text.h"
#include "serve/http/problem.h"
#include "serve/http/route.h"

namespace headrace::serve {
namespace {

constexpr std::array<std::string_view, 4> kRequired = {"specversion", "id", "source", "type"};

Error BadEvent(std::string_view attribute, const std::string& why) {
  return Error(ErrorKind::kInvalidArgument, kBadCloudEvent,
               "CloudEvents attribute `" + std::string(attribute) + "` " + why)
      .AtPlace("/" + std::string(attribute));
}

Status CheckRequired(std::string_view attribute, const std::string& value) {
  if (value.empty()) return BadEvent(attribute, "is missing or empty");
  if (attribute == "specversion" && value != "1.0") {
    return BadEvent(attribute, "is not 1.0, the only version taken");
  }
  return Ok();
}

const JsonMember* FindMember(const std::vector<JsonMember>& members, std::string_view key) {
  for (const JsonMember& member : members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

// The attribute's text, or empty when it is absent or null.
Result<std::string> TextAttribute(const std::vector<JsonMember>& members, std::string_view key) {
  const JsonMember* member = FindMember(members, key);
  if (member == nullptr || member->value == "null") return std::string();
  auto text = DecodeJsonString(member->value);
  if (!text) return BadEvent(key, "is not a string");
  return std::move(*text);
}

// A media type whose data is JSON; empty means JSON too.
bool IsJsonType(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ')
    type.remove_suffix(1);
  return type.empty() || EqualsIgnoringCase(type, kJson) || EqualsIgnoringCase(type, "text/json") ||
         (type.size() > 5 && EqualsIgnoringCase(type.substr(type.size() - 5), "+json"));
}

int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

bool IsBinaryCloudEvent(std::span<const Header> headers) {
  for (const Header& header : headers) {
    if (header.name.size() > 3 && EqualsIgnoringCase(header.name.substr(0, 3), "ce-")) return true;
  }
  return false;
}

Status CheckBinaryCloudEvent(std::span<const Header> headers) {
  for (const Header& header : headers) {
    if (header.name.size() <= 3 || !EqualsIgnoringCase(header.name.substr(0, 3), "ce-")) continue;
    if (!DecodePercent(header.value, false)) {
      return BadEvent(header.name.substr(3), "is not percent-encoded UTF-8");
    }
  }
  for (std::string_view attribute : kRequired) {
    std::string name = "ce-" + std::string(attribute);
    HR_TRY(CheckRequired(attribute, std::string(FindHeader(headers, name))));
  }
  return Ok();
}

Result<std::string> CloudEventData(std::string_view envelope) {
  HR_ASSIGN(std::vector<JsonMember> members, SplitJsonObject(envelope));
  for (std::string_view attribute : kRequired) {
    HR_ASSIGN(std::string value, TextAttribute(members, attribute));
    HR_TRY(CheckRequired(attribute, value));
  }
  HR_ASSIGN(std::string type, TextAttribute(members, "datacontenttype"));
  if (!IsJsonType(type)) return BadEvent("datacontenttype", "is not JSON: " + type);
  const JsonMember* data = FindMember(members, "data");
  HR_ASSIGN(std::string base64, TextAttribute(members, "data_base64"));
  if (data != nullptr && !base64.empty()) {
    return BadEvent("data_base64", "stands beside `data`");
  }
  if (data != nullptr) return std::string(data->value);
  if (base64.empty()) return BadEvent("data", "is missing");
  auto bytes = DecodeBase64(base64);
  if (!bytes) return BadEvent("data_base64", "is not base64");
  return std::move(*bytes);
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    int digit = i >= text.size() - padding ? 0 : Base64Digit(text[i]);
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if (i % 4 != 3) continue;
    out.push_back(static_cast<char>(bits >> 16 & 0xFF));
    out.push_back(static_cast<char>(bits >> 8 & 0xFF));
    out.push_back(static_cast<char>(bits & 0xFF));
  }
  out.resize(out.size() - padding);
  return out;
}

}  // namespace headrace::serve
