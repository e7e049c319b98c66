#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::model {

// Writes ONNX files for tests: the few messages and fields that these need.
class OnnxWriter {
 public:
  // Adds one field to a message.
  static void Varint(uint64_t value, std::string* out) {
    for (; value >= 0x80; value >>= 7) {
      out->push_back(static_cast<char>(value | 0x80));
    }
    out->push_back(static_cast<char>(value));
  }
  static void Integer(int field, int64_t value, std::string* out) {
    Varint(static_cast<uint64_t>(field) << 3, out);
    Varint(static_cast<uint64_t>(value), out);
  }
  static void Bytes(int field, std::string_view bytes, std::string* out) {
    Varint(static_cast<uint64_t>(field) << 3 | 2, out);
    Varint(bytes.size(), out);
    out->append(bytes);
  }
  static void Float(int field, float value, std::string* out) {
    Varint(static_cast<uint64_t>(field) << 3 | 5, out);
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int i = 0; i < 4; ++i) {
      out->push_back(static_cast<char>(bits >> (8 * i)));
    }
  }

  static std::string Ints(std::string_view name, const std::vector<int64_t>& values) {
    std::string attribute = Named(name, 7);
    for (int64_t value : values) {
      Integer(8, value, &attribute);
    }
    return attribute;
  }
  static std::string Floats(std::string_view name, const std::vector<float>& values) {
    std::string attribute = Named(name, 6);
    for (float value : values) {
      Float(7, value, &attribute);
    }
    return attribute;
  }
  static std::string Texts(std::string_view name, const std::vector<std::string>& values) {
    std::string attribute = Named(name, 8);
    for (const std::string& value : values) {
      Bytes(9, value, &attribute);
    }
    return attribute;
  }
  static std::string Int(std::string_view name, int64_t value) {
    std::string attribute = Named(name, 2);
    Integer(3, value, &attribute);
    return attribute;
  }
  static std::string Text(std::string_view name, std::string_view value) {
    std::string attribute = Named(name, 3);
    Bytes(4, value, &attribute);
    return attribute;
  }

  OnnxWriter& Node(std::string_view op, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs,
                   const std::vector<std::string>& attributes = {}, std::string_view domain = "") {
    std::string node;
    for (const std::string& name : inputs) {
      Bytes(1, name, &node);
    }
    for (const std::string& name : outputs) {
      Bytes(2, name, &node);
    }
    Bytes(4, op, &node);
    for (const std::string& attribute : attributes) {
      Bytes(5, attribute, &node);
    }
    if (!domain.empty()) Bytes(7, domain, &node);
    Bytes(1, node, &graph_);
    return *this;
  }
  OnnxWriter& MlNode(std::string_view op, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs,
                     const std::vector<std::string>& attributes) {
    return Node(op, inputs, outputs, attributes, "ai.onnx.ml");
  }
  OnnxWriter& Scalar(std::string_view name, int64_t value) {
    std::string tensor;
    Integer(2, 7, &tensor);
    Bytes(8, name, &tensor);
    Bytes(9, std::string(reinterpret_cast<const char*>(&value), sizeof(value)), &tensor);
    Bytes(5, tensor, &graph_);
    return *this;
  }
  OnnxWriter& Weights(std::string_view name, const std::vector<int64_t>& shape,
                      const std::vector<float>& values) {
    std::string tensor;
    for (int64_t extent : shape) {
      Integer(1, extent, &tensor);
    }
    Integer(2, 1, &tensor);
    Bytes(8, name, &tensor);
    std::string raw(values.size() * sizeof(float), '\0');
    if (!values.empty()) std::memcpy(raw.data(), values.data(), raw.size());
    Bytes(9, raw, &tensor);
    Bytes(5, tensor, &graph_);
    return *this;
  }
  // The number of rows is left open; `type` is ONNX's number of the element type.
  OnnxWriter& Input(std::string_view name, int64_t columns, int64_t type = 1) {
    Bytes(11, Port(name, columns, type), &graph_);
    return *this;
  }
  OnnxWriter& Output(std::string_view name, int64_t type = 1) {
    Bytes(12, Port(name, 0, type), &graph_);
    return *this;
  }
  OnnxWriter& Raw(int field, std::string_view bytes) {
    Bytes(field, bytes, &graph_);
    return *this;
  }

  std::string File(int64_t opset = 17) const {
    std::string file;
    Integer(1, 8, &file);
    Bytes(7, graph_, &file);
    Bytes(8, Opset("", opset), &file);
    Bytes(8, Opset("ai.onnx.ml", 3), &file);
    return file;
  }

 private:
  static std::string Named(std::string_view name, int64_t kind) {
    std::string attribute;
    Bytes(1, name, &attribute);
    Integer(20, kind, &attribute);
    return attribute;
  }
  static std::string Opset(std::string_view domain, int64_t version) {
    std::string opset;
    Bytes(1, domain, &opset);
    Integer(2, version, &opset);
    return opset;
  }
  // Without columns the shape is left out.
  static std::string Port(std::string_view name, int64_t columns, int64_t type) {
    std::string shape;
    Bytes(1, "", &shape);
    std::string extent;
    Integer(1, columns, &extent);
    Bytes(1, extent, &shape);
    std::string tensor;
    Integer(1, type, &tensor);
    if (columns > 0) Bytes(2, shape, &tensor);
    std::string value_type;
    Bytes(1, tensor, &value_type);
    std::string port;
    Bytes(1, name, &port);
    Bytes(2, value_type, &port);
    return port;
  }

  std::string graph_;
};

// One text and one number: label "yes" when 2 * amount + {a: 1, b: -3, else 0}[kind] > 0.
inline std::string TextOnnx() {
  OnnxWriter writer;
  writer.Input("kind", 1, 8).Input("amount", 1);
  writer.MlNode("OneHotEncoder", {"kind"}, {"kinds"},
                {OnnxWriter::Texts("cats_strings", {"a", "b"}), OnnxWriter::Int("zeros", 1)});
  writer.Node("Flatten", {"kinds"}, {"flat"}, {OnnxWriter::Int("axis", 1)});
  writer.Node("Concat", {"amount", "flat"}, {"all"}, {OnnxWriter::Int("axis", 1)});
  writer.MlNode("LinearClassifier", {"all"}, {"label", "scores"},
                {OnnxWriter::Floats("coefficients", {-2, -1, 3, 2, 1, -3}),
                 OnnxWriter::Floats("intercepts", {0, 0}),
                 OnnxWriter::Texts("classlabels_strings", {"no", "yes"}),
                 OnnxWriter::Text("post_transform", "LOGISTIC")});
  writer.Output("label", 8).Output("scores");
  return writer.File();
}

// Two trees: x0 < 1 ? 10 : 20, and x1 > 5 (a missing one too) ? 1 : (x1 == 5 ? 2 : 3).
// `mode` replaces the mode of the first split.
inline std::string TreeOnnx(const std::string& mode = "BRANCH_LT") {
  OnnxWriter writer;
  writer.Input("x", 2);
  writer.MlNode(
      "TreeEnsembleRegressor", {"x"}, {"y"},
      {OnnxWriter::Ints("nodes_treeids", {0, 0, 0, 1, 1, 1, 1, 1}),
       OnnxWriter::Ints("nodes_nodeids", {0, 1, 2, 0, 1, 2, 3, 4}),
       OnnxWriter::Ints("nodes_featureids", {0, 0, 0, 1, 0, 1, 0, 0}),
       OnnxWriter::Floats("nodes_values", {1, 0, 0, 5, 0, 5, 0, 0}),
       OnnxWriter::Texts("nodes_modes",
                         {mode, "LEAF", "LEAF", "BRANCH_GT", "LEAF", "BRANCH_EQ", "LEAF", "LEAF"}),
       OnnxWriter::Ints("nodes_truenodeids", {1, 0, 0, 1, 0, 3, 0, 0}),
       OnnxWriter::Ints("nodes_falsenodeids", {2, 0, 0, 2, 0, 4, 0, 0}),
       OnnxWriter::Ints("nodes_missing_value_tracks_true", {0, 0, 0, 1, 0, 0, 0, 0}),
       OnnxWriter::Ints("target_treeids", {0, 0, 1, 1, 1}),
       OnnxWriter::Ints("target_nodeids", {1, 2, 1, 3, 4}),
       OnnxWriter::Ints("target_ids", {0, 0, 0, 0, 0}),
       OnnxWriter::Floats("target_weights", {10, 20, 1, 2, 3}), OnnxWriter::Int("n_targets", 1)});
  writer.Output("y");
  return writer.File();
}

}  // namespace headrace::model
