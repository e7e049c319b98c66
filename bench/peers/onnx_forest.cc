// Writes ONNX's protocol buffers by hand: a model is one graph of one node, and a field is a tag
// and a value. Numbers of fields and types are those of onnx.proto.
#include <cmath>
#include <cstring>
#include <string_view>

#include "peers/scorer.h"

namespace headrace::bench {
namespace {

class Message {
 public:
  Message& Add(uint64_t field, int64_t value) {
    Tag(field, 0);
    Varint(static_cast<uint64_t>(value));
    return *this;
  }
  Message& Add(uint64_t field, std::string_view value) {
    Tag(field, 2);
    Varint(value.size());
    bytes_ += value;
    return *this;
  }
  Message& Add(uint64_t field, const Message& value) { return Add(field, value.bytes_); }
  Message& Add(uint64_t field, const std::vector<float>& values) {
    std::string packed(values.size() * sizeof(float), '\0');
    std::memcpy(packed.data(), values.data(), packed.size());
    return Add(field, packed);
  }
  Message& Add(uint64_t field, const std::vector<int64_t>& values) {
    Message packed;
    for (const int64_t value : values) {
      packed.Varint(static_cast<uint64_t>(value));
    }
    return Add(field, packed);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void Tag(uint64_t field, uint64_t wire_type) { Varint(field * 8 + wire_type); }
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      bytes_ += static_cast<char>(value | 0x80);
    }
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

// AttributeProto: a name, a value in the field of its kind, and the kind.
Message Floats(std::string_view name, const std::vector<float>& values) {
  return Message().Add(1, name).Add(7, values).Add(20, 6);
}
Message Integers(std::string_view name, const std::vector<int64_t>& values) {
  return Message().Add(1, name).Add(8, values).Add(20, 7);
}
Message Integer(std::string_view name, int64_t value) {
  return Message().Add(1, name).Add(3, value).Add(20, 2);
}
Message Strings(std::string_view name, const std::vector<std::string_view>& values) {
  Message attribute;
  attribute.Add(1, name);
  for (const std::string_view value : values) {
    attribute.Add(9, value);
  }
  return attribute.Add(20, 8);
}

// ValueInfoProto: a tensor of floats with any number of rows.
Message Table(std::string_view name, int64_t columns) {
  const Message shape =
      Message().Add(1, Message().Add(2, "rows")).Add(1, Message().Add(1, columns));
  const Message tensor = Message().Add(1, 1).Add(2, shape);
  return Message().Add(1, name).Add(2, Message().Add(1, tensor));
}

float NotAbove(double x) {
  const auto nearest = static_cast<float>(x);
  return static_cast<double>(nearest) <= x ? nearest : std::nextafter(nearest, -INFINITY);
}

// The operator's attributes are lists with an entry for each node or leaf.
struct Lists {
  std::vector<int64_t> trees, nodes, features, left, right, missing_left;
  std::vector<float> thresholds;
  std::vector<std::string_view> modes;
  std::vector<int64_t> leaf_trees, leaf_nodes, leaf_outputs;
  std::vector<float> leaf_values;

  // Inner nodes have the numbers of the forest, leaves those behind them.
  void AddTree(int64_t t, const forest::Tree& tree) {
    const auto inner = static_cast<int64_t>(tree.nodes.size());
    const auto number_of = [inner](int32_t child) {
      return child < 0 ? inner + ~child : int64_t{child};
    };
    for (int64_t i = 0; i < inner; ++i) {
      const forest::TreeNode& node = tree.nodes[static_cast<size_t>(i)];
      AddNode(t, i, "BRANCH_LEQ");
      features.back() = node.feature;
      left.back() = number_of(node.left);
      right.back() = number_of(node.right);
      thresholds.back() = NotAbove(node.threshold);
    }
    for (int64_t i = 0; i < tree.leaves(); ++i) {
      AddNode(t, inner + i, "LEAF");
      leaf_trees.push_back(t);
      leaf_nodes.push_back(inner + i);
      leaf_outputs.push_back(tree.output);
      leaf_values.push_back(static_cast<float>(tree.leaf_values[static_cast<size_t>(i)]));
    }
  }

 private:
  void AddNode(int64_t tree, int64_t node, std::string_view mode) {
    trees.push_back(tree);
    nodes.push_back(node);
    modes.push_back(mode);
    features.push_back(0);
    left.push_back(0);
    right.push_back(0);
    missing_left.push_back(0);
    thresholds.push_back(0);
  }
};

}  // namespace

std::string OnnxForest(const forest::Forest& forest) {
  Lists lists;
  for (size_t t = 0; t < forest.trees.size(); ++t) {
    lists.AddTree(static_cast<int64_t>(t), forest.trees[t]);
  }
  std::vector<float> base;
  base.reserve(forest.base.size());
  for (const double value : forest.base) {
    base.push_back(static_cast<float>(value));
  }
  Message node;  // NodeProto
  node.Add(1, "x").Add(2, "raw").Add(4, "TreeEnsembleRegressor").Add(7, "ai.onnx.ml");
  for (const Message& attribute :
       {Integers("nodes_treeids", lists.trees), Integers("nodes_nodeids", lists.nodes),
        Integers("nodes_featureids", lists.features), Integers("nodes_truenodeids", lists.left),
        Integers("nodes_falsenodeids", lists.right),
        Integers("nodes_missing_value_tracks_true", lists.missing_left),
        Floats("nodes_values", lists.thresholds), Strings("nodes_modes", lists.modes),
        Integers("target_treeids", lists.leaf_trees), Integers("target_nodeids", lists.leaf_nodes),
        Integers("target_ids", lists.leaf_outputs), Floats("target_weights", lists.leaf_values),
        Integer("n_targets", forest.outputs), Floats("base_values", base)}) {
    node.Add(5, attribute);
  }
  Message graph;  // GraphProto
  graph.Add(1, node).Add(2, "forest").Add(11, Table("x", forest.features));
  graph.Add(12, Table("raw", forest.outputs));
  Message model;  // ModelProto; IR version 8, operators 15, and 1 of the domain for trees
  model.Add(1, 8).Add(2, "headrace").Add(7, graph).Add(8, Message().Add(2, 15));
  model.Add(8, Message().Add(1, "ai.onnx.ml").Add(2, 1));
  return model.bytes();
}

}  // namespace headrace::bench
