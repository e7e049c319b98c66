#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "headrace/result.h"
#include "serve/http/message.h"

namespace headrace::serve {

// The events of one request body, taken apart but not decoded.
struct EventBody {
  std::vector<std::string> payloads;        // JSON objects as received
  std::vector<size_t> indices;              // of each payload in the request; empty: the same
  std::vector<engine::Rejection> rejected;  // refused here already, by index in the request
  bool alone = false;                       // one object, not an array or lines: a refusal is 422

  size_t IndexOf(size_t payload) const { return indices.empty() ? payload : indices[payload]; }
};

// Takes a JSON object, an array, JSON lines or CloudEvents in any of their three modes apart.
// Never takes more than `events_max` (HR8014). Errors: HR8007 (no JSON at all), HR8008, HR8009.
Result<EventBody> SplitEvents(std::span<const Header> headers, std::string body, size_t events_max);

// What EventBody still knows when its payloads are with the engine.
struct EventIndices {
  std::vector<size_t> indices;
  std::vector<engine::Rejection> rejected;
  bool alone = false;
  bool atomic = false;
  bool wants_rows = false;
};

// The answer of the contract for what the engine said.
Response EventsResponse(EventIndices request, engine::IngestReply reply);

}  // namespace headrace::serve
