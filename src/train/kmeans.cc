#include "train/kmeans.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "os/random.h"
#include "train/bins.h"
#include "train/design.h"
#include "train/model_text.h"
#include "train/ordered_sum.h"

namespace headrace::train {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

// Rows that stand on their centres would make the shares infinitely sharp.
constexpr double kVarianceMin = 1e-12;

// What one pass over the rows adds up.
struct Pass {
  std::vector<double> sums;    // cluster x feature
  std::vector<double> counts;  // cluster x feature, of what is there
  double squares = 0;          // of the distances to the nearest centres
  size_t moved = 0;            // rows that changed their cluster
};

class KMeans {
 public:
  KMeans(const Table& table, const std::vector<size_t>& columns, size_t clusters,
         os::WorkerTeam& team)
      : table_(table),
        columns_(columns),
        clusters_(clusters),
        team_(team),
        cluster_of_(table.rows(), kNone) {}

  void Run(os::SeededRandom& random) {
    DrawCentres(random);
    for (size_t round = 0; round < kKMeansRoundsMax; ++round) {
      const Pass pass = Assign();
      squares_ = pass.squares;
      if (pass.moved == 0) return;
      for (size_t i = 0; i < centres_.size(); ++i) {
        if (pass.counts[i] > 0) centres_[i] = pass.sums[i] / pass.counts[i];
      }
    }
    squares_ = Assign().squares;
  }

  double centre(size_t cluster, size_t f) const { return centres_[cluster * columns_.size() + f]; }
  double squares() const { return squares_; }

  double SquareTo(const Table& table, size_t row, size_t cluster) const {
    const double* centre = centres_.data() + cluster * columns_.size();
    double sum = 0;
    for (size_t f = 0; f < columns_.size(); ++f) {
      const double away = table.columns[columns_[f]].values[row] - centre[f];
      sum += std::isnan(away) ? 0 : away * away;
    }
    return sum;
  }

 private:
  // Each further centre is a row, drawn by its squared distance from those there are.
  void DrawCentres(os::SeededRandom& random) {
    std::vector<double> nearest(table_.rows(), std::numeric_limits<double>::infinity());
    size_t chosen = random.Below(table_.rows());
    for (size_t cluster = 0; cluster < clusters_; ++cluster) {
      AddCentre(chosen);
      double sum = 0;
      SumInOrder(
          table_.rows(), team_, 0.0,
          [&](size_t begin, size_t end, double* part) {
            for (size_t row = begin; row < end; ++row)
              *part += nearest[row] = std::min(nearest[row], SquareTo(table_, row, cluster));
          },
          [&](double part) { sum += part; });
      double left = static_cast<double>(random.Next() >> 11) * 0x1p-53 * sum;
      for (size_t row = 0; row < nearest.size(); ++row) {
        if (nearest[row] > 0) chosen = row;
        left -= nearest[row];
        if (left < 0) break;
      }
    }
  }

  void AddCentre(size_t row) {
    for (size_t column : columns_) {
      const double x = table_.columns[column].values[row];
      centres_.push_back(std::isnan(x) ? 0 : x);  // the mean
    }
  }

  Pass Assign() {
    Pass empty;
    empty.sums.resize(centres_.size());
    empty.counts.resize(centres_.size());
    Pass all = empty;
    SumInOrder(
        table_.rows(), team_, empty,
        [&](size_t begin, size_t end, Pass* part) {
          for (size_t row = begin; row < end; ++row)
            Take(row, part);
        },
        [&](const Pass& part) {
          for (size_t i = 0; i < centres_.size(); ++i) {
            all.sums[i] += part.sums[i];
            all.counts[i] += part.counts[i];
          }
          all.squares += part.squares;
          all.moved += part.moved;
        });
    return all;
  }

  // The first of the nearest centres.
  void Take(size_t row, Pass* part) {
    uint32_t nearest = 0;
    double least = std::numeric_limits<double>::infinity();
    for (size_t cluster = 0; cluster < clusters_; ++cluster) {
      const double square = SquareTo(table_, row, cluster);
      if (!(square < least)) continue;
      least = square;
      nearest = static_cast<uint32_t>(cluster);
    }
    part->moved += cluster_of_[row] == nearest ? 0 : 1;
    cluster_of_[row] = nearest;
    part->squares += least;
    for (size_t f = 0; f < columns_.size(); ++f) {
      const double x = table_.columns[columns_[f]].values[row];
      if (std::isnan(x)) continue;
      part->sums[nearest * columns_.size() + f] += x;
      ++part->counts[nearest * columns_.size() + f];
    }
  }

  const Table& table_;
  const std::vector<size_t>& columns_;
  size_t clusters_;
  os::WorkerTeam& team_;
  std::vector<uint32_t> cluster_of_;
  std::vector<double> centres_;  // cluster x feature
  double squares_ = 0;
};

// The features that vary, and how.
struct Scaled {
  std::vector<size_t> columns;
  std::vector<Scale> scales;
};

// Measures the columns that vary. Error: HR3070.
Result<Scaled> Measure(const Table& table) {
  Scaled scaled;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].categorical) {
      return Error(ErrorKind::kInvalidArgument, "HR3070",
                   "\"" + table.columns[c].name + "\" has categories, which have no distance")
          .WithHint("leave the column out with --ignore " + table.columns[c].name);
    }
    HR_ASSIGN(const Scale scale, Scale::Of(table.columns[c]));
    if (!(scale.deviation > 0)) continue;
    scaled.columns.push_back(c);
    scaled.scales.push_back(scale);
  }
  if (scaled.columns.empty()) {
    return Error(ErrorKind::kInvalidArgument, "HR3070",
                 "all rows are alike; there are no clusters");
  }
  return scaled;
}

void Standardise(const Scaled& scaled, Table* table) {
  for (size_t f = 0; f < scaled.columns.size(); ++f) {
    for (double& x : table->columns[scaled.columns[f]].values)
      x = (x - scaled.scales[f].mean) / scaled.scales[f].deviation;
  }
}

double MeanSquare(const KMeans& means, const Scaled& scaled, size_t clusters, Table table) {
  Standardise(scaled, &table);
  double sum = 0;
  for (size_t row = 0; row < table.rows(); ++row) {
    double least = std::numeric_limits<double>::infinity();
    for (size_t cluster = 0; cluster < clusters; ++cluster)
      least = std::min(least, means.SquareTo(table, row, cluster));
    sum += least;
  }
  return sum / static_cast<double>(table.rows());
}

std::vector<Tree> TreesOf(const KMeans& means, const Scaled& scaled, const Options& options,
                          double variance, size_t rows) {
  std::vector<Tree> trees;
  for (size_t f = 0; f < scaled.columns.size(); ++f) {
    const Scale& scale = scaled.scales[f];
    for (size_t cluster = 0; cluster < options.clusters; ++cluster) {
      const double centre = means.centre(cluster, f);
      const double coefficient = centre / scale.deviation / variance;
      const double constant = -coefficient * scale.mean - centre * centre / 2 / variance;
      Tree& tree = trees.emplace_back();
      tree.leaves.push_back({0, 0, static_cast<int64_t>(rows)});
      tree.linear = LinearLeaf{constant, {scaled.columns[f]}, {coefficient}};
    }
  }
  return trees;
}

}  // namespace

Result<Trained> TrainKMeans(Table table, const Table* validation, const Options& options) {
  if (options.clusters > table.rows()) {
    return Error(ErrorKind::kInvalidArgument, "HR3070",
                 std::to_string(options.clusters) + " clusters of " + std::to_string(table.rows()) +
                     " rows");
  }
  os::WorkerTeam team(options.threads);
  HR_ASSIGN(const Scaled scaled, Measure(table));
  std::vector<FeatureBins> bins;
  const std::vector<uint32_t> looked_at = SampleRows(table.rows(), options.seed);
  for (const Column& column : table.columns)
    bins.push_back(MakeBins(column, looked_at));
  Standardise(scaled, &table);
  size_t there = 0;
  for (size_t column : scaled.columns) {
    for (double x : table.columns[column].values)
      there += std::isnan(x) ? 0 : 1;
  }
  KMeans means(table, scaled.columns, options.clusters, team);
  os::SeededRandom random(options.seed);
  means.Run(random);
  const double within = means.squares() / static_cast<double>(there);
  const std::vector<Tree> trees =
      TreesOf(means, scaled, options, std::max(within, kVarianceMin), table.rows());
  Trained trained;
  trained.rounds = scaled.columns.size();
  trained.loss = means.squares() / static_cast<double>(table.rows());
  if (validation != nullptr)
    trained.validation_loss = MeanSquare(means, scaled, options.clusters, *validation);
  trained.text = ModelText({.table = table,
                            .bins = bins,
                            .trees = trees,
                            .outputs = options.clusters,
                            .objective = "multiclass num_class:" + std::to_string(options.clusters),
                            .options = options,
                            .whole_trees = true});
  return trained;
}

}  // namespace headrace::train
