#include "train/kmeans.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "train/scored_rows.h"
#include "train/train_testing.h"

namespace headrace::train {
namespace {

Options Clusters(size_t clusters) {
  Options options = Options::For(Algorithm::kKMeans);
  options.clusters = clusters;
  return options;
}

// Rows around corners of a square whose sides have other units.
std::string Blobs(size_t rows, bool gaps) {
  Draws draws(5);
  std::string csv = "a,b\n";
  for (size_t i = 0; i < rows; ++i) {
    const double a = (i % 2 == 0 ? 0 : 8) + draws.Unit();
    const double b = 1000 * ((i / 2 % 2 == 0 ? 0 : 8) + draws.Unit());
    csv += ShortText(a) + "," + (gaps && draws.OneIn(10) ? "" : ShortText(b)) + "\n";
  }
  return csv;
}

std::vector<size_t> NearestOf(const std::string& text, const std::string& csv) {
  const auto model = model::Model::Load(text).value();
  const ScoredRows scored = ScoreTable(*model, ReadTable(csv, {}, Task::kRegression).value());
  std::vector<size_t> nearest;
  for (size_t row = 0; row < scored.labels.size(); ++row) {
    const auto begin = scored.values.begin() + static_cast<int64_t>(row * scored.width);
    nearest.push_back(static_cast<size_t>(
        std::max_element(begin, begin + static_cast<int64_t>(scored.width)) - begin));
  }
  return nearest;
}

TEST(KMeans, FindsClustersThatAreApart) {
  const std::string csv = Blobs(400, false);
  const Trained trained = LearnCsv(csv, {}, Clusters(4));
  const std::vector<size_t> nearest = NearestOf(trained.text, csv);
  std::set<size_t> seen;
  for (size_t corner = 0; corner < 4; ++corner) {
    for (size_t row = corner; row < 400; row += 4)
      EXPECT_EQ(nearest[corner], nearest[row]);
    seen.insert(nearest[corner]);
  }
  EXPECT_EQ(4u, seen.size());
}

// Where nothing changes any more, the centre of each cluster is the mean of the rows nearest to it,
// so the loss is what these rows are away from their own mean.
TEST(KMeans, TheLossIsThatOfTheClustersThatTheFileSays) {
  Draws draws(8);
  std::string csv = "a,b,c\n";
  for (int i = 0; i < 500; ++i)
    csv += ShortText(draws.Unit()) + "," + ShortText(draws.Unit() * 50) + "," +
           ShortText(draws.Unit() * draws.Unit()) + "\n";
  const Trained trained = LearnCsv(csv, {}, Clusters(6));
  const std::vector<size_t> nearest = NearestOf(trained.text, csv);
  const Table table = ReadTable(csv, {}, Task::kRegression).value();
  double squares = 0;
  for (const Column& column : table.columns) {
    double sum = 0, all = 0;
    for (double x : column.values)
      sum += x;
    for (double x : column.values)
      all += (x - sum / 500) * (x - sum / 500);
    for (size_t cluster = 0; cluster < 6; ++cluster) {
      double own = 0, rows = 0;
      for (size_t row = 0; row < 500; ++row) {
        own += nearest[row] == cluster ? column.values[row] : 0;
        rows += nearest[row] == cluster ? 1 : 0;
      }
      for (size_t row = 0; row < 500; ++row) {
        if (nearest[row] != cluster) continue;
        squares +=
            (column.values[row] - own / rows) * (column.values[row] - own / rows) / (all / 500);
      }
    }
  }
  EXPECT_NEAR(squares / 500, trained.loss, 1e-9);
}

TEST(KMeans, TheNumberOfThreadsDoesNotShow) {
  Options options = Clusters(7);
  const std::string csv = Blobs(60'000, true);
  const std::string one = LearnCsv(csv, {}, options).text;
  options.threads = 4;
  EXPECT_EQ(one, LearnCsv(csv, {}, options).text);
}

TEST(KMeans, LeavesOutWhatIsMissing) {
  const std::string csv = Blobs(400, true);
  const Trained trained = LearnCsv(csv, {}, Clusters(4));
  const std::vector<size_t> nearest = NearestOf(trained.text, csv);
  const Table table = ReadTable(csv, {}, Task::kRegression).value();
  for (size_t row = 4; row < 400; ++row) {
    if (!std::isnan(table.columns[1].values[row]) &&
        !std::isnan(table.columns[1].values[row % 4])) {
      EXPECT_EQ(nearest[row % 4], nearest[row]);
    }
  }
}

TEST(KMeans, SaysWhatHasNoClusters) {
  ColumnChoice words;
  words.categorical = {"w"};
  EXPECT_EQ("HR3070", LearnFails("x,w\n1,a\n2,b\n", words, Clusters(2)));
  EXPECT_EQ("HR3070", LearnFails("x\n1\n2\n", {}, Clusters(3)));
  EXPECT_EQ("HR3070", LearnFails("x\n1\n1\n", {}, Clusters(2)));
  EXPECT_EQ("HR3070", LearnFails("x\n1\ninf\n", {}, Clusters(2)));
  EXPECT_EQ("", LearnFails("x\n1\n1\n1\n2\n", {}, Clusters(4)));
}

}  // namespace
}  // namespace headrace::train
