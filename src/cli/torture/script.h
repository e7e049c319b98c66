#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/torture/history.h"

namespace headrace::cli::torture {

inline constexpr int32_t kPartitions = 3;

// The statements that are tortured: the streams of history.h.
std::string Script();

// The body of a request, as a JSON array or as JSON lines. An event carries some bytes that follow
// from its number.
std::string EncodeEvents(std::span<const Event> events, bool as_lines);

// A line of GET /api/v1/streams/STREAM/rows?ids=true; nothing when it is no such row or its bytes
// are not those of its number.
std::optional<Row> ParseRow(Stream stream, std::string_view line);

// What the server says of a request that it took.
struct Answer {
  uint64_t accepted = 0;
  uint64_t rejected = 0;
  std::vector<Place> places;      // of the events that were no repeats, in their order
  std::vector<std::string> rows;  // of the stream that was asked for
};
std::optional<Answer> ParseAnswer(std::string_view body);

}  // namespace headrace::cli::torture
