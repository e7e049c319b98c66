#pragma once

#include <memory>
#include <span>

#include "forest/forest.h"
#include "forest/simd.h"

namespace headrace::forest {

// One way to lay out a forest for scoring. Every kernel gives the same bits as PlainKernel, for a
// row alone and in a block. Immutable, thread-safe.
class ForestKernel {
 public:
  virtual ~ForestKernel() = default;

  // `features` is rows x forest.features, row-major and as given by the caller (not cleaned); `raw`
  // receives rows x forest.outputs.
  virtual void Score(std::span<const double> features, size_t rows,
                     std::span<double> raw) const = 0;
};

// Walks the plain forest, one comparison at a time. Takes every kind of split and leaf; slow. The
// forest must outlive it.
class PlainKernel : public ForestKernel {
 public:
  explicit PlainKernel(const Forest& forest) : forest_(forest) {}
  void Score(std::span<const double> features, size_t rows, std::span<double> raw) const override;

 private:
  const Forest& forest_;
};

// The kernels below need leaves that are single plain numbers, and return nullptr for a forest that
// they cannot take or would need too much memory for. They keep nothing of the forest.

// For trees of at most 64 leaves: see mask_kernel.cc.
std::unique_ptr<const ForestKernel> MakeMaskKernel(const Forest& forest, Simd simd);
// Roughly what a row costs there, in nanoseconds.
double MaskKernelCost(const Forest& forest);

// For trees of at most 32 leaves without categories, and only with AVX-512: see wide_kernel.cc.
std::unique_ptr<const ForestKernel> MakeWideKernel(const Forest& forest, Simd simd);
double WideKernelCost(const Forest& forest, Simd simd);

// For trees of any size: see node_kernel.cc.
std::unique_ptr<const ForestKernel> MakeNodeKernel(const Forest& forest);
double NodeKernelCost(const Forest& forest);

// The one of these that is expected to be the fastest; null when none takes the forest.
std::unique_ptr<const ForestKernel> MakeOwnKernel(const Forest& forest, Simd simd);

// The kernel that is expected to be the fastest; it may refer to the forest. Depends on nothing but
// its arguments.
std::unique_ptr<const ForestKernel> MakeKernel(const Forest& forest, Simd simd);

}  // namespace headrace::forest
