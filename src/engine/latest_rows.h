#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/deployment.h"
#include "engine/row_decoder.h"
#include "log/log.h"

namespace headrace::engine {

// The latest row of each entity in one stream or view, as stored: by the order of causes, so that
// what it says depends on nothing but the log. It is made from the log and kept up with it; a
// restart makes it anew. Confined. Limits: the caller's, by bytes().
class LatestRows {
 public:
  // `entity`: the columns that name one; not empty.
  LatestRows(std::shared_ptr<const Deployment> deployment, const Deployed& item,
             std::vector<size_t> entity);

  // Whether the item of another deployment has the same rows.
  bool IsOf(const Deployed& item, const std::vector<size_t>& entity) const;

  // Takes what is durable, at most `rows_max` rows of it. False: there is more.
  Result<bool> CatchUp(const log::Log& log, size_t rows_max, uint64_t bytes_max);

  struct Found {
    const row::Value* values = nullptr;  // until the next call
    int64_t time = 0;                    // event time, microseconds; 0 without one
  };
  // `key`: row::AppendKey of each entity column in turn. Nothing when there is no such row, or
  // retention has removed it.
  Result<std::optional<Found>> Find(const log::Log& log, const std::string& key);

  uint64_t bytes() const { return bytes_; }
  const row::Schema& schema() const { return schema_; }

 private:
  struct Kept {
    std::string value;
    row::Place cause;
    int64_t arrival_micros = 0;
    int64_t offset = 0;
    int32_t partition = 0;
  };
  Status Take(const StoredRow& stored);

  std::shared_ptr<const Deployment> deployment_;
  const Deployed& item_;
  std::vector<size_t> entity_;
  row::Schema schema_;
  int time_column_ = -1;
  RowDecoder decoder_;
  std::vector<int64_t> next_;  // by partition
  std::unordered_map<std::string, Kept> rows_;
  uint64_t bytes_ = 0;
  std::string key_;
};

}  // namespace headrace::engine
