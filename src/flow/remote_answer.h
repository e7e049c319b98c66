#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flow/plan.h"
#include "headrace/result.h"
#include "model/remote_model.h"
#include "row/batch.h"

namespace headrace::flow {

// How a question to a remote model ended: with its answer, or with the default value and why. The
// numbers stand in the journal.
enum class RemoteStatus : uint8_t {
  kAnswered = 0,
  kTimeout = 1,       // no whole answer in time
  kUnavailable = 2,   // no connection, or it broke
  kRefused = 3,       // an HTTP status that is no success
  kInvalid = 4,       // an answer that is none of this model
  kTooLarge = 5,      // an answer over the limit
  kBreakerOpen = 6,   // not called: the calls before had failed
  kQueueFull = 7,     // not called: as many rows wait as may
  kPast = 8,          // not called: the event is older than the statement
  kUnfit = 9,         // not called: an input is NULL, NaN, infinite or too long
  kReplaced = 10,     // the statement was replaced while the row waited
  kOtherInputs = 11,  // a replay's question that was never asked
};
inline constexpr uint8_t kRemoteStatuses = 12;
std::string_view ToString(RemoteStatus status);

// Which row of a statement asks: its cause as it asked, and its number among those of one cause.
struct AskingRow {
  row::Place cause;
  uint32_t ordinal = 0;

  auto operator<=>(const AskingRow&) const = default;
};

// One question of one row.
struct Ask {
  std::string statement;
  AskingRow row;
  uint32_t question = 0;  // its number among those of the row's stage
  row::Place event;       // what the row stems from
  std::shared_ptr<const RemotePlan> model;
  std::vector<model::RemoteValue> inputs;
  uint64_t fingerprint = 0;  // of the inputs
};

// What a question was answered, as the journal keeps it.
struct RemoteAnswer {
  std::string statement;
  AskingRow row;
  uint32_t question = 0;
  row::Place event;
  uint64_t fingerprint = 0;
  RemoteStatus status = RemoteStatus::kAnswered;
  std::vector<model::RemoteValue> outputs;  // when answered
  std::string detail;                       // what went wrong, for people

  static constexpr size_t kDetailBytesMax = 300;
  static RemoteAnswer To(const Ask& ask, RemoteStatus status, std::string detail);

  // In memory, about.
  size_t bytes() const;

  // version u8; statement string; cause LSN and index, ordinal, question, event LSN and index
  // varint; fingerprint u64; status u8; outputs as model::AppendRemoteValues; detail string.
  std::string Encode() const;
  // Error: HR5330.
  static Result<RemoteAnswer> Decode(std::string_view bytes);
};

// The topic in which the journal keeps them.
inline constexpr char kRemoteAnswersTopic[] = "__remote_answers";

}  // namespace headrace::flow
