#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "headrace/result.h"

namespace headrace::engine {

// What one snapshot consists of: where each page of the state stands, and the rest of it. Value
// type. Format: docs/internals/snapshots.md.
struct SnapshotManifest {
  struct Page {
    uint64_t file = 0;  // a page file is named by the LSN of the snapshot that wrote it
    uint64_t offset = 0;
    uint32_t length = 0;
    uint32_t crc = 0;  // CRC-32C of the page's bytes
  };
  using PageId = std::pair<uint32_t, uint32_t>;  // key block, number

  uint64_t lsn = 0;  // the state of everything up to here
  std::string head;  // all that is no page
  std::map<PageId, Page> pages;

  uint64_t bytes() const;  // of the state that it stands for
  std::string Encode() const;
  // kCorruption (HR5402).
  static Result<SnapshotManifest> Decode(std::string_view bytes);
};

}  // namespace headrace::engine
