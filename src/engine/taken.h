#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/local_engine.h"

namespace headrace::engine {

// A request in the group that is being built.
struct LocalEngine::Taken {
  IngestRequest request;
  IngestReply reply;
  AnswerKey key{};
  bool claimed = false;             // its answer is kept with the group
  int64_t answer = -1;              // the kept answer that it gets instead of a new one
  std::vector<Placed> rows{};       // where those of the reply stand
  AskingRequests::Shared asking{};  // when rows of it wait for a remote model
};

// The rows that requests of one group want back, found by the place of their cause.
struct LocalEngine::Wanted {
  uint64_t first_lsn = 0;                  // of lane 0
  std::vector<std::vector<size_t>> owner;  // by lane, by row index: index into taken
  std::vector<Taken>* taken = nullptr;

  // Whose event it is; null: of none of the group.
  Taken* Find(row::Place cause) const {
    if (cause.lsn < first_lsn || cause.lsn - first_lsn >= owner.size()) return nullptr;
    return &(*taken)[owner[cause.lsn - first_lsn][cause.index]];
  }
  void Take(const std::string& stream, const TappedRow& row) const {
    Taken* found = Find(row.cause);
    if (found == nullptr || found->request.return_stream != stream) return;
    Taken& asked = *found;
    asked.reply.rows.push_back(IdentifiedRow(stream, row.partition, row.offset, row.value));
    if (asked.claimed) AddPlace(asked.rows, row.partition, row.offset);
  }
};

}  // namespace headrace::engine
