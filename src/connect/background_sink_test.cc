// A sink written from a thread of its own: nothing out of order, nothing lost before a flush
// returns, and a failure is told at the next call and for ever after.

#include "connect/background_sink.h"

#include <gtest/gtest.h>

#include "os/memory_file_system.h"

namespace headrace::connect {
namespace {

// Keeps what it is given; fails from the `fail_at`-th append on.
class RecordingSink final : public FileSink {
 public:
  struct Record {
    std::string bytes;
    uint64_t rows = 0;
    uint64_t flushes = 0;
    uint64_t durable_flushes = 0;
  };
  RecordingSink(Record& record, uint64_t fail_at) : record_(record), fail_at_(fail_at) {}

  uint64_t rows() const override { return 0; }
  uint64_t bytes() const override { return 0; }
  Status Append(std::string_view bytes, uint64_t rows) override {
    if (++appends_ >= fail_at_) return Error(ErrorKind::kIo, "HR7001", "the pipe is closed");
    record_.bytes += bytes;
    record_.rows += rows;
    return Ok();
  }
  Status Flush(bool durable) override {
    ++(durable ? record_.durable_flushes : record_.flushes);
    return Ok();
  }

 private:
  Record& record_;
  uint64_t fail_at_;
  uint64_t appends_ = 0;
};

TEST(BackgroundSink, WritesInOrderAndFlushWaitsForAllThatWasGiven) {
  RecordingSink::Record record;
  BackgroundSink sink(std::make_unique<RecordingSink>(record, UINT64_MAX));
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    std::string piece = sink.Buffer();
    EXPECT_TRUE(piece.empty()) << "a spare buffer comes empty";
    piece += "row " + std::to_string(i) + "\n";
    expected += piece;
    ASSERT_TRUE(sink.Append(std::move(piece), 1).ok());
    if (i % 100 != 99) continue;
    if (i % 200 == 99) sink.Checkpoint();  // one under way must not answer for a later flush
    ASSERT_TRUE(sink.Flush(false).ok());
    EXPECT_EQ(expected, record.bytes);
    EXPECT_EQ(static_cast<uint64_t>(i) + 1, record.rows);
  }
  EXPECT_GE(record.durable_flushes, 10U) << "a checkpoint asked for is made, at the latest by the "
                                            "flush that follows it";
}

TEST(BackgroundSink, HoldsTheCallerBackWhenTheSinkIsSlow) {
  RecordingSink::Record record;
  BackgroundSink sink(std::make_unique<RecordingSink>(record, UINT64_MAX));
  const std::string piece(BackgroundSink::kQueueBytes / 4, 'x');
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(sink.Append(piece, 1).ok());
  ASSERT_TRUE(sink.Flush(true).ok());
  EXPECT_EQ(40 * piece.size(), record.bytes.size());
}

TEST(BackgroundSink, AFailureIsFinal) {
  RecordingSink::Record record;
  BackgroundSink sink(std::make_unique<RecordingSink>(record, 3));
  for (int i = 0; i < 3; ++i)
    (void)sink.Append("abc", 1);  // the third is refused, by then or at a later call
  Status flushed = sink.Flush(true);
  ASSERT_FALSE(flushed.ok());
  EXPECT_EQ("HR7001", flushed.error().code());
  EXPECT_FALSE(sink.Append("abc", 1).ok());
  sink.Checkpoint();  // has nobody to do it, and waits for nobody
  EXPECT_FALSE(sink.Flush(false).ok());
  EXPECT_EQ("abcabc", record.bytes);
}

TEST(BackgroundSink, WritesWhatWaitsBeforeItEnds) {
  RecordingSink::Record record;
  {
    BackgroundSink sink(std::make_unique<RecordingSink>(record, UINT64_MAX));
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(sink.Append("z", 1).ok());
  }
  EXPECT_EQ(100U, record.rows);
}

// The sink of files below it: what is cut back, and to where.
class FileSinkTest : public testing::Test {
 protected:
  std::unique_ptr<FileSink> Open() {
    auto sink = FileSink::Open(files_, "/out.jsonl", "/data/out.position");
    EXPECT_TRUE(sink.ok());
    return std::move(*sink);
  }
  std::string Bytes() { return *os::ReadFile(files_, "/out.jsonl", 1 << 30); }
  void SetUp() override { ASSERT_TRUE(files_.CreateDirectories("/data").ok()); }

  os::MemoryFileSystem files_;
};

TEST_F(FileSinkTest, AFileIsCutBackToItsCheckpoint) {
  auto sink = Open();
  ASSERT_TRUE(sink->Append("one\n", 1).ok());
  ASSERT_TRUE(sink->Flush(true).ok());
  ASSERT_TRUE(sink->Append("two\n", 1).ok());
  ASSERT_TRUE(sink->Flush(false).ok());
  EXPECT_EQ("one\ntwo\n", Bytes());
  sink = Open();
  EXPECT_EQ(1U, sink->rows());
  EXPECT_EQ(4U, sink->bytes());
  EXPECT_EQ("one\n", Bytes());
}

TEST_F(FileSinkTest, LargePiecesGoAroundTheBufferInOrder) {
  auto sink = Open();
  const std::string large(1 << 20, 'L');
  ASSERT_TRUE(sink->Append("small\n", 1).ok());
  ASSERT_TRUE(sink->Append(large, 7).ok());
  ASSERT_TRUE(sink->Append("end\n", 1).ok());
  ASSERT_TRUE(sink->Flush(true).ok());
  EXPECT_EQ("small\n" + large + "end\n", Bytes());
  EXPECT_EQ(9U, Open()->rows());
}

TEST_F(FileSinkTest, ADamagedCheckpointOrAFileThatIsTooShortBeginsAnew) {
  auto sink = Open();
  ASSERT_TRUE(sink->Append("one\n", 1).ok());
  ASSERT_TRUE(sink->Flush(true).ok());
  std::string position = *os::ReadFile(files_, "/data/out.position", 1024);
  std::string flipped = position;
  flipped[9] ^= 1;
  ASSERT_TRUE(os::ReplaceFile(files_, "/data/out.position", flipped).ok());
  EXPECT_EQ(0U, Open()->rows());
  EXPECT_EQ("", Bytes());
  ASSERT_TRUE(os::ReplaceFile(files_, "/data/out.position", position).ok());
  EXPECT_EQ(0U, Open()->rows()) << "the file was emptied by somebody: it is written again whole";
}

}  // namespace
}  // namespace headrace::connect
