#pragma once

#include <memory>
#include <optional>

#include "engine/deployment.h"
#include "engine/row_cursor.h"
#include "flow/source_node.h"

namespace headrace::engine {

// Turns stored rows of one stream, view or dead-letter stream back into values of its schema.
// Confined.
class RowDecoder {
 public:
  RowDecoder(const Deployment& deployment, const Deployed& item);

  // False for an event of a source that does not decode or fits no schema: it stands in the dead
  // letters. `values` (one per column) live until the next call. Error: a stored derived row that
  // does not decode, which is corruption.
  Result<bool> Decode(const StoredRow& stored, row::Value** values);
  // The same of a derived stream or view, into the caller's memory: one value per column, whose
  // bytes are the arena's.
  Status DecodeInto(const StoredRow& stored, base::Arena& arena, row::Value* values);

 private:
  Result<bool> DecodeSource(const StoredRow& stored, row::Value** values);
  void DecodeDead(const StoredRow& stored);
  Status Checked(const Status& decoded, const StoredRow& stored) const;

  const Deployed& item_;
  row::Schema schema_;
  row::Batch batch_;
  std::vector<row::Value> values_;
  std::unique_ptr<flow::SourceNode> source_;
  std::unique_ptr<schema::JsonDecoder> decoder_;
};

}  // namespace headrace::engine
