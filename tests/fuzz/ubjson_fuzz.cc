// XGBoost UBJSON: whatever the bytes, Load answers; what it accepts can be scored and explained.
#include <cstddef>
#include <cstdint>
#include <string>

#include "loaded_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Starts like the format, so that the bytes reach its parser.
  std::string bytes = "{L";
  bytes.append(reinterpret_cast<const char*>(data), size);
  headrace::fuzz::LoadScoreExplain(bytes);
  return 0;
}
