// score_peers [--lightgbm LIBRARY] [--onnxruntime LIBRARY]
//
// Other libraries on the models and rows of `headrace bench score`: lines `name value unit`. All
// run in this process, on this thread, through the C interface of each; they take turns with ours,
// so that what else the machine does meets all of them, and a line is the median of the turns. Time
// is that of the process's CPUs: what other processes take is not in it, what threads that a
// library starts would take is. Before that the answers are compared with ours: LightGBM's to the
// bit, ONNX Runtime's as close as floats are. A ratio is our time over theirs.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string_view>

#include "cli/bench/synthetic_model.h"
#include "model/tree_model.h"
#include "peers/scorer.h"

namespace headrace::bench {
namespace {

constexpr size_t kRows = 4096;
constexpr size_t kExplainedRows = 128;
constexpr int kTurns = 9;

double CpuNanoseconds() {
  timespec now = {};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

struct Libraries {
  std::string lightgbm;
  std::string onnxruntime;
};

class Ours : public Scorer {
 public:
  explicit Ours(const model::Model& model) : model_(model) {}
  bool ScoreOne(const double* row, double* raw) override { return ScoreBlock(row, 1, raw); }
  bool ScoreBlock(const double* features, size_t rows, double* raw) override {
    model_.ScoreRaw({features, rows * model_.info().features.size()}, rows, {raw, rows});
    return true;
  }
  bool Explain(const double* row, double* contributions) override {
    const auto parts = model_.Contributions({row, model_.info().features.size()});
    if (!parts.ok()) return false;
    std::copy(parts->begin(), parts->end(), contributions);
    return true;
  }
  double tolerance() const override { return 0; }

 private:
  const model::Model& model_;
};

enum class Way { kOne, kBlock, kExplain };

// One model with its rows, and whoever scores it; the first is ours.
class Contest {
 public:
  Contest(std::string name, const model::Model& model)
      : name_(std::move(name)),
        width_(model.info().features.size()),
        table_(cli::SyntheticRows(kRows, width_)) {
    Enter("", std::make_unique<Ours>(model));
  }

  void Enter(std::string name, std::unique_ptr<Scorer> scorer) {
    entries_.push_back({std::move(name), std::move(scorer), {}});
  }

  // Error HR9008: another answer than ours.
  Status Compare() {
    std::vector<double> want(kRows);
    for (Entry& entry : entries_) {
      std::vector<double> one(kRows);
      std::vector<double> block(kRows);
      if (!Run(*entry.scorer, Way::kOne, one) || !Run(*entry.scorer, Way::kBlock, block)) {
        return Failed(entry.name, "gave no score");
      }
      if (entry.name.empty()) want = one;
      for (size_t r = 0; r < kRows; ++r) {
        const double off = std::max(std::abs(one[r] - want[r]), std::abs(block[r] - want[r]));
        if (!(off <= entry.scorer->tolerance())) {
          return Failed(entry.name, "has another score than ours, by " + std::to_string(off));
        }
      }
      HR_TRY(CompareContributions(entry));
    }
    return Ok();
  }

  // Lets all take turns. `what` is the start of the lines' names, `scale` nanoseconds of a unit.
  Status Measure(Way way, std::string_view what, std::string_view suffix, double scale) {
    std::vector<double> out(std::max(kRows, width_ + 1));
    for (Entry& entry : entries_) {
      entry.nanoseconds.clear();
    }
    for (int turn = 0; turn < kTurns; ++turn) {
      for (Entry& entry : entries_) {
        const double start = CpuNanoseconds();
        if (!Run(*entry.scorer, way, out)) continue;
        const double spent = CpuNanoseconds() - start;
        const size_t rows = way == Way::kExplain ? kExplainedRows : kRows;
        entry.nanoseconds.push_back(spent / static_cast<double>(rows));
      }
    }
    const std::optional<double> ours = entries_[0].Median();
    if (!ours) return Failed("ours", "gave nothing");
    for (Entry& entry : entries_) {
      const std::optional<double> theirs = entry.Median();
      if (entry.name.empty() || !theirs) continue;
      const std::string line = std::string(what) + "." + name_ + "." + entry.name;
      std::printf("%s.%s %.1f %s\n", line.c_str(), std::string(suffix).c_str(), *theirs / scale,
                  scale > 1 ? "us" : "ns");
      const bool block = way == Way::kBlock;
      std::printf("%s.%sratio %.3f ratio\n", line.c_str(), block ? "block." : "", *ours / *theirs);
    }
    std::fflush(stdout);
    return Ok();
  }

 private:
  struct Entry {
    std::string name;
    std::unique_ptr<Scorer> scorer;
    std::vector<double> nanoseconds;

    std::optional<double> Median() {
      if (nanoseconds.empty()) return std::nullopt;
      std::sort(nanoseconds.begin(), nanoseconds.end());
      return nanoseconds[nanoseconds.size() / 2];
    }
  };

  // They are sums in another order: equal but for rounding.
  Status CompareContributions(Entry& entry) {
    std::vector<double> want(width_ + 1);
    std::vector<double> got(width_ + 1);
    for (size_t r = 0; r < kExplainedRows; ++r) {
      const double* row = table_.data() + r * width_;
      if (!entries_[0].scorer->Explain(row, want.data())) return Failed("ours", "gave none");
      if (!entry.scorer->Explain(row, got.data())) return Ok();
      for (size_t f = 0; f <= width_; ++f) {
        if (std::abs(want[f] - got[f]) <= 1e-12) continue;
        return Failed(entry.name, "has other contributions than ours");
      }
    }
    return Ok();
  }

  bool Run(Scorer& scorer, Way way, std::vector<double>& out) const {
    bool good = true;
    switch (way) {
      case Way::kOne:
        for (size_t r = 0; r < kRows; ++r) {
          good = scorer.ScoreOne(table_.data() + r * width_, out.data() + r) && good;
        }
        return good;
      case Way::kBlock:
        for (size_t r = 0; r < kRows; r += kBlockRows) {
          good = scorer.ScoreBlock(table_.data() + r * width_, kBlockRows, out.data() + r) && good;
        }
        return good;
      case Way::kExplain:
        for (size_t r = 0; r < kExplainedRows; ++r) {
          if (!scorer.Explain(table_.data() + r * width_, out.data())) return false;
        }
        return true;
    }
    return false;
  }

  Error Failed(const std::string& who, const std::string& what) const {
    return Error(ErrorKind::kInternal, "HR9008", name_ + ": " + who + " " + what);
  }

  std::string name_;
  size_t width_;
  std::vector<double> table_;
  std::vector<Entry> entries_;
};

Status ScoreTrees(const Libraries& libraries, int trees) {
  cli::SyntheticModelOptions options;
  options.trees = trees;
  const std::string text = cli::SyntheticModel(options);
  HR_ASSIGN(const std::shared_ptr<const model::Model> model, model::Model::Load(text));
  // A LightGBM file without linear models is a TreeModel.
  const auto& forest = static_cast<const model::TreeModel&>(*model).forest();
  Contest contest(std::to_string(trees) + "x31", *model);
  if (!libraries.lightgbm.empty()) {
    HR_ASSIGN(std::unique_ptr<Scorer> scorer,
              MakeLightGbm(libraries.lightgbm, text, options.features));
    contest.Enter("lightgbm", std::move(scorer));
  }
  if (!libraries.onnxruntime.empty()) {
    HR_ASSIGN(std::unique_ptr<Scorer> scorer, MakeOnnxRuntime(libraries.onnxruntime, forest));
    contest.Enter("onnxruntime", std::move(scorer));
  }
  HR_TRY(contest.Compare());
  HR_TRY(contest.Measure(Way::kOne, "score", "ns", 1));
  HR_TRY(contest.Measure(Way::kBlock, "score", "block.ns", 1));
  return trees == 100 ? contest.Measure(Way::kExplain, "shap", "us", 1000) : Ok();
}

int Main(int count, char** arguments) {
  Libraries libraries;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view option = arguments[i];
    if (option == "--lightgbm") libraries.lightgbm = arguments[i + 1];
    if (option == "--onnxruntime") libraries.onnxruntime = arguments[i + 1];
  }
  for (const int trees : {100, 500}) {
    const Status done = ScoreTrees(libraries, trees);
    if (done.ok()) continue;
    std::fprintf(stderr, "score_peers: %s\n", done.error().ToString().c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace headrace::bench

int main(int count, char** arguments) {
  return headrace::bench::Main(count, arguments);
}
