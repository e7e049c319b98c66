#include "os/memory_file_system.h"

#include <set>

#include <gtest/gtest.h>

namespace headrace::os {
namespace {

std::string Read(FileSystem& files, const std::string& path) {
  auto bytes = ReadFile(files, path, 1 << 20);
  return bytes.ok() ? *bytes : bytes.error().ToString();
}

std::unique_ptr<File> Create(FileSystem& files, const std::string& path) {
  return std::move(*files.Open(path, {.create = true, .writable = true}));
}

class MemoryFileSystemTest : public testing::Test {
 protected:
  MemoryFileSystemTest() { EXPECT_TRUE(files_.CreateDirectories("d").ok()); }
  MemoryFileSystem files_;
};

TEST_F(MemoryFileSystemTest, ReadsBackWhatWasWritten) {
  auto file = Create(files_, "d/a");
  ASSERT_TRUE(file->WriteAt(3, "xyz").ok());
  EXPECT_EQ(Read(files_, "d/a"), std::string("\0\0\0xyz", 6));
  EXPECT_EQ(*file->Size(), 6U);
  char buffer[8];
  EXPECT_EQ(*file->ReadAt(4, buffer, 8), 2U);
}

TEST_F(MemoryFileSystemTest, WhatWasFlushedSurvivesEveryCrash) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.CreateDirectories("d").ok());
    auto file = Create(files, "d/a");
    ASSERT_TRUE(file->WriteAt(0, std::string(10000, 'a')).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(files.SyncDirectory("d").ok());
    ASSERT_TRUE(file->WriteAt(10000, std::string(50000, 'b')).ok());
    files.Crash(seed);
    std::string left = Read(files, "d/a");
    ASSERT_GE(left.size(), 10000U);
    EXPECT_EQ(left.substr(0, 10000), std::string(10000, 'a'));
  }
}

TEST_F(MemoryFileSystemTest, UnflushedPagesAreLostKeptAndTorn) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.CreateDirectories("d").ok());
    auto file = Create(files, "d/a");
    ASSERT_TRUE(file->WriteAt(0, std::string(8192, '0')).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(files.SyncDirectory("d").ok());
    ASSERT_TRUE(file->WriteAt(0, std::string(8192, '1')).ok());
    files.Crash(seed);
    std::string left = Read(files, "d/a");
    ASSERT_EQ(left.size(), 8192U);
    for (size_t sector = 0; sector < 16; ++sector) {
      std::string part = left.substr(sector * 512, 512);
      ASSERT_EQ(part, std::string(512, part[0]));
    }
    outcomes.insert(left);
  }
  EXPECT_TRUE(outcomes.contains(std::string(8192, '0')));
  EXPECT_TRUE(outcomes.contains(std::string(8192, '1')));
  EXPECT_TRUE(outcomes.contains(std::string(4096, '0') + std::string(4096, '1')));
  EXPECT_GT(outcomes.size(), 8U);
}

TEST_F(MemoryFileSystemTest, NamesAreVolatileUntilTheDirectoryIsFlushed) {
  std::set<bool> created;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.CreateDirectories("d").ok());
    auto file = Create(files, "d/a");
    ASSERT_TRUE(file->WriteAt(0, "x").ok());
    ASSERT_TRUE(file->Sync().ok());
    files.Crash(seed);
    created.insert(files.Exists("d/a"));
  }
  EXPECT_EQ(created.size(), 2U);
}

TEST_F(MemoryFileSystemTest, ReplaceFileLeavesTheOldOrTheNewFile) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.CreateDirectories("d").ok());
    ASSERT_TRUE(ReplaceFile(files, "d/a", "old").ok());
    auto beside = Create(files, "d/a.new");
    ASSERT_TRUE(beside->WriteAt(0, "new").ok());
    ASSERT_TRUE(beside->Sync().ok());
    ASSERT_TRUE(files.Rename("d/a.new", "d/a").ok());
    files.Crash(seed);
    outcomes.insert(Read(files, "d/a"));
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"old", "new"}));
}

TEST_F(MemoryFileSystemTest, TheSameSeedLeavesTheSameDisk) {
  for (int round = 0; round < 2; ++round) {
    MemoryFileSystem a;
    MemoryFileSystem b;
    for (MemoryFileSystem* files : {&a, &b}) {
      ASSERT_TRUE(files->CreateDirectories("d").ok());
      auto file = Create(*files, "d/a");
      ASSERT_TRUE(files->SyncDirectory("d").ok());
      ASSERT_TRUE(file->WriteAt(0, std::string(100000, 'x')).ok());
      files->Crash(42);
    }
    EXPECT_EQ(Read(a, "d/a"), Read(b, "d/a"));
  }
}

TEST_F(MemoryFileSystemTest, OldHandlesDoNotReachTheDiskAfterACrash) {
  auto file = Create(files_, "d/a");
  ASSERT_TRUE(file->WriteAt(0, "x").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(files_.SyncDirectory("d").ok());
  files_.Crash(1);
  ASSERT_TRUE(file->WriteAt(0, "y").ok());
  EXPECT_EQ(Read(files_, "d/a"), "x");
}

TEST_F(MemoryFileSystemTest, ListsNamesSortedWithDirectoriesMarked) {
  Create(files_, "d/b");
  Create(files_, "d/a");
  ASSERT_TRUE(files_.CreateDirectories("d/c/e").ok());
  EXPECT_EQ(*files_.List("d"), (std::vector<std::string>{"a", "b", "c/"}));
  EXPECT_EQ(files_.List("nosuch").error().kind(), ErrorKind::kNotFound);
}

TEST_F(MemoryFileSystemTest, AFullDiskRefusesToGrowButOverwrites) {
  auto file = Create(files_, "d/a");
  ASSERT_TRUE(file->WriteAt(0, "12345678").ok());
  files_.SetCapacity(10);
  EXPECT_EQ(file->WriteAt(8, "123").error().kind(), ErrorKind::kNoSpace);
  EXPECT_TRUE(file->WriteAt(0, "abcdefgh").ok());
  EXPECT_EQ(*files_.FreeBytes("d"), 2U);
}

TEST_F(MemoryFileSystemTest, ALockHasOneHolder) {
  auto held = files_.Lock("d/lock");
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(files_.Lock("d/lock").error().kind(), ErrorKind::kConflict);
  *held = nullptr;
  EXPECT_TRUE(files_.Lock("d/lock").ok());
}

}  // namespace
}  // namespace headrace::os
