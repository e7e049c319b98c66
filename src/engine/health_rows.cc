#include "engine/health_rows.h"

#include <map>
#include <tuple>
#include <utility>

#include "engine/row_decoder.h"
#include "schema/codec.h"

namespace headrace::engine {

const row::Schema& ModelHealthSchema() {
  static const row::Schema kSchema = [] {
    row::Schema schema = flow::HealthSchema();
    schema.columns.push_back({"statement", {row::TypeKind::kText, 0, 0}, true});
    return schema;
  }();
  return kSchema;
}

Status EachHealthRow(const log::Log& log, const Deployment& deployment, const std::string& model,
                     std::optional<uint64_t> last_cause, const HealthTaker& taker) {
  for (const Deployed& item : deployment.items) {
    if (!item.statement || !item.statement->of_health) continue;
    HR_ASSIGN(auto cursor, RowCursor::Open(log, item, -1, 0));
    RowDecoder decoder(deployment, item);
    StoredRow stored;
    while (true) {
      HR_ASSIGN(const bool more, cursor->Next(&stored));
      if (!more || (last_cause && stored.cause.lsn > *last_cause)) break;
      row::Value* values = nullptr;
      HR_ASSIGN(const bool fits, decoder.Decode(stored, &values));
      if (!fits || (!model.empty() && values[flow::kHealthModel].text() != model)) continue;
      HR_TRY(taker(item.statement->side_of, stored, values));
    }
  }
  return Ok();
}

Result<std::vector<HealthRow>> NewestHealth(const log::Log& log, const Deployment& deployment,
                                            const std::string& model,
                                            std::optional<uint64_t> last_cause) {
  struct Window {
    row::Place cause;
    std::vector<HealthRow> rows;
  };
  std::map<std::tuple<std::string, std::string, int64_t>, Window> windows;
  size_t kept = 0;
  HR_TRY(EachHealthRow(
      log, deployment, model, last_cause,
      [&](const std::string& statement, const StoredRow& row, const row::Value* values) -> Status {
        Window& window = windows[{statement, std::string(values[flow::kHealthModel].text()),
                                  values[flow::kHealthVersion].integer}];
        if (window.rows.empty() || window.cause != row.cause) {
          kept -= window.rows.size();
          window.rows.clear();
          window.cause = row.cause;
        }
        window.rows.push_back({statement, std::string(row.value)});
        if (++kept <= kHealthRowsMax) return Ok();
        return Error(ErrorKind::kLimitExceeded, "HR4001",
                     "the health of models has more than 100000 rows")
            .WithHint("ask one of the streams __health_…");
      }));
  std::vector<HealthRow> rows;
  for (auto& [key, window] : windows) {
    for (HealthRow& row : window.rows)
      rows.push_back(std::move(row));
  }
  return rows;
}

Result<const row::Value*> HealthDecoder::Decode(const HealthRow& row) {
  arena_.Reset();
  values_.assign(ModelHealthSchema().columns.size(), row::Value::Null());
  schema::JsonDecoder decoder(flow::HealthSchema(), schema::JsonOptions{});
  const Status decoded = decoder.Decode(row.json, false, arena_, values_.data());
  if (!decoded.ok()) {
    return Error(ErrorKind::kCorruption, "HR5305",
                 "a stored row does not decode: " + decoded.error().ToString());
  }
  values_.back() = row::Value::Text(row.statement);
  return values_.data();
}

}  // namespace headrace::engine
