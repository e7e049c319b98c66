#include "os/faulty_file_system.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "os/memory_file_system.h"

namespace headrace::os {
namespace {

class FaultyFileSystemTest : public testing::Test {
 protected:
  FaultyFileSystemTest() {
    EXPECT_TRUE(memory_.CreateDirectories("d").ok());
    auto file = faulty_.Open("d/a", {.create = true, .writable = true});
    file_ = std::move(*file);
  }

  MemoryFileSystem memory_;
  FaultyFileSystem faulty_{memory_};
  std::unique_ptr<File> file_;
};

TEST_F(FaultyFileSystemTest, TheNthWriteFailsAndTheNextWorks) {
  faulty_.Add({.point = FaultPoint::kWrite, .nth = 2, .kind = ErrorKind::kNoSpace});
  EXPECT_TRUE(file_->WriteAt(0, "a").ok());
  EXPECT_EQ(file_->WriteAt(1, "b").error().kind(), ErrorKind::kNoSpace);
  EXPECT_TRUE(file_->WriteAt(1, "c").ok());
  EXPECT_EQ(*ReadFile(faulty_, "d/a", 10), "ac");
}

TEST_F(FaultyFileSystemTest, AShortWriteLeavesItsFirstBytes) {
  faulty_.Add({.point = FaultPoint::kWrite, .nth = 1, .short_bytes = 3});
  EXPECT_EQ(file_->WriteAt(0, "abcdef").error().kind(), ErrorKind::kIo);
  EXPECT_EQ(*ReadFile(memory_, "d/a", 10), "abc");
}

TEST_F(FaultyFileSystemTest, FaultsChooseTheirPathAndSort) {
  faulty_.Add({.point = FaultPoint::kSync, .path_part = "other"});
  EXPECT_TRUE(file_->WriteAt(0, "x").ok());
  EXPECT_TRUE(file_->Sync().ok());
  faulty_.Add({.point = FaultPoint::kSync, .path_part = "d/a"});
  EXPECT_EQ(file_->Sync().error().kind(), ErrorKind::kIo);
  faulty_.Add({.point = FaultPoint::kRead});
  EXPECT_FALSE(ReadFile(faulty_, "d/a", 10).ok());
  faulty_.Add({.point = FaultPoint::kOpen, .repeat = 2});
  EXPECT_FALSE(faulty_.Open("d/a", {}).ok());
  EXPECT_FALSE(faulty_.Open("d/a", {}).ok());
  EXPECT_TRUE(faulty_.Open("d/a", {}).ok());
}

TEST_F(FaultyFileSystemTest, AStalledFlushWaitsForResumeOrACrash) {
  for (bool crash : {false, true}) {
    faulty_.StallFlushes();
    std::atomic<bool> flushed = false;
    bool good = false;
    std::thread flushing([&] {
      good = file_->Sync().ok();
      flushed = true;
    });
    EXPECT_TRUE(file_->WriteAt(0, "written meanwhile").ok());
    EXPECT_FALSE(flushed);
    crash ? faulty_.CrashNow() : faulty_.Resume();
    flushing.join();
    EXPECT_EQ(!crash, good);
  }
}

TEST_F(FaultyFileSystemTest, AfterTheCrashNothingHappensAnyMore) {
  uint64_t before = faulty_.operations();
  EXPECT_EQ(before, 1U);
  faulty_.CrashAtOperation(3);
  EXPECT_TRUE(file_->WriteAt(0, "abcd").ok());
  EXPECT_FALSE(file_->WriteAt(0, "wxyz").ok());
  EXPECT_TRUE(faulty_.crashed());
  EXPECT_FALSE(file_->Sync().ok());
  EXPECT_FALSE(faulty_.Rename("d/a", "d/b").ok());
  EXPECT_FALSE(faulty_.Exists("d/a"));
  EXPECT_EQ(*ReadFile(memory_, "d/a", 10), "wxcd");
}

TEST(FaultyFileSystem, AReadOnlyRemountStopsChangesAndLetsReadsThrough) {
  MemoryFileSystem disk;
  FaultyFileSystem files(disk);
  auto file = files.Open("a", {.create = true, .writable = true}).value();
  file->WriteAt(0, "before").value();
  files.SetReadOnly(true);
  EXPECT_EQ("HR7004", file->WriteAt(0, "after!").error().code());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_FALSE(files.Open("b", {.create = true}).ok());
  EXPECT_FALSE(files.CreateDirectories("/d").ok());
  EXPECT_FALSE(files.Remove("a").ok());
  EXPECT_EQ("before", ReadFile(files, "a", 100).value());
  files.SetReadOnly(false);
  EXPECT_TRUE(file->WriteAt(0, "after!").ok());
  EXPECT_EQ("after!", ReadFile(files, "a", 100).value());
}

TEST(FaultyFileSystem, NoMoreFilesThanItsLimitAreOpenAtATime) {
  MemoryFileSystem disk;
  FaultyFileSystem files(disk);
  auto one = files.Open("a", {.create = true, .writable = true}).value();
  EXPECT_EQ(1U, files.open_files());
  files.LimitOpenFiles(1);
  EXPECT_EQ("HR7004", files.Open("a", {}).error().code());
  EXPECT_FALSE(files.Lock("lock").ok());
  EXPECT_TRUE(one->WriteAt(0, "x").ok());
  one.reset();
  EXPECT_TRUE(files.Open("a", {}).ok());
  EXPECT_EQ(0U, files.open_files());
}

}  // namespace
}  // namespace headrace::os
