#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/result.h"

namespace headrace::catalog {

enum class ChangeKind : uint8_t {
  kCreate = 1,           // stream, view or model: `text` is the statement
  kDrop = 2,             // `name` is no more (drop.h)
  kAddVersion = 3,       // model `name`: version `number` has the bytes `sha256`
  kActivateVersion = 4,  // model `name`: version `number` decides from this LSN on
  kFinishInput = 5,      // stream `name`: its input has ended
  kReplace = 6,          // stream or view `name`: `text` is its statement from this LSN on
  kPrepare = 7,          // as kCreate, of a stream or view that is computed over the past beside
                         // live traffic, and is part of that from kJoin on
  kJoin = 8,             // stream or view `name`: what it makes of the past stands before this LSN,
                         // or what was prepared to replace it does so
  kLoss = 9,             // a salvage: `text` says what is lost (loss.h)
  kShadowVersion = 10,   // model `name`: version `number` is compared from this LSN on
  kRetireVersion = 11,   // model `name`: version `number` decides and shadows no more
  kHalt = 12,            // stream or view `name`: it and what is made from it emit no more (halt.h)
  kDropTopic = 13,       // topic `name`, which no stream reads: its events are gone
  kTrim = 14,            // topic `name`: its events before these offsets are gone
  kPrepareReplace = 15,  // as kReplace, of a stream or view whose new revision is computed beside
                         // live traffic, and takes over with kJoin
  kCanaryVersion = 16,   // model `name`: version `number` decides for a share of the keys (`text`)
  kNote = 18,            // model `name`: what a registry says of it or, when not 0, of version
                         // `number` (model_notes.h)
  kCreateWatched = 20,   // as kCreate, of a model that is watched, as `text` says
  kTrained = 21,         // trainer `name`: a trigger was answered (trained.h)
};

// A control record: a change of what is deployed, or a fact from outside that the flow depends on.
// Its LSN is when it takes effect. The format is in docs/internals/controls.md. Value type.
struct Change {
  ChangeKind kind = ChangeKind::kCreate;
  std::string name;
  // With SQL (kCreate, kCreateWatched, kReplace, kPrepare, kPrepareReplace): it; kFinishInput: the
  // topic; kActivateVersion: why; kLoss: what is lost; kHalt, kDrop: see there; kDropTopic, kTrim:
  // offsets; kNote, kTrained: see there; kAddVersion: the statement when it declares reasons;
  // kCanaryVersion: for which keys (canary.h).
  std::string text;
  std::string file;    // with SQL: the script it came from, for places in `why`
  int32_t line = 1;    // with SQL: where in the script the text began
  std::string sha256;  // kCreate of a model, kAddVersion
  int32_t number = 1;

  std::string Encode() const;
  static Result<Change> Decode(std::string_view bytes);
};

}  // namespace headrace::catalog
