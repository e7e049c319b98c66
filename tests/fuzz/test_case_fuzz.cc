// Any bytes as a test case: it is one, or an error with a place.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cli/test/case_file.h"
#include "headrace/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  headrace::Result<headrace::cli::TestCase> parsed = headrace::cli::ParseCase(text);
  if (parsed.ok()) {
    HR_CHECK(!parsed->name.empty() && parsed->script.empty() != parsed->sql.empty());
  } else {
    HR_CHECK(parsed.error().code() == "HR9012" && !parsed.error().place().empty());
  }
  return 0;
}
