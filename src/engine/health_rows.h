#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/deployment.h"
#include "engine/row_cursor.h"
#include "log/log.h"

namespace headrace::engine {

// The columns of `__model_health`: those of the health streams, then whose statement's it is.
const row::Schema& ModelHealthSchema();

// A stored row of a health stream.
struct HealthRow {
  std::string statement;
  std::string json;  // of flow::HealthSchema()
};

// Hands on the durable rows of every health stream that tell of the model (empty: of any), stream
// by stream in the order of their causes, with causes up to the LSN if there is one. `values` live
// for the call.
using HealthTaker =
    std::function<Status(const std::string& statement, const StoredRow& row, const row::Value*)>;
Status EachHealthRow(const log::Log& log, const Deployment& deployment, const std::string& model,
                     std::optional<uint64_t> last_cause, const HealthTaker& taker);

// The rows of the newest window of each statement, model and version, in that order. Error: HR4001
// for more than kHealthRowsMax.
inline constexpr size_t kHealthRowsMax = 100'000;
Result<std::vector<HealthRow>> NewestHealth(const log::Log& log, const Deployment& deployment,
                                            const std::string& model,
                                            std::optional<uint64_t> last_cause);

// Decodes rows of NewestHealth into values of ModelHealthSchema(). Confined.
class HealthDecoder {
 public:
  // The values live until the next call. Error: HR5305.
  Result<const row::Value*> Decode(const HealthRow& row);

 private:
  base::Arena arena_;
  std::vector<row::Value> values_;
};

}  // namespace headrace::engine
