// Any bytes as the saved state of a learner: refused, or the same again when it is saved, and it
// goes on with values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/check.h"
#include "learn/adwin.h"
#include "learn/learner.h"

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

// A learner of the kind that the first byte chooses.
void LoadLearner(uint8_t choice, std::string_view bytes) {
  const std::vector<std::string> kinds = learn::LearnerKinds();
  learn::LearnerSpec spec;
  spec.kind = kinds[choice % kinds.size()];
  const learn::LearnerShape shape = learn::ShapeOf(spec.kind);
  spec.features = shape.features == 0 ? 3 : shape.features;
  spec.label = shape.label;
  const auto learner = learn::Learner::Make(spec);
  HR_CHECK(learner.ok());
  base::ByteReader reader(bytes);
  if (!(*learner)->Load(reader)) return;
  const std::string saved = Saved(**learner);
  const auto again = learn::Learner::Make(spec);
  base::ByteReader saved_reader(saved);
  HR_CHECK((*again)->Load(saved_reader) && Saved(**again) == saved);
  for (int i = 0; i < 20; ++i) {
    const double x[] = {i * 0.5, i % 3 * 1.0, 7.0 - i};
    (*learner)->Learn(x, {i % 2, i * 1.0, {}});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 255) {
    LoadAdwin(bytes);
  } else {
    LoadLearner(data[0], bytes);
  }
  return 0;
}
