#include "onnx/runtime_session.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

namespace headrace::onnx {
namespace {

constexpr int kErrorsOnly = 3;
constexpr int kArenaAllocator = 1;
constexpr int kDefaultMemory = 0;

Error Refused(const OnnxPort& port, std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR3003",
               "`" + std::string(port.name) + "` " + std::move(message))
      .AtPlace("byte " + std::to_string(port.offset))
      .WithHint("ONNX Runtime is given rows of numbers of known size; export the model that way");
}

template <typename T>
void Append(double x, std::string* bytes) {
  // What is no number of an integer type counts as 0, and what is beyond it as its end.
  T element = 0;
  if constexpr (std::is_integral_v<T>) {
    const double least = static_cast<double>(std::numeric_limits<T>::min());
    const double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
    if (x >= end) {
      element = std::numeric_limits<T>::max();
    } else if (!std::isnan(x)) {
      element = static_cast<T>(std::max(least, std::trunc(x)));
    }
  } else {
    element = static_cast<T>(x);
  }
  bytes->append(reinterpret_cast<const char*>(&element), sizeof(T));
}

template <typename T>
void Read(const void* data, size_t count, double* out) {
  for (size_t i = 0; i < count; ++i) {
    T element;
    std::memcpy(&element, static_cast<const char*>(data) + i * sizeof(T), sizeof(T));
    out[i] = static_cast<double>(element);
  }
}

struct Conversion {
  ElementType type;
  void (*append)(double x, std::string* bytes);
  void (*read)(const void* data, size_t count, double* out);
};

void AppendBool(double x, std::string* bytes) {
  bytes->push_back(std::isnan(x) || x == 0 ? '\0' : '\1');
}

constexpr Conversion kConversions[] = {
    {ElementType::kFloat, Append<float>, Read<float>},
    {ElementType::kDouble, Append<double>, Read<double>},
    {ElementType::kInt64, Append<int64_t>, Read<int64_t>},
    {ElementType::kInt32, Append<int32_t>, Read<int32_t>},
    {ElementType::kInt16, Append<int16_t>, Read<int16_t>},
    {ElementType::kInt8, Append<int8_t>, Read<int8_t>},
    {ElementType::kUint64, Append<uint64_t>, Read<uint64_t>},
    {ElementType::kUint32, Append<uint32_t>, Read<uint32_t>},
    {ElementType::kUint16, Append<uint16_t>, Read<uint16_t>},
    {ElementType::kUint8, Append<uint8_t>, Read<uint8_t>},
    {ElementType::kBool, AppendBool, Read<uint8_t>},
};

const Conversion* ConversionOf(ElementType type) {
  const auto* found = std::find_if(std::begin(kConversions), std::end(kConversions),
                                   [type](const Conversion& c) { return c.type == type; });
  return found == std::end(kConversions) ? nullptr : found;
}

}  // namespace

class RuntimeSession::Values {
 public:
  explicit Values(const RuntimeApi& api) : api_(api) {}
  ~Values() {
    for (Handle handle : inputs) {
      api_.Release(RuntimeApi::kReleaseValue, handle);
    }
    for (Handle handle : outputs) {
      api_.Release(RuntimeApi::kReleaseValue, handle);
    }
  }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;

  std::vector<std::string> bytes;  // of the inputs
  std::vector<Handle> inputs;
  std::vector<Handle> outputs;

 private:
  const RuntimeApi& api_;
};

Result<std::unique_ptr<const RuntimeSession>> RuntimeSession::Open(std::string_view file,
                                                                   const OnnxGraph& graph) {
  HR_ASSIGN(const RuntimeApi api, RuntimeApi::Load());
  std::unique_ptr<RuntimeSession> session(new RuntimeSession(api));
  std::set<std::string_view> constants;
  for (const OnnxTensor& tensor : graph.initializers) {
    constants.insert(tensor.name);
  }
  for (const OnnxPort& input : graph.inputs) {
    // Old files list their constants here as well.
    if (!constants.contains(input.name)) HR_TRY(session->AddInput(input));
  }
  HR_TRY(session->Start(file));
  HR_TRY(session->DescribeOutputs(graph));
  return std::unique_ptr<const RuntimeSession>(std::move(session));
}

RuntimeSession::~RuntimeSession() {
  api_.Release(RuntimeApi::kReleaseSession, session_);
  api_.Release(RuntimeApi::kReleaseMemoryInfo, memory_);
  api_.Release(RuntimeApi::kReleaseEnv, env_);
}

Status RuntimeSession::AddInput(const OnnxPort& port) {
  Shape shape = port.shape;
  if (!shape.empty() && shape[0] < 1) shape[0] = 1;
  const auto bad = [](int64_t extent) { return extent < 1; };
  const bool row = port.tensor && port.has_shape && (shape.empty() || shape[0] == 1) &&
                   std::none_of(shape.begin(), shape.end(), bad);
  const std::optional<size_t> count = row ? CountElements(shape) : std::nullopt;
  if (!count || ConversionOf(port.type) == nullptr) {
    return Refused(port, "is not one row of numbers of known size");
  }
  if (description_.features.size() + *count > kGraphInputsMax) {
    return Error(ErrorKind::kLimitExceeded, "HR3004", "the model has too many inputs")
        .AtPlace("byte " + std::to_string(port.offset));
  }
  const std::string name(port.name);
  for (size_t i = 0; i < *count; ++i) {
    description_.features.push_back(*count == 1 ? name : name + "_" + std::to_string(i));
    description_.categories.emplace_back();
  }
  inputs_.push_back({name, port.type, std::move(shape), *count});
  return Ok();
}

Status RuntimeSession::Start(std::string_view file) {
  HR_TRY((api_.Call<int, const char*, Handle*>(RuntimeApi::kCreateEnv, kErrorsOnly, "headrace",
                                               &env_)));
  HR_TRY((api_.Call<int, int, Handle*>(RuntimeApi::kCreateCpuMemoryInfo, kArenaAllocator,
                                       kDefaultMemory, &memory_)));
  Handle options = nullptr;
  HR_TRY((api_.Call<Handle*>(RuntimeApi::kCreateSessionOptions, &options)));
  const auto configure = [&]() -> Status {
    HR_TRY((api_.Call<Handle, int>(RuntimeApi::kSetIntraOpNumThreads, options, 1)));
    HR_TRY((api_.Call<Handle, int>(RuntimeApi::kSetInterOpNumThreads, options, 1)));
    HR_TRY((api_.Call<Handle>(RuntimeApi::kDisableMemPattern, options)));
    HR_TRY((api_.Call<Handle>(RuntimeApi::kDisableCpuMemArena, options)));
    return api_.Call<Handle, const void*, size_t, Handle, Handle*>(
        RuntimeApi::kCreateSessionFromArray, env_, file.data(), file.size(), options, &session_);
  };
  const Status made = configure();
  api_.Release(RuntimeApi::kReleaseSessionOptions, options);
  return made;
}

// What an output is, and how many values it has, is known when it has been computed once.
Status RuntimeSession::DescribeOutputs(const OnnxGraph& graph) {
  for (const OnnxPort& port : graph.outputs) {
    if (port.tensor && ConversionOf(port.type) != nullptr) outputs_.emplace_back(port.name);
  }
  if (outputs_.empty()) {
    return Error(ErrorKind::kInvalidArgument, "HR3003", "the model has no output of numbers")
        .AtPlace("byte 0");
  }
  Values values(api_);
  HR_TRY(Compute(std::vector<double>(description_.features.size()), &values));
  for (size_t o = 0; o < outputs_.size(); ++o) {
    Handle info = nullptr;
    HR_TRY(
        (api_.Call<Handle, Handle*>(RuntimeApi::kGetTensorTypeAndShape, values.outputs[o], &info)));
    int type = 0;
    size_t count = 0;
    const Status typed = api_.Call<Handle, int*>(RuntimeApi::kGetTensorElementType, info, &type);
    const Status counted =
        api_.Call<Handle, size_t*>(RuntimeApi::kGetTensorShapeElementCount, info, &count);
    api_.Release(RuntimeApi::kReleaseTensorTypeAndShapeInfo, info);
    HR_TRY(typed);
    HR_TRY(counted);
    const std::optional<ElementType> known = ElementTypeOf(type);
    if (!known || ConversionOf(*known) == nullptr) {
      return Error(ErrorKind::kInvalidArgument, "HR3003",
                   "`" + outputs_[o] + "` turns out to be no tensor of numbers")
          .AtPlace("byte 0");
    }
    const size_t first = description_.output_names.size();
    if (count == 0 || first + count > kGraphOutputsMax) {
      return Error(ErrorKind::kLimitExceeded, "HR3004",
                   "`" + outputs_[o] + "` gives " + std::to_string(count) + " values for a row");
    }
    ranges_.push_back({first, count, *known});
    for (size_t i = 0; i < count; ++i) {
      description_.output_names.push_back(count == 1 ? outputs_[o]
                                                     : outputs_[o] + "_" + std::to_string(i));
    }
  }
  description_.text_outputs.assign(description_.output_names.size(), false);
  description_.predicted = PredictedOf(ranges_);
  return Ok();
}

Status RuntimeSession::MakeInputs(std::span<const double> features, Values* values) const {
  size_t at = 0;
  for (const Input& input : inputs_) {
    std::string& bytes = values->bytes.emplace_back();
    const Conversion& conversion = *ConversionOf(input.type);
    for (size_t i = 0; i < input.count; ++i) {
      conversion.append(features[at++], &bytes);
    }
    Handle& value = values->inputs.emplace_back(nullptr);
    HR_TRY((api_.Call<Handle, void*, size_t, const int64_t*, size_t, int, Handle*>(
        RuntimeApi::kCreateTensorWithDataAsOrtValue, memory_, bytes.data(), bytes.size(),
        input.shape.data(), input.shape.size(), static_cast<int>(input.type), &value)));
  }
  return Ok();
}

Status RuntimeSession::Compute(std::span<const double> features, Values* values) const {
  values->bytes.reserve(inputs_.size());  // tensors point into the texts, which must not move
  HR_TRY(MakeInputs(features, values));
  std::vector<const char*> input_names;
  for (const Input& input : inputs_) {
    input_names.push_back(input.name.c_str());
  }
  std::vector<const char*> output_names;
  for (const std::string& name : outputs_) {
    output_names.push_back(name.c_str());
  }
  values->outputs.assign(outputs_.size(), nullptr);
  return api_.Call<Handle, Handle, const char* const*, const Handle*, size_t, const char* const*,
                   size_t, Handle*>(RuntimeApi::kRun, session_, nullptr, input_names.data(),
                                    values->inputs.data(), inputs_.size(), output_names.data(),
                                    outputs_.size(), values->outputs.data());
}

void RuntimeSession::Run(std::span<const double> features, std::span<double> raw) const {
  std::fill(raw.begin(), raw.end(), std::numeric_limits<double>::quiet_NaN());
  Values values(api_);
  if (!Compute(features, &values).ok()) return;
  std::vector<double> made(raw.size());
  for (size_t o = 0; o < outputs_.size(); ++o) {
    const OutputRange& range = ranges_[o];
    Handle info = nullptr;
    size_t count = 0;
    void* data = nullptr;
    const Handle value = values.outputs[o];
    if (!api_.Call<Handle, Handle*>(RuntimeApi::kGetTensorTypeAndShape, value, &info).ok()) return;
    const Status counted =
        api_.Call<Handle, size_t*>(RuntimeApi::kGetTensorShapeElementCount, info, &count);
    api_.Release(RuntimeApi::kReleaseTensorTypeAndShapeInfo, info);
    if (!counted.ok() || count != range.count) return;
    if (!api_.Call<Handle, void**>(RuntimeApi::kGetTensorMutableData, value, &data).ok()) return;
    ConversionOf(range.type)->read(data, count, made.data() + range.first);
  }
  std::copy(made.begin(), made.end(), raw.begin());
}

}  // namespace headrace::onnx
