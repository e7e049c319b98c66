#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "row/schema.h"
#include "row/value.h"
#include "schema/codec.h"

namespace headrace::schema {

// Decodes events that look like the one before: the same members in the same order, plain values.
//
// A stream's events come from one serializer, so what they look like is known after the first. This
// reads them in one pass by comparing the names with those it expects. Whatever it is not sure of
// (another member, an escape, a byte beyond ASCII, a nested value, a number that does not fit) it
// leaves to the decoder proper, which also finds the errors: what this takes, that would take to
// the same values. Confined.
class JsonShape {
 public:
  // `schema` must outlive it.
  JsonShape(const row::Schema& schema, JsonOptions options);

  // A document that is decoded properly: its member at `position`, from 0 on, has this name,
  // without escapes, and is read into `column`, or into none (-1).
  void Expect(size_t position, std::string_view name, int column);
  // It had so many members. 0: nothing is to be expected.
  void Finish(size_t members);

  // Sets the slots of the columns that the payload names and leaves the others. False: nothing is
  // known of the payload, and slots may have been written to. Text points into the payload.
  bool Decode(std::string_view payload, row::Value* slots) const;

 private:
  struct Member {
    std::string name;  // with both quotes and the colon: `"card":`
    int column = -1;
  };

  bool DecodeValue(int column, const char*& at, const char* end, row::Value* slots) const;
  bool DecodeText(const row::Column& column, std::string_view text, row::Value* slot) const;
  bool DecodeNumber(const row::Column& column, const char*& at, const char* end,
                    row::Value* slot) const;

  const row::Schema& schema_;
  int64_t micros_per_unit_;  // of a TIMESTAMPTZ that comes as a number; 0: it may not
  std::vector<Member> members_;
};

}  // namespace headrace::schema
