// Bodies of POST /v2/models/{model}/infer. The first two bytes say where the JSON ends, as the
// field Inference-Header-Content-Length would; an odd first byte leaves that out. What is taken
// lies within the limits, and every tensor has as many elements as its shape says.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/check.h"
#include "serve/http/inference_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace::serve;
  if (size < 2) return 0;
  std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string length = std::to_string(data[0] / 2 * 256 + data[1]);
  std::vector<Header> headers;
  if (data[0] % 2 == 0) headers.push_back({"Inference-Header-Content-Length", length});
  auto request = ParseInference(headers, body);
  if (!request.ok()) {
    HR_CHECK(!request.error().code().empty());
    return 0;
  }
  HR_CHECK(request->inputs.size() <= kInferenceTensorsMax);
  for (const Tensor& tensor : request->inputs) {
    HR_CHECK(tensor.shape.size() <= kTensorRankMax);
    HR_CHECK(ElementsOf(tensor.shape) == tensor.elements());
    HR_CHECK(tensor.elements() <= body.size());
  }
  return 0;
}
