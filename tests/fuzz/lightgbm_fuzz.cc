// LightGBM text: whatever the bytes, Load answers; what it accepts can be scored and explained.
#include <cstddef>
#include <cstdint>
#include <string>

#include "loaded_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The format is known by its first line; without it the fuzzer would have to find that first.
  std::string bytes = "tree\n";
  bytes.append(reinterpret_cast<const char*>(data), size);
  headrace::fuzz::LoadScoreExplain(bytes);
  return 0;
}
