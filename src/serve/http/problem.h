#pragma once

#include <string>
#include <string_view>

#include "headrace/error.h"
#include "serve/http/message.h"

namespace headrace::serve {

// The codes of what the HTTP front end itself refuses.
inline constexpr const char* kMalformedRequest = "HR8001";    // 400
inline constexpr const char* kHeaderTooLarge = "HR8002";      // 431
inline constexpr const char* kBodyTooLarge = "HR8003";        // 413
inline constexpr const char* kNoSuchPath = "HR8004";          // 404
inline constexpr const char* kMethodNotAllowed = "HR8005";    // 405
inline constexpr const char* kBadParameter = "HR8006";        // 400
inline constexpr const char* kBadJson = "HR8007";             // 400
inline constexpr const char* kUnsupportedMedia = "HR8008";    // 415
inline constexpr const char* kBadCloudEvent = "HR8009";       // 422
inline constexpr const char* kTooBusy = "HR8010";             // 503
inline constexpr const char* kRequestTimeout = "HR8011";      // 408
inline constexpr const char* kNotAnObject = "HR8012";         // 422
inline constexpr const char* kForeignOrigin = "HR8013";       // 403
inline constexpr const char* kTooManyEvents = "HR8014";       // 413
inline constexpr const char* kCannotListen = "HR8015";        // at start, never in an answer
inline constexpr const char* kBadIdempotencyKey = "HR8016";   // 400
inline constexpr const char* kStarting = "HR8075";            // 503
inline constexpr const char* kBadInference = "HR8090";        // 400
inline constexpr const char* kNoSuchTensor = "HR8091";        // 400
inline constexpr const char* kBadRegistryRequest = "HR8092";  // 400
inline constexpr const char* kSourceRefused = "HR8093";       // 400

// The one place where an error becomes an HTTP status.
int StatusOf(const Error& error);
std::string_view ReasonOf(int status);

// As a JSON string. Messages may quote what a client sent: bytes that are no UTF-8 become `?`.
void AppendQuoted(std::string_view text, std::string& out);

// RFC 9457. `place` of the error becomes `pointer` when it is a JSON pointer, `line` and `column`
// when it ends so, else `place`.
Response Problem(const Error& error, int status);
Response Problem(const Error& error);

}  // namespace headrace::serve
