// Operators of TensorFlow Lite on 8-bit integers. A byte q stands for (q - zero_point) * scale.
#include <algorithm>
#include <cmath>

#include "onnx/tflite.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

constexpr double kByteMin = -128;
constexpr double kByteMax = 127;

class Quantize : public Operation {
 public:
  Quantize(size_t count, float scale, double zero) : count_(count), scale_(scale), zero_(zero) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t i = 0; i < count_; ++i) {
      const float x = static_cast<float>(inputs[0][i]) * (1 / scale_);
      const double q = std::nearbyint(static_cast<double>(x)) + zero_;
      // A NaN becomes the lowest byte, as a comparison with it is false.
      outputs[0][i] = q > kByteMin ? std::min(q, kByteMax) : kByteMin;
    }
  }

 private:
  size_t count_;
  float scale_;
  double zero_;
};

class Dequantize : public Operation {
 public:
  Dequantize(size_t count, float scale, double zero) : count_(count), scale_(scale), zero_(zero) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t i = 0; i < count_; ++i) {
      outputs[0][i] = static_cast<double>(static_cast<float>(inputs[0][i] - zero_) * scale_);
    }
  }

 private:
  size_t count_;
  float scale_;
  double zero_;
};

// What both need of the attributes.
struct ByteCode {
  float scale = 1;
  double zero = 0;
};

ByteCode ByteCodeOf(OnnxOp& op) {
  const ByteCode code = {op.Number("scale", 0), static_cast<double>(op.Integer("zero_point", 0))};
  if (!(code.scale > 0) || !std::isfinite(code.scale)) op.Malformed("a scale that is not positive");
  if (code.zero < kByteMin || code.zero > kByteMax) op.Malformed("a zero point that is no byte");
  return code;
}

void CompileQuantize(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  const ByteCode code = ByteCodeOf(op);
  if (op.failed()) return;
  if (in.type != kFloat) return op.Unsupported("the input is not float");
  op.Give(0, op.ApplyOne(std::make_unique<Quantize>(in.count(), code.scale, code.zero), {&in},
                         {kInt8, in.shape}, in.count()));
}

void CompileDequantize(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  const ByteCode code = ByteCodeOf(op);
  if (op.failed()) return;
  if (in.type != kInt8) return op.Unsupported("the input is not of bytes");
  op.Give(0, op.ApplyOne(std::make_unique<Dequantize>(in.count(), code.scale, code.zero), {&in},
                         {kFloat, in.shape}, in.count()));
}

// Exact sums of products of bytes, scaled to bytes.
class ConnectBytes : public Operation {
 public:
  struct Rules {
    size_t inputs = 0;
    size_t outputs = 0;
    double zero_in = 0;
    double zero_out = 0;
    double low = kByteMin;
    double high = kByteMax;
  };
  ConnectBytes(size_t vectors, Rules rules, std::vector<int8_t> weights, std::vector<float> scales,
               std::vector<int64_t> bias)
      : vectors_(vectors),
        rules_(rules),
        weights_(std::move(weights)),
        scales_(std::move(scales)),
        bias_(std::move(bias)) {}

  void Run(const double* const* inputs, double* const* outputs) const override {
    std::vector<int32_t> x(rules_.inputs);
    for (size_t v = 0; v < vectors_; ++v) {
      for (size_t i = 0; i < rules_.inputs; ++i) {
        x[i] = static_cast<int32_t>(inputs[0][v * rules_.inputs + i] - rules_.zero_in);
      }
      for (size_t o = 0; o < rules_.outputs; ++o) {
        int64_t sum = bias_[o];
        for (size_t i = 0; i < rules_.inputs; ++i) {
          sum += x[i] * weights_[o * rules_.inputs + i];
        }
        const float scaled = static_cast<float>(sum) * scales_[o];
        const double q = std::nearbyint(static_cast<double>(scaled)) + rules_.zero_out;
        outputs[0][v * rules_.outputs + o] = std::clamp(q, rules_.low, rules_.high);
      }
    }
  }

 private:
  size_t vectors_;
  Rules rules_;
  std::vector<int8_t> weights_;  // by output
  std::vector<float> scales_;    // of each output
  std::vector<int64_t> bias_;
};

void CompileConnect(OnnxOp& op) {
  const OnnxValue& x = op.NumbersIn(0);
  const OnnxValue& w = op.NumbersIn(1);
  const std::span<const double> weights = op.FixedIn(1);
  const std::span<const double> bias = op.Has(2) ? op.FixedIn(2) : std::span<const double>();
  const std::vector<float>& scales = op.Numbers("scales");
  if (op.failed()) return;
  if (x.type != kInt8 || w.type != kInt8 || (op.Has(2) && op.In(2).type != kInt32)) {
    return op.Unsupported("inputs that are not of bytes");
  }
  if (w.shape.size() != 2 || w.shape[1] < 1 || x.count() % static_cast<size_t>(w.shape[1]) != 0) {
    return op.Malformed("weights of the shape " + ToString(w.shape) + " do not fit an input of " +
                        ToString(x.shape));
  }
  ConnectBytes::Rules rules;
  rules.inputs = static_cast<size_t>(w.shape[1]);
  rules.outputs = static_cast<size_t>(w.shape[0]);
  rules.zero_in = static_cast<double>(op.Integer("zero_in", 0));
  rules.zero_out = static_cast<double>(op.Integer("zero_out", 0));
  rules.low = static_cast<double>(op.Integer("low", -128));
  rules.high = static_cast<double>(op.Integer("high", 127));
  if (scales.size() != rules.outputs || (op.Has(2) && bias.size() != rules.outputs)) {
    return op.Malformed("scales or biases are not one for each output");
  }
  const bool positive =
      std::all_of(scales.begin(), scales.end(), [](float s) { return s > 0 && std::isfinite(s); });
  if (!positive || rules.low > rules.high) return op.Malformed("a scale that is not positive");
  std::vector<int64_t> sums(rules.outputs);
  std::copy(bias.begin(), bias.end(), sums.begin());
  const size_t vectors = x.count() / rules.inputs;
  const OnnxShape to = {kInt8, {static_cast<int64_t>(vectors), w.shape[0]}};
  op.Give(0, op.ApplyOne(std::make_unique<ConnectBytes>(
                             vectors, rules, std::vector<int8_t>(weights.begin(), weights.end()),
                             scales, std::move(sums)),
                         {&x}, to, vectors * weights.size()));
}

class LookUp : public Operation {
 public:
  LookUp(size_t count, std::vector<double> table) : count_(count), table_(std::move(table)) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t i = 0; i < count_; ++i) {
      outputs[0][i] = table_[static_cast<size_t>(inputs[0][i] - kByteMin)];
    }
  }

 private:
  size_t count_;
  std::vector<double> table_;  // by byte, from the lowest
};

void CompileLookUp(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  const std::vector<int64_t>& table = op.Integers("table");
  if (op.failed()) return;
  if (in.type != kInt8 || table.size() != 256) return op.Malformed("not a table for bytes");
  op.Give(0, op.ApplyOne(std::make_unique<LookUp>(in.count(),
                                                  std::vector<double>(table.begin(), table.end())),
                         {&in}, {kInt8, in.shape}, in.count()));
}

constexpr OnnxOperator kOperators[] = {
    {kTfliteDomain, "CONNECT_BYTES", CompileConnect},
    {kTfliteDomain, "DEQUANTIZE", CompileDequantize},
    {kTfliteDomain, "LOOK_UP", CompileLookUp},
    {kTfliteDomain, "QUANTIZE", CompileQuantize},
};

}  // namespace

std::span<const OnnxOperator> TfliteOperators() {
  return kOperators;
}

}  // namespace headrace::onnx
