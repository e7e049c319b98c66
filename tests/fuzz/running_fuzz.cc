// Any bytes as the saved state of a function with a memory, or as a page of a key block of them:
// refused, or the same again when it is saved, and it goes on with values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flow/running_functions.h"
#include "headrace/check.h"
#include "state/key_block.h"

namespace {

using namespace headrace;

constexpr row::Type kDouble{row::TypeKind::kDouble, 0, 0};

state::RunningCall CallOf(const std::string& name) {
  const flow::RunningEntry& entry = *flow::FindRunningFunction(name);
  std::vector<double> constants;
  for (const flow::RunningParameter& parameter : entry.parameters)
    constants.push_back(parameter.standard);
  std::vector<row::Type> types(entry.values, kDouble);
  return flow::MakeRunningCall(entry, std::move(constants), std::move(types));
}

std::string Saved(const state::RunningFunction& function) {
  std::string bytes;
  base::ByteWriter writer(bytes);
  function.Save(writer);
  return bytes;
}

void LoadFunction(const std::string& name, std::string_view bytes) {
  const state::RunningCall call = CallOf(name);
  const auto function = call.make();
  base::ByteReader reader(bytes);
  if (!function->Load(reader) || !reader.ok()) return;
  const std::string saved = Saved(*function);
  const auto again = call.make();
  base::ByteReader saved_reader(saved);
  HR_CHECK(again->Load(saved_reader) && Saved(*again) == saved);
  base::Arena arena;
  for (int i = 0; i < 300; ++i) {
    const std::vector<row::Value> values(call.argument_types.size(),
                                         row::Value::Double(i % 7 < 3 ? 1 : 0));
    function->Step(values.data(), arena);
    again->Step(values.data(), arena);
  }
  HR_CHECK(Saved(*function) == Saved(*again));
}

void LoadPage(const std::string& name, std::string_view bytes) {
  state::RunningSpec spec{{0}, {{row::TypeKind::kText, 0, 0}}, {CallOf(name)}};
  auto block = state::MakeRunningBlock(spec);
  state::BlockHead head = block->BeginSnapshot(true);
  head.slots = 128;
  HR_CHECK(block->BeginLoad(head).ok());
  if (!block->LoadPage(0, bytes).ok()) return;
  block->EndLoad();
  std::string saved;
  block->Save(saved);
  HR_CHECK(state::MakeRunningBlock(spec)->Load(saved).ok());
}

}  // namespace

// The first byte chooses the function and what is loaded.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<std::string> names = flow::RunningFunctionNames();
  const std::string& name = names[data[0] / 2 % names.size()];
  data[0] % 2 == 0 ? LoadFunction(name, bytes) : LoadPage(name, bytes);
  return 0;
}
