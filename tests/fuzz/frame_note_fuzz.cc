// Any bytes as the note of a stored batch, as a control record or as a kept answer: refused, or the
// same again when they are written back.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "catalog/canary.h"
#include "catalog/change.h"
#include "catalog/halt.h"
#include "catalog/model_notes.h"
#include "catalog/trained.h"
#include "engine/answer.h"
#include "engine/frame_note.h"
#include "headrace/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace;
  if (size == 0) return 0;
  const size_t rows = data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);

  if (const Result<engine::InputNote> note = engine::InputNote::Decode(bytes); note.ok()) {
    const Result<engine::InputNote> again = engine::InputNote::Decode(note->Encode());
    HR_CHECK(again.ok() && again->arrival_micros == note->arrival_micros &&
             again->source == note->source && again->source_bytes == note->source_bytes &&
             again->source_events == note->source_events);
  }
  if (const auto causes = engine::DecodeCauses(bytes, rows); causes.ok()) {
    engine::CauseEncoder encoder;
    for (const row::Place& cause : *causes)
      encoder.Add(cause);
    const auto again = engine::DecodeCauses(encoder.Finish(), rows);
    HR_CHECK(again.ok() && *again == *causes);
  }
  if (const Result<catalog::Change> change = catalog::Change::Decode(bytes); change.ok()) {
    const Result<catalog::Change> again = catalog::Change::Decode(change->Encode());
    HR_CHECK(again.ok() && again->Encode() == change->Encode());
  }
  if (const Result<catalog::Trained> trained = catalog::Trained::Decode(bytes); trained.ok()) {
    const Result<catalog::Trained> again = catalog::Trained::Decode(trained->Encode());
    HR_CHECK(again.ok() && again->Encode() == trained->Encode());
  }
  if (const Result<catalog::Drop> drop = catalog::Drop::Decode(bytes, "d", 1); drop.ok()) {
    const Result<catalog::Drop> again = catalog::Drop::Decode(drop->Encode(), "d", 1);
    HR_CHECK(again.ok() && again->ended == drop->ended && again->letters == drop->letters);
  }
  if (const Result<catalog::Offsets> offsets = catalog::DecodeOffsets(bytes); offsets.ok()) {
    const Result<catalog::Offsets> again = catalog::DecodeOffsets(catalog::EncodeOffsets(*offsets));
    HR_CHECK(again.ok() && *again == *offsets);
  }
  if (const Result<catalog::Halt> halt = catalog::Halt::Decode(bytes, 1); halt.ok()) {
    const Result<catalog::Halt> again = catalog::Halt::Decode(halt->Encode(), 1);
    HR_CHECK(again.ok() && again->Encode() == halt->Encode());
  }
  if (const Result<catalog::NoteList> list = catalog::NoteList::Decode(bytes); list.ok()) {
    const Result<catalog::NoteList> again = catalog::NoteList::Decode(list->Encode());
    HR_CHECK(again.ok() && again->Encode() == list->Encode());
  }
  if (const Result<catalog::Canary> canary = catalog::Canary::Decode(bytes); canary.ok()) {
    const Result<catalog::Canary> again = catalog::Canary::Decode(canary->Encode());
    HR_CHECK(again.ok() && again->Encode() == canary->Encode());
  }
  if (const Result<engine::Answer> answer = engine::Answer::Decode(bytes); answer.ok()) {
    const Result<engine::Answer> again = engine::Answer::Decode(answer->Encode());
    HR_CHECK(again.ok() && again->Encode() == answer->Encode());
  }
  return 0;
}
