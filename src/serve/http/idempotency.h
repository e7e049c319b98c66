#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "headrace/result.h"
#include "serve/http/message.h"
#include "serve/http/route.h"

namespace headrace::serve {

inline constexpr size_t kIdempotencyKeyBytesMax = 255;

// The key of the Idempotency-Key field (draft-ietf-httpapi-idempotency-key-header): a string of
// structured fields, "…", or bare, as many clients send it; both forms of a text are the same key.
// Nothing when there is no such field. HR8016: two fields, an empty or too long key, or bytes that
// are no visible ASCII.
Result<std::optional<std::string>> IdempotencyKeyOf(std::span<const Header> headers);

// Of everything that makes two requests for a topic the same: body, media type, parameters.
uint64_t FingerprintOf(const Route& route, std::span<const Header> headers, std::string_view body);

}  // namespace headrace::serve
