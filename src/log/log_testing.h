#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/metrics.h"
#include "log/log.h"
#include "log/record_batch.h"
#include "os/clock.h"
#include "os/faulty_file_system.h"
#include "os/memory_file_system.h"

// For tests: a log on a disk in memory, groups whose values say which they are, and what a log
// holds as text.
namespace headrace::log {

inline constexpr const char* kDirectory = "/data";

// A log on a disk in memory that can fail.
struct Disk {
  explicit Disk(os::MemoryFileSystem& memory) : files(memory) {}

  Status Open(bool read_only = false) {
    LogOptions options;
    options.journal_file_bytes = 1 << 20;
    options.read_only = read_only;
    Result<std::unique_ptr<Log>> opened = Log::Open(files, clock, metrics, kDirectory, options);
    if (!opened.ok()) return std::move(opened).error();
    log = std::move(opened).value();
    return Ok();
  }

  os::FaultyFileSystem files;
  os::ManualClock clock{1'800'000'000'000'000};
  base::MetricsRegistry metrics;
  std::unique_ptr<Log> log;
};

inline Entry BatchOf(const std::vector<std::string>& values, int32_t partition = 0,
                     int64_t timestamp_ms = 1000) {
  RecordBatchBuilder builder;
  builder.Begin(timestamp_ms);
  for (const std::string& value : values) {
    Record record;
    record.timestamp_ms = timestamp_ms;
    record.value = value;
    builder.Add(record);
  }
  Entry entry;
  entry.topic = "t";
  entry.partition = partition;
  entry.record_count = builder.count();
  entry.note = "note of " + values.front();
  entry.bytes = builder.Finish();
  return entry;
}

// Bytes that do not compress, so that they take the room they have.
inline std::string Noise(uint64_t seed, size_t size) {
  std::string noise;
  while (noise.size() < size) {
    seed = base::MixHash(seed);
    noise.append(reinterpret_cast<const char*>(&seed), sizeof seed);
  }
  noise.resize(size);
  return noise;
}

// Group i: a batch of two records, and one of one in the other partition. Its values say which.
inline std::vector<Entry> GroupOf(int i, size_t padding = 0) {
  std::string value = "v" + std::to_string(i) + Noise(static_cast<uint64_t>(i), padding);
  std::vector<Entry> group;
  group.push_back(BatchOf({value + "a", value + "b"}));
  group.push_back(BatchOf({value + "c"}, 1));
  return group;
}

// Everything durable as text, an entry a line; or the error.
inline std::string Contents(const Log& log) {
  Result<std::unique_ptr<Log::Cursor>> cursor = log.Scan(1);
  if (!cursor.ok()) return "error " + cursor.error().code();
  std::string out;
  Entry entry;
  while (true) {
    Result<bool> more = (*cursor)->Next(&entry);
    if (!more.ok()) return "error " + more.error().code();
    if (!*more) return out;
    out += std::to_string(entry.lsn) + " " + entry.topic + ":" + std::to_string(entry.partition) +
           ":" + std::to_string(entry.base_offset) + " " + entry.note;
    if (entry.kind == EntryKind::kBatch) {
      Result<RecordReader> reader = RecordReader::Open(entry.bytes, 1 << 20);
      if (!reader.ok()) return "error " + reader.error().code();
      Record record;
      while (true) {
        Result<bool> next = reader->Next(&record);
        if (!next.ok()) return "error " + next.error().code();
        if (!*next) break;
        out += " " + std::string(record.value);
      }
    }
    out += "\n";
  }
}

// Appends groups, each awaited, until one fails; how many were acknowledged.
inline int AppendGroups(Disk& disk, int first, int count, size_t padding = 0) {
  Status made = disk.log->HasTopic("t") ? Ok() : disk.log->CreateTopic("t", {.partitions = 2});
  if (!made.ok()) return 0;
  for (int i = 0; i < count; ++i) {
    std::vector<Entry> group = GroupOf(first + i, padding);
    if (!disk.log->Append(group).ok()) return i;
    if (!disk.log->WaitDurable(disk.log->last_lsn()).ok()) return i;
  }
  return count;
}

// The contents after n groups of an undisturbed log.
inline std::vector<std::string> Undisturbed(int groups, size_t padding = 0) {
  os::MemoryFileSystem memory;
  Disk disk(memory);
  disk.Open().value();
  std::vector<std::string> after;
  AppendGroups(disk, 0, 0);
  after.push_back(Contents(*disk.log));
  for (int i = 0; i < groups; ++i) {
    EXPECT_EQ(1, AppendGroups(disk, i, 1, padding));
    after.push_back(Contents(*disk.log));
  }
  return after;
}

}  // namespace headrace::log
