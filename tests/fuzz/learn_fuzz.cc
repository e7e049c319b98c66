// Any bytes as the saved state of a learner: refused, or the same again when it is saved, and it
// goes on with values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/check.h"
#include "learn/adwin.h"

namespace {

using namespace headrace;

template <typename State>
std::string Saved(const State& state) {
  std::string bytes;
  base::ByteWriter writer(bytes);
  state.Save(writer);
  return bytes;
}

void LoadAdwin(std::string_view bytes) {
  learn::Adwin adwin;
  base::ByteReader reader(bytes);
  if (!adwin.Load(reader)) return;
  const std::string saved = Saved(adwin);
  learn::Adwin again;
  base::ByteReader saved_reader(saved);
  HR_CHECK(again.Load(saved_reader) && Saved(again) == saved);
  for (int i = 0; i < 200; ++i)
    HR_CHECK(adwin.Add(i % 7) == again.Add(i % 7));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  LoadAdwin({reinterpret_cast<const char*>(data), size});
  return 0;
}
