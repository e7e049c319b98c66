// Recurrent layers: LSTM, GRU and the plain one, with their usual activations.
#include <algorithm>
#include <cmath>

#include "onnx/dense_layer.h"
#include "onnx/op.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

float Sigmoid(float x) {
  return 1 / (1 + std::exp(-x));
}

// One direction of a layer: weights of the inputs, of the state, and their biases.
struct Direction {
  DenseLayer input;
  DenseLayer state;
  std::vector<float> input_bias;  // one for each gate and hidden unit
  std::vector<float> state_bias;
};

// The state of one sequence while it is read. Elements are held as tensors' are.
struct State {
  std::vector<double> hidden;
  std::vector<double> cell;  // LSTM's
  std::vector<float> from_input;
  std::vector<float> from_state;
};

enum class CellKind : uint8_t { kPlain, kGru, kGruResetAfter, kLstm };

size_t GatesOf(CellKind kind) {
  return kind == CellKind::kPlain ? 1 : kind == CellKind::kLstm ? 4 : 3;
}

void StepLstm(const Direction& by, State* state) {
  const size_t n = state->hidden.size();
  const auto gate = [&](size_t g, size_t i) {
    const size_t at = g * n + i;
    return state->from_input[at] + (by.input_bias[at] + by.state_bias[at]) + state->from_state[at];
  };
  for (size_t i = 0; i < n; ++i) {
    const float in = Sigmoid(gate(0, i));
    const float out = Sigmoid(gate(1, i));
    const float forget = Sigmoid(gate(2, i));
    const float proposed = std::tanh(gate(3, i));
    const float cell = forget * static_cast<float>(state->cell[i]) + in * proposed;
    state->cell[i] = static_cast<double>(cell);
    state->hidden[i] = static_cast<double>(out * std::tanh(cell));
  }
}

// `reset_after`: the reset gate is applied to what the state gives, not to the state.
void StepGru(const Direction& by, bool reset_after, State* state) {
  const size_t n = state->hidden.size();
  const auto gate = [&](size_t g, size_t i) {
    const size_t at = g * n + i;
    return Sigmoid(state->from_input[at] + (by.input_bias[at] + by.state_bias[at]) +
                   state->from_state[at]);
  };
  std::vector<float> proposed(n);
  if (reset_after) {
    for (size_t i = 0; i < n; ++i) {
      const size_t at = 2 * n + i;
      const float past = gate(1, i) * (state->from_state[at] + by.state_bias[at]);
      proposed[i] = state->from_input[at] + by.input_bias[at] + past;
    }
  } else {
    std::vector<double> kept(n);
    for (size_t i = 0; i < n; ++i) {
      kept[i] = RoundTo(kFloat, static_cast<double>(gate(1, i)) * state->hidden[i]);
    }
    std::vector<float> from_kept(state->from_state.size());
    by.state.Multiply(kept.data(), from_kept.data());
    for (size_t i = 0; i < n; ++i) {
      const size_t at = 2 * n + i;
      proposed[i] = state->from_input[at] + (by.input_bias[at] + by.state_bias[at]) + from_kept[at];
    }
  }
  for (size_t i = 0; i < n; ++i) {
    const float update = gate(0, i);
    const float next = (1 - update) * std::tanh(proposed[i]);
    state->hidden[i] = static_cast<double>(next + update * static_cast<float>(state->hidden[i]));
  }
}

void StepPlain(const Direction& by, State* state) {
  for (size_t i = 0; i < state->hidden.size(); ++i) {
    state->hidden[i] = static_cast<double>(std::tanh(
        state->from_input[i] + (by.input_bias[i] + by.state_bias[i]) + state->from_state[i]));
  }
}

struct Extents {
  size_t steps = 0;
  size_t batch = 0;
  size_t inputs = 0;
  size_t hidden = 0;
};

class Recurrence : public Operation {
 public:
  Recurrence(CellKind kind, Extents extents, std::vector<Direction> directions,
             bool first_is_reversed)
      : kind_(kind),
        extents_(extents),
        directions_(std::move(directions)),
        first_is_reversed_(first_is_reversed) {}

  // Whether there are initial states among the inputs; x is the first input.
  void SetInitial(bool hidden, bool cell) {
    hidden_input_ = hidden ? 1 : 0;
    cell_input_ = cell ? (hidden ? 2 : 1) : 0;
  }

  void Run(const double* const* inputs, double* const* outputs) const override {
    State state;
    for (size_t d = 0; d < directions_.size(); ++d) {
      for (size_t b = 0; b < extents_.batch; ++b) {
        const size_t at = (d * extents_.batch + b) * extents_.hidden;
        Begin(hidden_input_ == 0 ? nullptr : inputs[hidden_input_] + at, &state.hidden);
        Begin(cell_input_ == 0 ? nullptr : inputs[cell_input_] + at, &state.cell);
        Read(inputs[0], d, b, &state, outputs[0]);
        std::copy(state.hidden.begin(), state.hidden.end(), outputs[1] + at);
        if (kind_ == CellKind::kLstm) {
          std::copy(state.cell.begin(), state.cell.end(), outputs[2] + at);
        }
      }
    }
  }

 private:
  void Begin(const double* initial, std::vector<double>* state) const {
    state->assign(extents_.hidden, 0);
    if (initial != nullptr) std::copy_n(initial, extents_.hidden, state->begin());
  }

  void Read(const double* x, size_t d, size_t b, State* state, double* out) const {
    const Direction& by = directions_[d];
    state->from_input.resize(by.input.outputs());
    state->from_state.resize(by.state.outputs());
    const bool backwards = d == 1 || first_is_reversed_;
    for (size_t s = 0; s < extents_.steps; ++s) {
      const size_t t = backwards ? extents_.steps - 1 - s : s;
      by.input.Multiply(x + (t * extents_.batch + b) * extents_.inputs, state->from_input.data());
      by.state.Multiply(state->hidden.data(), state->from_state.data());
      if (kind_ == CellKind::kLstm) {
        StepLstm(by, state);
      } else if (kind_ == CellKind::kPlain) {
        StepPlain(by, state);
      } else {
        StepGru(by, kind_ == CellKind::kGruResetAfter, state);
      }
      const size_t at = ((t * directions_.size() + d) * extents_.batch + b) * extents_.hidden;
      std::copy(state->hidden.begin(), state->hidden.end(), out + at);
    }
  }

  CellKind kind_;
  Extents extents_;
  std::vector<Direction> directions_;
  bool first_is_reversed_;
  size_t hidden_input_ = 0;  // 0: the states begin as zeros
  size_t cell_input_ = 0;
};

void CheckOptions(OnnxOp& op, CellKind kind, size_t directions) {
  constexpr std::string_view kUsual[] = {"Sigmoid", "Tanh", "Tanh"};
  const std::vector<std::string_view>& named = op.Texts("activations");
  const size_t each = kind == CellKind::kPlain ? 1 : kind == CellKind::kLstm ? 3 : 2;
  const size_t first = kind == CellKind::kPlain ? 1 : 0;
  if (!named.empty() && named.size() != each * directions) op.Malformed("the activations");
  for (size_t i = 0; i < named.size(); ++i) {
    if (named[i] != kUsual[first + i % each]) {
      op.Unsupported("the activation " + std::string(named[i]));
    }
  }
  if (op.HasAttribute("clip")) op.Unsupported("clip is not supported");
  if (op.Integer("layout", 0) != 0) op.Unsupported("only the layout 0 is supported");
  if (op.Integer("input_forget", 0) != 0) op.Unsupported("input_forget is not supported");
  if (op.Has(4)) op.Unsupported("lengths of sequences are not supported");
  if (op.Has(7)) op.Unsupported("peepholes are not supported");
}

// Splits the tensors W, R and B by direction.
std::vector<Direction> DirectionsOf(OnnxOp& op, CellKind kind, const Extents& extents,
                                    size_t directions) {
  const size_t width = GatesOf(kind) * extents.hidden;
  const std::span<const double> w = op.FixedIn(1);
  const std::span<const double> r = op.FixedIn(2);
  const std::span<const double> b = op.Has(3) ? op.FixedIn(3) : std::span<const double>();
  std::vector<Direction> result;
  if (op.failed()) return result;
  if (w.size() != directions * width * extents.inputs ||
      r.size() != directions * width * extents.hidden ||
      (op.Has(3) && b.size() != directions * 2 * width)) {
    op.Malformed("the weights do not fit the input and hidden_size");
    return result;
  }
  for (size_t d = 0; d < directions; ++d) {
    const double* own_w = w.data() + d * width * extents.inputs;
    const double* own_r = r.data() + d * width * extents.hidden;
    Direction direction = {
        DenseLayer(extents.inputs, width,
                   [&](size_t i, size_t o) { return own_w[o * extents.inputs + i]; }),
        DenseLayer(extents.hidden, width,
                   [&](size_t i, size_t o) { return own_r[o * extents.hidden + i]; }),
        std::vector<float>(width), std::vector<float>(width)};
    for (size_t i = 0; i < width && !b.empty(); ++i) {
      direction.input_bias[i] = static_cast<float>(b[d * 2 * width + i]);
      direction.state_bias[i] = static_cast<float>(b[d * 2 * width + width + i]);
    }
    result.push_back(std::move(direction));
  }
  return result;
}

// An initial state, when there is one; of another shape is an error.
bool HasInitial(OnnxOp& op, size_t input, const Shape& shape) {
  if (!op.Has(input)) return false;
  if (op.In(input).shape != shape || op.In(input).type != kFloat) {
    op.Malformed("the initial state has the shape " + ToString(op.In(input).shape));
  }
  return true;
}

void CompileRecurrence(OnnxOp& op, CellKind kind) {
  const OnnxValue& x = op.NumbersIn(0);
  const std::string_view direction = op.Text("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    op.Malformed("the direction is `" + std::string(direction) + "`");
  }
  const size_t directions = direction == "bidirectional" ? 2 : 1;
  CheckOptions(op, kind, directions);
  if (op.failed()) return;
  if (x.type != kFloat) return op.Unsupported("an input that is not float");
  const int64_t hidden = op.Integer("hidden_size", 0);
  if (x.shape.size() != 3 || hidden < 1 || hidden > int64_t{kTensorElementsMax}) {
    return op.Malformed("the input has no steps, or hidden_size is out of range");
  }
  const Extents extents = {static_cast<size_t>(x.shape[0]), static_cast<size_t>(x.shape[1]),
                           static_cast<size_t>(x.shape[2]), static_cast<size_t>(hidden)};
  std::vector<Direction> by = DirectionsOf(op, kind, extents, directions);
  const auto ways = static_cast<int64_t>(directions);
  const Shape last = {ways, x.shape[1], hidden};
  const bool with_hidden = HasInitial(op, 5, last);
  const bool with_cell = kind == CellKind::kLstm && HasInitial(op, 6, last);
  if (op.failed()) return;
  auto recurrence =
      std::make_unique<Recurrence>(kind, extents, std::move(by), direction == "reverse");
  recurrence->SetInitial(with_hidden, with_cell);
  std::vector<const OnnxValue*> inputs = {&x};
  if (with_hidden) inputs.push_back(&op.In(5));
  if (with_cell) inputs.push_back(&op.In(6));
  std::vector<OnnxShape> shapes = {{kFloat, {x.shape[0], ways, x.shape[1], hidden}},
                                   {kFloat, last}};
  if (kind == CellKind::kLstm) shapes.push_back({kFloat, last});
  const uint64_t each = GatesOf(kind) * extents.hidden * (extents.inputs + extents.hidden * 2 + 64);
  std::vector<OnnxValue> results = op.Apply(std::move(recurrence), inputs, shapes,
                                            each * directions * extents.steps * extents.batch);
  for (size_t i = 0; i < results.size(); ++i) {
    op.Give(i, std::move(results[i]));
  }
}

void CompileLstm(OnnxOp& op) {
  CompileRecurrence(op, CellKind::kLstm);
}
void CompilePlain(OnnxOp& op) {
  CompileRecurrence(op, CellKind::kPlain);
}
void CompileGru(OnnxOp& op) {
  const bool after = op.Integer("linear_before_reset", 0) != 0;
  CompileRecurrence(op, after ? CellKind::kGruResetAfter : CellKind::kGru);
}

constexpr OnnxOperator kOperators[] = {
    {kOnnxDomain, "GRU", CompileGru},
    {kOnnxDomain, "LSTM", CompileLstm},
    {kOnnxDomain, "RNN", CompilePlain},
};

}  // namespace

std::span<const OnnxOperator> OnnxRecurrentOperators() {
  return kOperators;
}

}  // namespace headrace::onnx
