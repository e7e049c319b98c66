#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "serve/http/message.h"
#include "serve/http/tensor.h"

namespace headrace::serve {

struct WantedOutput {
  std::string name;
  bool binary = false;
};

// A request of the Open Inference Protocol v2, read. Value type.
struct InferenceRequest {
  std::string id;  // as JSON text; empty: there was none
  std::vector<Tensor> inputs;
  std::vector<WantedOutput> outputs;  // none: all
  bool binary_outputs = false;        // of outputs that do not say
};

inline constexpr size_t kInferenceTensorsMax = 4096;

// The body of .../infer: JSON, and behind it the binary tensors when the field
// Inference-Header-Content-Length says where the JSON ends. All inputs together have at most
// kTensorElementsMax elements. Errors: HR8090 with a JSON pointer, HR8007, HR8008.
Result<InferenceRequest> ParseInference(std::span<const Header> headers, std::string_view body);

}  // namespace headrace::serve
