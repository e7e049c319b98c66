#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "headrace/result.h"

namespace headrace::engine {

// Which request: the first 16 bytes of the SHA-256 of its topic and its Idempotency-Key. Nobody can
// make two that are the same, so the text itself need not be kept.
using AnswerKey = std::array<uint64_t, 2>;
AnswerKey KeyOf(std::string_view topic, std::string_view idempotency_key);

// What a request with an Idempotency-Key was answered, without the rows themselves, which the log
// has. Value type. Format: docs/internals/answers.md.
struct Answer {
  AnswerKey key{};
  uint64_t fingerprint = 0;  // of everything else that was asked
  uint64_t accepted = 0;
  std::vector<Placed> placed;
  std::vector<Rejection> rejected;  // code, message and place of the errors
  std::string return_stream;        // empty: no rows were asked
  std::vector<Placed> rows;         // where the rows stand in it, in the order of their causes

  std::string Encode() const;
  // kCorruption (HR5306).
  static Result<Answer> Decode(std::string_view bytes);
  // Key and fingerprint alone.
  static Status DecodeHead(std::string_view bytes, AnswerKey* key, uint64_t* fingerprint);
};

// About what the refusals take in Encode.
uint64_t BytesOf(const std::vector<Rejection>& rejected);

// One more at the end: continues the last run, or begins one.
void AddPlace(std::vector<Placed>& places, int32_t partition, int64_t offset);

// A stored row as those see it who asked for it: with its `_id` first.
std::string IdentifiedRow(const std::string& stream, int32_t partition, int64_t offset,
                          std::string_view json);

}  // namespace headrace::engine
