#include <stdlib.h>

#include <gtest/gtest.h>

#include "os/file_system.h"

namespace headrace::os {
namespace {

class PosixFileSystemTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "headrace-os-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { Clear(directory_); }
  void Clear(const std::string& path) {
    auto names = files_->List(path);
    if (names.ok()) {
      for (const std::string& name : *names)
        Clear(path + "/" + name);
    }
    EXPECT_TRUE(files_->Remove(path).ok());
  }

  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  std::string directory_;
};

TEST_F(PosixFileSystemTest, WritesAndReadsAtPositions) {
  auto file = files_->Open(directory_ + "/a", {.create = true, .writable = true});
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->WriteAt(4, "abcd").ok());
  ASSERT_TRUE((*file)->Sync().ok());
  char buffer[16];
  EXPECT_EQ(*(*file)->ReadAt(6, buffer, 16), 2U);
  EXPECT_EQ(std::string(buffer, 2), "cd");
  ASSERT_TRUE((*file)->Truncate(5).ok());
  EXPECT_EQ(*(*file)->Size(), 5U);
}

TEST_F(PosixFileSystemTest, SaysWhatIsWrongWithThePath) {
  std::string missing = directory_ + "/nosuch/file";
  auto file = files_->Open(missing, {.create = true, .writable = true});
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(file.error().place(), missing);
  ASSERT_TRUE(ReplaceFile(*files_, directory_ + "/a", "x").ok());
  auto again =
      files_->Open(directory_ + "/a", {.create = true, .exclusive = true, .writable = true});
  EXPECT_EQ(again.error().kind(), ErrorKind::kAlreadyExists);
  EXPECT_EQ(files_->Open(directory_, {}).error().kind(), ErrorKind::kIo);
}

TEST_F(PosixFileSystemTest, ReplacesWholeFiles) {
  std::string path = directory_ + "/a";
  ASSERT_TRUE(ReplaceFile(*files_, path, "first and long").ok());
  ASSERT_TRUE(ReplaceFile(*files_, path, "second").ok());
  EXPECT_EQ(*ReadFile(*files_, path, 100), "second");
  EXPECT_EQ(ReadFile(*files_, path, 3).error().kind(), ErrorKind::kLimitExceeded);
  EXPECT_EQ(*files_->List(directory_), std::vector<std::string>{"a"});
}

TEST_F(PosixFileSystemTest, CreatesNestedDirectoriesOnceAndAgain) {
  std::string deep = directory_ + "/x/y/z";
  ASSERT_TRUE(files_->CreateDirectories(deep).ok());
  ASSERT_TRUE(files_->CreateDirectories(deep).ok());
  EXPECT_TRUE(files_->SyncDirectory(deep).ok());
  EXPECT_EQ(*files_->List(directory_ + "/x"), std::vector<std::string>{"y/"});
  EXPECT_GT(*files_->FreeBytes(deep), 0U);
  ASSERT_TRUE(ReplaceFile(*files_, directory_ + "/file", "x").ok());
  EXPECT_FALSE(files_->CreateDirectories(directory_ + "/file/below").ok());
}

TEST_F(PosixFileSystemTest, ALockHasOneHolder) {
  auto held = files_->Lock(directory_ + "/lock");
  ASSERT_TRUE(held.ok());
  auto second = files_->Lock(directory_ + "/lock");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind(), ErrorKind::kConflict);
  *held = nullptr;
  EXPECT_TRUE(files_->Lock(directory_ + "/lock").ok());
}

}  // namespace
}  // namespace headrace::os
