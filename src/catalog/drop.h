#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "headrace/result.h"

namespace headrace::catalog {

// By topic and partition.
using Offsets = std::map<std::pair<std::string, int32_t>, int64_t>;

// What is left of an object that is no more: the text of the control that dropped it. Format:
// docs/internals/controls.md. Value type.
struct Drop {
  uint64_t lsn = 0;  // of the control; not in its text
  std::string name;  // of the object; not in its text
  // Where the topics of its rows and dead letters ended. Rows below are gone; an object that gets
  // the name later goes on there, so that no ID is given twice.
  Offsets ended;
  // Dead letters of what it read: those of causes before the drop may be its own. They stand as
  // they were logged, and go on at these offsets.
  Offsets letters;
  // Of a declared stream: the topic whose events stay, in how many partitions, and by what repeats
  // were kept out of them (empty: by nothing).
  std::string topic;
  int32_t partitions = 0;
  std::string repeats;

  std::string Encode() const;
  // An empty text is a drop that left nothing. Errors: kCorruption (HR5301).
  static Result<Drop> Decode(std::string_view text, std::string name, uint64_t lsn);
};

// The text of a control that drops a topic: where its partitions ended; of one that trims it: where
// those begin that lose something.
std::string EncodeOffsets(const Offsets& offsets);
// kCorruption (HR5301).
Result<Offsets> DecodeOffsets(std::string_view text);

}  // namespace headrace::catalog
