#include "learn/half_space_trees.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "headrace/check.h"

namespace headrace::learn {

HalfSpaceTrees::HalfSpaceTrees(size_t features, const HalfSpaceOptions& options, uint64_t seed)
    : options_(options),
      ranges_(features,
              {std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest()}) {
  HR_CHECK(features >= 1 && options.models >= 1 && options.window >= 1 && options.depth >= 1);
  nodes_.resize(options.models * NodesOfTree());
  Draws draws(seed);
  for (size_t tree = 0; tree < options.models; ++tree)
    Grow(tree * NodesOfTree(), draws);
}

// The work space of a feature reaches from a random point so far to both sides that it covers 0 to
// 1; each node halves that of one feature. Nodes are visited in the order in which they stand.
void HalfSpaceTrees::Grow(size_t first, Draws& draws) {
  const size_t features = ranges_.size();
  const size_t count = NodesOfTree();
  std::vector<std::vector<Range>> spaces(count);
  spaces[0].resize(features);
  for (Range& space : spaces[0]) {
    const double centre = draws.Unit();
    const double reach = 2 * std::max(centre, 1 - centre);
    space = {centre - reach, centre + reach};
  }
  for (size_t i = 0; 2 * i + 2 < count; ++i) {
    Node& node = nodes_[first + i];
    node.feature = static_cast<uint32_t>(draws.Below(features));
    const Range halved = spaces[i][node.feature];
    node.threshold = (halved.least + halved.most) / 2;
    spaces[2 * i + 1] = spaces[i];
    spaces[2 * i + 2] = std::move(spaces[i]);
    spaces[2 * i + 1][node.feature].most = node.threshold;
    spaces[2 * i + 2][node.feature].least = node.threshold;
  }
}

double HalfSpaceTrees::Scaled(Features x, uint32_t feature) const {
  constexpr double kMiddle = 0.5;
  const double value = x[feature];
  if (std::isnan(value)) return kMiddle;
  if (!options_.scale) return value;
  const Range& range = ranges_[feature];
  if (!(range.least < range.most)) return kMiddle;
  return (value - range.least) / (range.most - range.least);
}

std::optional<double> HalfSpaceTrees::Answer(Features x) const {
  if (!ready_) return {};
  const double size_limit = 0.1 * static_cast<double>(options_.window);
  double score = 0;
  for (size_t first = 0; first < nodes_.size(); first += NodesOfTree()) {
    size_t at = 0;
    size_t depth = 0;
    while (depth < options_.depth && nodes_[first + at].reference > size_limit) {
      const Node& node = nodes_[first + at];
      at = 2 * at + (Scaled(x, node.feature) < node.threshold ? 1 : 2);
      ++depth;
    }
    score += std::ldexp(nodes_[first + at].reference, static_cast<int>(depth));
  }
  const double most = static_cast<double>(options_.models * options_.window) *
                      std::ldexp(1, static_cast<int>(options_.depth));
  return 1 - score / most;
}

void HalfSpaceTrees::Learn(Features x) {
  for (size_t f = 0; f < ranges_.size(); ++f) {
    if (std::isnan(x[f])) continue;
    ranges_[f].least = std::min(ranges_[f].least, x[f]);
    ranges_[f].most = std::max(ranges_[f].most, x[f]);
  }
  for (size_t first = 0; first < nodes_.size(); first += NodesOfTree()) {
    size_t at = 0;
    for (size_t depth = 0; depth <= options_.depth; ++depth) {
      Node& node = nodes_[first + at];
      ++node.latest;
      at = 2 * at + (Scaled(x, node.feature) < node.threshold ? 1 : 2);
    }
  }
  if (++count_ == options_.window) TurnWindow();
}

void HalfSpaceTrees::TurnWindow() {
  for (Node& node : nodes_) {
    node.reference = node.latest;
    node.latest = 0;
  }
  count_ = 0;
  ready_ = true;
}

void HalfSpaceTrees::Save(base::ByteWriter& writer) const {
  writer.Varint(count_);
  writer.U8(ready_ ? 1 : 0);
  for (const Range& range : ranges_) {
    SaveDouble(range.least, writer);
    SaveDouble(range.most, writer);
  }
  for (const Node& node : nodes_) {
    writer.Varint(node.reference);
    writer.Varint(node.latest);
  }
}

bool HalfSpaceTrees::Load(base::ByteReader& reader) {
  count_ = reader.Varint();
  const uint8_t ready = reader.U8();
  if (count_ >= options_.window || ready > 1) return false;
  ready_ = ready == 1;
  for (Range& range : ranges_) {
    range = {LoadDouble(reader), LoadDouble(reader)};
    if (!std::isfinite(range.least) || !std::isfinite(range.most)) return false;
  }
  for (Node& node : nodes_) {
    const uint64_t reference = reader.Varint();
    const uint64_t latest = reader.Varint();
    if (reference > options_.window || latest > options_.window) return false;
    node.reference = static_cast<uint32_t>(reference);
    node.latest = static_cast<uint32_t>(latest);
  }
  return reader.ok();
}

size_t HalfSpaceTrees::memory() const {
  return sizeof *this + nodes_.size() * sizeof(Node) + ranges_.size() * sizeof(Range);
}

}  // namespace headrace::learn
