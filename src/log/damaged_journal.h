#pragma once

#include <map>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "log/damage.h"
#include "log/journal.h"
#include "log/log.h"
#include "os/file_system.h"

namespace headrace::log {

// Everything whole in the files of a journal, damaged or not. Value type.
struct JournalFinds {
  std::map<Lsn, EntryPtr> entries;  // batches have the offsets that they were given
  std::map<Lsn, JournalContents::Topic> topics;
  std::vector<Damage> damage;
  Lsn first_lsn = 0;    // the first that these files hold or held; 0: they hold nothing
  Lsn last_lsn = 0;     // the last
  bool sealed = false;  // a file says that there is nothing behind what was moved
  // A write that a crash cut off: it never counted. Damage within the last flush of the last file
  // looks the same.
  std::string torn_path;
  uint64_t torn_from = 0;
  uint64_t torn_bytes = 0;
};

// Reads a journal past its damage. A frame counts when its checksum is right behind a frame whose
// own checksum is known; behind damage that is the second one that is found. Of a sound journal the
// result is what Journal::Recover finds. Frames of a group of which others are lost count, because
// a later flush proves that the group did.
//
// All files are in memory meanwhile, their entries afterwards. Errors: those of listing.
Result<JournalFinds> ReadDamagedJournal(os::FileSystem& files, const std::string& directory);

}  // namespace headrace::log
