#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "headrace/result.h"
#include "serve/http/message.h"

namespace headrace::serve {

// CloudEvents 1.0 over HTTP: what makes an envelope good, and where its data is. Only JSON data.
// Errors: HR8009 with the attribute as JSON pointer, HR8007 for text that is no JSON.

// True when the request is in binary content mode.
bool IsBinaryCloudEvent(std::span<const Header> headers);
// Checks the ce-* fields: required ones present, percent-encoding and UTF-8 good.
Status CheckBinaryCloudEvent(std::span<const Header> headers);

// The data of a structured envelope, as JSON text.
Result<std::string> CloudEventData(std::string_view envelope);

// RFC 4648 with padding. Nothing when malformed.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace headrace::serve
