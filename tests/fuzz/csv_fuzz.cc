// Any bytes as an input file, CSV or JSON lines, packed or not: the events do not depend on how
// many are asked for at a time, and reading goes on behind any of them.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connect/file_source.h"
#include "headrace/check.h"
#include "os/memory_file_system.h"
#include "schema/codec.h"

namespace {

using namespace headrace;
using enum row::TypeKind;

constexpr const char* kNames[] = {"/in/a.csv", "/in/a.csv.gz", "/in/a.csv.zst", "/in/a.jsonl"};

struct Given {
  std::vector<std::string> payloads;
  std::vector<uint64_t> ends;
  std::string error;

  bool operator==(const Given&) const = default;
};

Given ReadAll(os::FileSystem& files, const std::string& name, connect::SourcePosition from,
              size_t events_max) {
  const row::Schema columns = {{{"id", {kText, 0, 0}, false},
                                {"n", {kBigint, 0, 0}, false},
                                {"ok", {kBoolean, 0, 0}, false},
                                {"x", {kDouble, 0, 0}, false}}};
  Given given;
  auto source = connect::FileSource::Open(files, name, columns, from, false);
  if (!source.ok()) {
    given.error = source.error().code();
    return given;
  }
  schema::JsonDecoder decoder(columns, {});
  while (true) {
    Result<connect::SourceChunk> chunk = (*source)->Next(events_max);
    if (!chunk.ok()) {
      given.error = chunk.error().code();
      return given;
    }
    HR_CHECK(chunk->payloads.size() <= events_max && chunk->payloads.size() == chunk->ends.size());
    for (size_t i = 0; i < chunk->payloads.size(); ++i) {
      base::Arena arena;
      row::Value slots[4];
      static_cast<void>(decoder.Decode(chunk->payloads[i], true, arena, slots).ok());
      HR_CHECK(given.ends.empty() || given.ends.back() < chunk->ends[i]);
      given.payloads.emplace_back(chunk->payloads[i]);
      given.ends.push_back(chunk->ends[i]);
    }
    if (chunk->last) return given;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string name = kNames[data[0] % 4];
  std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  if ((data[0] & 128) != 0 && name == kNames[0]) bytes = "id,n,ok,x\n" + bytes;
  os::MemoryFileSystem files;
  files.CreateDirectories("/in").value();
  os::ReplaceFile(files, name, bytes).value();
  const Given whole = ReadAll(files, name, {}, 1000);
  HR_CHECK(ReadAll(files, name, {}, 1 + data[1] % 3) == whole);
  if (whole.payloads.empty()) return 0;
  const size_t at = data[1] % whole.payloads.size();
  Given rest = ReadAll(files, name, {whole.ends[at], at + 1}, 1000);
  HR_CHECK(rest.error == whole.error && rest.payloads.size() == whole.payloads.size() - at - 1);
  for (size_t i = 0; i < rest.payloads.size(); ++i)
    HR_CHECK(rest.payloads[i] == whole.payloads[at + 1 + i]);
  return 0;
}
