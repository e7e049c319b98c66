// The bytes on the disk, as docs/internals has them: a change here is a change of the format.

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "log/frame.h"
#include "log/log_testing.h"
#include "log/manifest.h"
#include "log/partition.h"
#include "log/segment.h"

namespace headrace::log {
namespace {

// The bytes of a fenced block: the two-digit words of each line, up to three blanks in a row.
std::string BytesOfBlock(const std::string& block) {
  std::string bytes;
  std::istringstream lines(block);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line.substr(0, line.find("   ")));
    std::string word;
    while (words >> word)
      bytes += static_cast<char>(std::stoi(word, nullptr, 16));
  }
  return bytes;
}

// The nth example in hex of a document.
std::string Example(const std::string& document, int n) {
  std::ifstream in("docs/internals/" + document);
  EXPECT_TRUE(in.good()) << document;
  std::string text((std::istreambuf_iterator<char>(in)), {});
  size_t begin = 0;
  for (int i = 0; i <= n; ++i) {
    begin = text.find("```text\n", begin);
    if (begin == std::string::npos) return "";
    begin += 8;
  }
  return BytesOfBlock(text.substr(begin, text.find("```", begin) - begin));
}

constexpr int64_t kTime = 1'700'000'000'000;

Entry DocumentedEntry() {
  RecordBatchBuilder builder;
  builder.Begin(kTime);
  builder.Add({.timestamp_ms = kTime + 1, .has_key = true, .key = "k", .value = "vw"});
  Entry entry;
  entry.topic = "t";
  entry.record_count = 1;
  entry.max_timestamp_ms = kTime + 1;
  entry.note = "n";
  entry.bytes = builder.Finish();
  entry.lsn = 2;
  return entry;
}

TEST(Format, TheJournalHasTheBytesOfItsDocument) {
  EXPECT_EQ(64U, kFileHeaderSize);
  EXPECT_EQ(32U, kFrameHeaderSize);
  EXPECT_EQ(Example("journal.md", 0), EncodeFileHeader({1, 1, 0, 1}).substr(0, 32));
  std::string frames;
  uint32_t crc =
      AppendFrame({0, FrameKind::kTopic, 1, 0, 1, 1}, EncodeTopic("t", TopicConfig{}), 0, frames);
  std::string count("\1\0\0\0\0\0\0\0", 8);
  crc = AppendFrame({0, FrameKind::kGroupEnd, 1, 0, 1, 1}, count, crc, frames);
  AppendFrame({0, FrameKind::kFlushEnd, 1, 0, 1, 1}, "", crc, frames);
  EXPECT_EQ(Example("journal.md", 1), frames);
}

TEST(Format, ARecordBatchHasTheBytesOfItsDocument) {
  EXPECT_EQ(61U, kBatchHeaderSize);
  EXPECT_EQ(Example("record_batch.md", 0), DocumentedEntry().bytes);
}

TEST(Format, SegmentsAndTheManifestHaveTheBytesOfTheirDocument) {
  EXPECT_EQ(48U, kStoredHeaderSize);
  Entry entry = DocumentedEntry();
  std::string stored;
  AppendStored(entry, entry.bytes, stored);
  EXPECT_EQ(Example("segments.md", 0), stored.substr(0, kStoredHeaderSize + 1));
  EXPECT_EQ(120U, stored.size());

  os::MemoryFileSystem files;
  files.CreateDirectories("/p").value();
  Segment segment;
  segment.path = SegmentPath("/p", 0);
  StoredHeader header;
  ASSERT_TRUE(ReadStoredHeader(stored, &header));
  segment.Note(header);
  ASSERT_TRUE(segment.WriteIndex(files).ok());
  EXPECT_EQ(Example("segments.md", 1), os::ReadFile(files, IndexPath(segment.path), 1000).value());

  Manifest manifest;
  manifest.moved_lsn = 2;
  manifest.topics["t"].partitions.push_back({0, {{0, 1, stored.size()}}});
  EXPECT_EQ(Example("segments.md", 2), manifest.Encode());
}

// An index whose checksum is right and whose points are not.
std::string IndexOf(uint64_t size, const std::vector<IndexPoint>& points) {
  std::string out;
  base::ByteWriter w(out);
  w.U32Le(0x31495248);
  for (uint64_t field : {size, uint64_t{1}, uint64_t{2}, uint64_t{2}, uint64_t{points.size()}})
    w.U64Le(field);
  for (const IndexPoint& point : points) {
    for (uint64_t field : {static_cast<uint64_t>(point.base_offset), point.position, point.lsn,
                           static_cast<uint64_t>(point.max_timestamp_ms)}) {
      w.U64Le(field);
    }
  }
  w.U32Le(base::Crc32c(out));
  return out;
}

TEST(Format, AnIndexWithImpossiblePointsIsBuiltAgain) {
  Entry entry = DocumentedEntry();
  std::string stored;
  AppendStored(entry, entry.bytes, stored);
  const std::vector<std::vector<IndexPoint>> wrong = {{},
                                                      {{1, 0, 2, 0}},
                                                      {{0, 8, 2, 0}},
                                                      {{0, 0, 2, 0}, {0, 8, 2, 0}},
                                                      {{0, 0, 2, 0}, {1, 8, 2, 0}},
                                                      {{-1, 0, 2, 0}}};
  for (const std::vector<IndexPoint>& points : wrong) {
    os::MemoryFileSystem files;
    files.CreateDirectories("/p").value();
    std::string path = SegmentPath("/p", 0);
    os::ReplaceFile(files, path, stored).value();
    os::ReplaceFile(files, IndexPath(path), IndexOf(stored.size(), points)).value();
    Segment segment;
    segment.path = path;
    segment.size = stored.size();
    EXPECT_FALSE(ReadIndexOf(files, segment).ok());
    Partition partition(files, "/p", {});
    ASSERT_TRUE(partition.Open({{0, 1, stored.size()}}, 0, true).ok());
    EXPECT_EQ(entry.bytes, partition.Read(0, 1)->front().bytes);
  }
}

// The program ended between the index of a full segment and the manifest that says so.
TEST(Format, AnIndexOfAnotherSizeIsNoDamage) {
  Entry entry = DocumentedEntry();
  std::string stored;
  AppendStored(entry, entry.bytes, stored);
  os::MemoryFileSystem files;
  files.CreateDirectories("/p").value();
  const std::string path = SegmentPath("/p", 0);
  os::ReplaceFile(files, path, stored).value();
  os::ReplaceFile(files, IndexPath(path), IndexOf(stored.size() + 100, {{0, 0, 2, 0}})).value();
  Segment segment;
  segment.path = path;
  segment.size = stored.size();
  EXPECT_EQ(ErrorKind::kNotFound, ReadIndexOf(files, segment).error().kind());
  Partition partition(files, "/p", {});
  ASSERT_TRUE(partition.Open({{0, 1, stored.size()}}, 0, true).ok());
  EXPECT_EQ(entry.bytes, partition.Read(0, 1)->front().bytes);
}

TEST(Format, AStoredBatchWithImpossibleOffsetsIsRefused) {
  StoredHeader header;
  for (bool good : {true, false}) {
    Entry entry = DocumentedEntry();
    std::string stored;
    if (!good) entry.record_count = -1;  // more than an offset can count
    AppendStored(entry, entry.bytes, stored);
    EXPECT_EQ(good, ReadStoredHeader(stored, &header));
    entry.record_count = 1;
    if (!good) entry.base_offset = INT64_MAX;
    stored.clear();
    AppendStored(entry, entry.bytes, stored);
    EXPECT_EQ(good, ReadStoredHeader(stored, &header));
  }
}

TEST(Format, ATopicHasAtMost65536Partitions) {
  std::string name;
  TopicConfig config;
  EXPECT_TRUE(DecodeTopic(EncodeTopic("t", {.partitions = 65'536}), &name, &config).ok());
  EXPECT_EQ(65'536, config.partitions);
  EXPECT_FALSE(DecodeTopic(EncodeTopic("t", {.partitions = 65'537}), &name, &config).ok());
  EXPECT_FALSE(DecodeTopic(EncodeTopic("t", {.partitions = 0}), &name, &config).ok());
  EXPECT_FALSE(DecodeTopic(EncodeTopic("t", {.partitions = -1}), &name, &config).ok());
}

}  // namespace
}  // namespace headrace::log
