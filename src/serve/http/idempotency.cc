#include "serve/http/idempotency.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

Error BadKey(const std::string& why) {
  return Error(ErrorKind::kInvalidArgument, kBadIdempotencyKey, "Idempotency-Key: " + why)
      .WithHint("send one field with 1 to 255 visible ASCII characters, such as a UUID");
}

bool IsVisible(char c) {
  return c > ' ' && c < '\x7f';
}

// What stands between the quotes; nothing when they are not closed, or something follows.
std::optional<std::string> Unquoted(std::string_view value) {
  std::string text;
  bool escaped = false;
  for (size_t i = 1; i < value.size(); ++i) {
    const bool special = value[i] == '"' || value[i] == '\\';
    if (escaped && !special) return std::nullopt;
    if (!escaped && value[i] == '"') {
      return i + 1 == value.size() ? std::optional(text) : std::nullopt;
    }
    escaped = !escaped && value[i] == '\\';
    if (!escaped) text += value[i];
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<std::string>> IdempotencyKeyOf(std::span<const Header> headers) {
  std::optional<std::string> key;
  for (const Header& header : headers) {
    if (!EqualsIgnoringCase(header.name, "Idempotency-Key")) continue;
    if (key) return BadKey("there are two");
    key = header.value.starts_with('"') ? Unquoted(header.value) : std::string(header.value);
    if (!key) return BadKey("the quotes are not closed");
    if (key->empty()) return BadKey("it is empty");
    if (key->size() > kIdempotencyKeyBytesMax) return BadKey("it is longer than 255 bytes");
    if (!std::all_of(key->begin(), key->end(), IsVisible)) {
      return BadKey("it has a character that is not visible ASCII");
    }
  }
  return key;
}

uint64_t FingerprintOf(const Route& route, std::span<const Header> headers, std::string_view body) {
  std::string_view type = FindHeader(headers, "Content-Type");
  std::string media(type.substr(0, type.find(';')));
  std::erase_if(media, [](char c) { return c == ' ' || c == '\t'; });
  std::transform(media.begin(), media.end(), media.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  auto parameters = route.parameters;
  std::sort(parameters.begin(), parameters.end());
  std::string rest;
  base::ByteWriter writer(rest);
  writer.String(media);
  for (const auto& [name, value] : parameters) {
    writer.String(name);
    writer.String(value);
  }
  return base::Hash64(body, base::Hash64(rest));
}

}  // namespace headrace::serve
