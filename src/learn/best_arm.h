#pragma once

#include <span>
#include <vector>

namespace headrace::learn {

// The beta distribution, a and b at least 1. Value type.
class BetaDistribution {
 public:
  BetaDistribution(double a, double b);
  // The distribution function, within 1e-4. Continued fraction (Abramowitz and Stegun 26.5.8) or,
  // when both are large, the normal approximation of Peizer and Pratt, Journal of the American
  // Statistical Association 1968.
  double Cdf(double x) const;

 private:
  double a_;
  double b_;
  double log_front_ = 0;  // -ln B(a, b), where the fraction needs it
};

// The probability that each of several independent numbers is the greatest: what Thompson sampling
// draws by. The integral over the greatest number is a sum over cells; within a cell each of the
// others counts with its mean probability. Cells are of equal width where all that can be the
// greatest spread about alike, else they end at fixed quantiles of each. The result sums up to 1
// and is a function of the parameters alone; it is within 0.01 of the exact one.
// Unsynchronized; keeps scratch memory.
class BestArm {
 public:
  // Of normal distributions. Deviations are not negative.
  void OfNormals(std::span<const double> means, std::span<const double> deviations,
                 std::span<double> shares);
  // Of beta distributions with these parameters, which are at least 1.
  void OfBetas(std::span<const double> a, std::span<const double> b, std::span<double> shares);

 private:
  static constexpr size_t kEdgesMax = 256;
  static constexpr size_t kEvenEdges = 41;  // where all spread alike: the widest by kAlike times
  static constexpr double kAlike = 3;

  // Fills what can be the greatest at all, and the edges of the cells.
  void Prepare(std::span<const double> means, std::span<const double> deviations,
               std::span<const double> steps);
  void SpreadEdges(double lowest, double highest, size_t count);
  template <typename Cdf>
  void Integrate(const Cdf& cdf, std::span<double> shares);

  std::vector<size_t> able_;
  std::vector<double> edges_;
  std::vector<double> before_, now_, mean_, left_;
  std::vector<double> means_, deviations_;
  std::vector<BetaDistribution> betas_;
};

// The logarithm of the gamma function, of what is above 0 (Stirling's series).
double LogGamma(double x);

}  // namespace headrace::learn
