// Convolutions over one to three axes.
#include <algorithm>
#include <cmath>

#include "onnx/op.h"
#include "onnx/tensor_spread.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

// How the window moves along one axis.
struct Axis {
  int64_t extent = 1;  // of the input
  int64_t window = 1;
  int64_t step = 1;
  int64_t dilation = 1;
  int64_t pad_before = 0;
  int64_t pad_after = 0;

  int64_t reach() const { return (window - 1) * dilation + 1; }
  int64_t places() const { return (extent + pad_before + pad_after - reach()) / step + 1; }
};

struct Channels {
  size_t groups = 1;
  size_t in = 1;   // of one group
  size_t out = 1;  // of one group
};

class Convolve : public Operation {
 public:
  Convolve(size_t batch, Channels channels, std::vector<Axis> axes, std::vector<float> weights,
           std::vector<float> bias)
      : batch_(batch),
        channels_(channels),
        axes_(std::move(axes)),
        weights_(std::move(weights)),
        bias_(std::move(bias)) {
    for (const Axis& axis : axes_) {
      windows_ *= static_cast<size_t>(axis.window);
      extent_ *= static_cast<size_t>(axis.extent);
      places_ *= static_cast<size_t>(axis.places());
    }
  }

  void Run(const double* const* inputs, double* const* outputs) const override {
    std::vector<int64_t> taps(windows_);
    std::vector<int64_t> at(axes_.size());
    for (size_t place = 0; place < places_; ++place) {
      FindTaps(at, &taps);
      for (size_t b = 0; b < batch_; ++b) {
        One(inputs[0] + b * channels_.groups * channels_.in * extent_, taps,
            outputs[0] + b * channels_.groups * channels_.out * places_ + place);
      }
      for (size_t a = axes_.size(); a-- > 0;) {
        if (++at[a] < axes_[a].places()) break;
        at[a] = 0;
      }
    }
  }

 private:
  // The place in a channel of the input under each weight of the window; -1 beyond its edge.
  void FindTaps(const std::vector<int64_t>& at, std::vector<int64_t>* taps) const {
    for (size_t w = 0; w < windows_; ++w) {
      size_t rest = w;
      int64_t place = 0;
      int64_t stride = 1;
      for (size_t a = axes_.size(); a-- > 0;) {
        const Axis& axis = axes_[a];
        const auto offset = static_cast<int64_t>(rest % static_cast<size_t>(axis.window));
        rest /= static_cast<size_t>(axis.window);
        const int64_t x = at[a] * axis.step + offset * axis.dilation - axis.pad_before;
        const bool outside = x < 0 || x >= axis.extent || place < 0;
        place = outside ? -1 : place + x * stride;
        stride *= axis.extent;
      }
      (*taps)[w] = place;
    }
  }

  // One place of all output channels.
  void One(const double* in, const std::vector<int64_t>& taps, double* out) const {
    const size_t each = channels_.in * windows_;
    for (size_t channel = 0; channel < channels_.groups * channels_.out; ++channel) {
      const size_t group = channel / channels_.out;
      const float* weight = weights_.data() + channel * each;
      const double* x = in + group * channels_.in * extent_;
      float sum = 0;
      for (size_t c = 0; c < channels_.in; ++c, x += extent_) {
        for (int64_t tap : taps) {
          if (tap >= 0) sum = std::fma(static_cast<float>(x[tap]), *weight, sum);
          ++weight;
        }
      }
      if (!bias_.empty()) sum += bias_[channel];
      out[channel * places_] = static_cast<double>(sum);
    }
  }

  size_t batch_;
  Channels channels_;
  std::vector<Axis> axes_;
  std::vector<float> weights_;
  std::vector<float> bias_;
  size_t windows_ = 1;
  size_t extent_ = 1;
  size_t places_ = 1;
};

// One number of a list that may be left out.
int64_t Nth(OnnxOp& op, std::string_view name, size_t i, int64_t otherwise) {
  const std::vector<int64_t>& list = op.Integers(name);
  if (list.empty()) return otherwise;
  if (i < list.size() && list[i] >= 0 && list[i] <= int64_t{kTensorElementsMax}) return list[i];
  op.Malformed(std::string(name) + " does not fit the input");
  return otherwise;
}

// Pads such that there is a place for every step of the input.
void PadToSame(bool more_before, Axis* axis) {
  const int64_t places = (axis->extent + axis->step - 1) / axis->step;
  const int64_t pad =
      std::max<int64_t>(0, (places - 1) * axis->step + axis->reach() - axis->extent);
  axis->pad_before = more_before ? pad - pad / 2 : pad / 2;
  axis->pad_after = pad - axis->pad_before;
}

std::vector<Axis> AxesOf(OnnxOp& op, const Shape& input, const Shape& weights) {
  const size_t rank = input.size() - 2;
  const std::string_view padding = op.Text("auto_pad", "NOTSET");
  if (padding != "NOTSET" && padding != "VALID" && padding != "SAME_UPPER" &&
      padding != "SAME_LOWER") {
    op.Malformed("auto_pad is `" + std::string(padding) + "`");
  }
  std::vector<Axis> axes(rank);
  for (size_t i = 0; i < rank; ++i) {
    Axis& axis = axes[i];
    axis.extent = input[i + 2];
    axis.window = weights[i + 2];
    if (Nth(op, "kernel_shape", i, axis.window) != axis.window) {
      op.Malformed("kernel_shape is not the shape of the weights");
    }
    axis.step = Nth(op, "strides", i, 1);
    axis.dilation = Nth(op, "dilations", i, 1);
    if (axis.window < 1 || axis.step < 1 || axis.dilation < 1 || axis.extent < 1) {
      op.Malformed("a window, stride, dilation or extent of 0");
      return axes;
    }
    if (padding == "NOTSET") {
      axis.pad_before = Nth(op, "pads", i, 0);
      axis.pad_after = Nth(op, "pads", i + rank, 0);
    } else if (padding != "VALID") {
      PadToSame(padding == "SAME_LOWER", &axis);
    }
    if (axis.extent + axis.pad_before + axis.pad_after < axis.reach()) {
      op.Malformed("the window is larger than the input");
    }
  }
  return axes;
}

void CompileConvolution(OnnxOp& op) {
  const OnnxValue& x = op.NumbersIn(0);
  const OnnxValue& w = op.NumbersIn(1);
  const std::span<const double> weights = op.FixedIn(1);
  const std::span<const double> bias = op.Has(2) ? op.FixedIn(2) : std::span<const double>();
  const int64_t groups = op.Integer("group", 1);
  if (op.failed()) return;
  if (x.type != kFloat || w.type != kFloat) return op.Unsupported("an input that is not float");
  const bool shaped = x.shape.size() >= 3 && x.shape.size() <= 5 &&
                      w.shape.size() == x.shape.size() && groups >= 1 && x.shape[1] >= 1;
  if (!shaped || x.shape[1] % groups != 0 || w.shape[0] % groups != 0 || w.shape[0] < 1 ||
      w.shape[1] != x.shape[1] / groups) {
    return op.Malformed("weights of the shape " + ToString(w.shape) + " do not fit an input of " +
                        ToString(x.shape));
  }
  if (op.Has(2) && bias.size() != static_cast<size_t>(w.shape[0])) {
    return op.Malformed("the bias is not one for each channel");
  }
  std::vector<Axis> axes = AxesOf(op, x.shape, w.shape);
  if (op.failed()) return;
  OnnxShape to = {kFloat, {x.shape[0], w.shape[0]}};
  for (const Axis& axis : axes) {
    to.shape.push_back(axis.places());
  }
  const std::optional<size_t> count = CountElements(to.shape);
  if (!count) return op.OverLimit("a tensor of the shape " + ToString(to.shape));
  const Channels channels = {static_cast<size_t>(groups), static_cast<size_t>(w.shape[1]),
                             static_cast<size_t>(w.shape[0] / groups)};
  const uint64_t work = uint64_t{*count} * (weights.size() / static_cast<size_t>(w.shape[0]));
  op.Give(0, op.ApplyOne(std::make_unique<Convolve>(
                             static_cast<size_t>(x.shape[0]), channels, std::move(axes),
                             std::vector<float>(weights.begin(), weights.end()),
                             std::vector<float>(bias.begin(), bias.end())),
                         {&x}, to, work));
}

constexpr OnnxOperator kOperators[] = {{kOnnxDomain, "Conv", CompileConvolution}};

}  // namespace

std::span<const OnnxOperator> OnnxConvolutionOperators() {
  return kOperators;
}

}  // namespace headrace::onnx
