#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/deployment.h"
#include "engine/label_table.h"
#include "log/log.h"

namespace headrace::engine {

// How well the scores that were given told labels apart, of rows whose label is 0 or 1: of the
// first statement that asks the model and has the score among its columns. By version, by how long
// after its row the label came, and by the values of a column.
//
// Rows of a canary count as of the version that decided for all others. Value type once loaded.
// Limits: kRowsMax rows with a label; kSegmentsMax values of a column, those with the fewest rows
// together are "(others)".
class ScoreQuality {
 public:
  static constexpr size_t kRowsMax = 20'000'000;
  static constexpr size_t kSegmentsMax = 50;
  static constexpr size_t kCurvePoints = 200;

  // Reads the stream once. Nothing when no statement keeps the score. Errors: HR1104, HR1289 for
  // more than kRowsMax, those of reading.
  static Result<std::optional<ScoreQuality>> Load(const log::Log& log, const Deployment& deployment,
                                                  const std::string& model,
                                                  const LabelTable& labels,
                                                  const LabelRequest& request);

  // One JSON object: statement, labelled, unlabelled; groups with rows, positives, roc_auc, pr_auc,
  // log_loss, brier and ece; curves of each version.
  std::string Json() const;

 private:
  struct Scored {
    double score = 0;
    float label = 0;
    int32_t version = 0;
    uint8_t age = 0;
    int32_t segment = -1;
  };
  class Reader;

  template <typename Wanted>
  void AppendGroup(std::string_view by, std::string_view name, const Wanted& wanted,
                   std::string& out) const;
  void AppendCurves(int32_t version, std::string& out) const;
  std::vector<int32_t> Versions() const;

  std::string statement_;
  uint64_t unlabelled_ = 0;
  std::vector<Scored> rows_;
  std::vector<std::string> segments_;
};

}  // namespace headrace::engine
