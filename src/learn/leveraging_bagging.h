#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "learn/adwin.h"
#include "learn/classifier.h"
#include "learn/draws.h"
#include "learn/hoeffding_tree.h"

namespace headrace::learn {

struct BaggingOptions {
  size_t models = 10;
  double lambda = 6;  // mean number of times that a tree learns an example
  double drift_delta = 0.002;
  TreeOptions tree{200, 1e-7, 0.05, 100, 0, size_t{64} << 20};  // memory_max: of all trees
};

// Hoeffding trees, each given an example a number of times from a Poisson distribution; their votes
// count the same. ADWIN watches the errors of each; when one gets worse, the worst begins anew.
// Bifet, Holmes and Pfahringer, "Leveraging Bagging for Evolving Data Streams", ECML PKDD 2010, as
// in River's LeveragingBaggingClassifier. Memory: BaggingOptions::tree.
class LeveragingBagging final : public Classifier {
 public:
  LeveragingBagging(size_t features, const BaggingOptions& options, uint64_t seed);

  void Vote(Features x, Votes& votes) const override;
  void Learn(Features x, size_t label, Votes& before) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

 private:
  struct Member {
    std::unique_ptr<HoeffdingTree> tree;
    Adwin errors;
  };

  static void AddVotes(const Votes& votes, Votes& sum);
  void ReplaceWorst();

  size_t features_;
  BaggingOptions options_;
  double exp_of_minus_lambda_;
  Draws draws_;
  std::vector<Member> members_;
};

}  // namespace headrace::learn
