#include "os/paced_file_system.h"

#include <gtest/gtest.h>

#include "os/memory_file_system.h"

namespace headrace::os {
namespace {

TEST(PacedFileSystem, AsksForEveryPieceAndReadsTheSame) {
  MemoryFileSystem disk;
  std::string written;
  for (size_t i = 0; written.size() < 5 * PacedFileSystem::kPieceBytes / 2; ++i)
    written += std::to_string(i);
  ReplaceFile(disk, "/f", written).value();
  size_t asked = 0;
  size_t pieces = 0;
  PacedFileSystem paced(disk, [&](size_t bytes) {
    asked += bytes;
    ++pieces;
    return bytes <= PacedFileSystem::kPieceBytes;
  });
  EXPECT_EQ(written, ReadFile(paced, "/f", UINT32_MAX).value());
  EXPECT_EQ(written.size(), asked);
  EXPECT_EQ(3U, pieces);
  EXPECT_EQ("HR7001", ReadFile(paced, "/absent", 1).error().code());
}

TEST(PacedFileSystem, StopsInTheMidstOfAFile) {
  MemoryFileSystem disk;
  ReplaceFile(disk, "/f", std::string(3 * PacedFileSystem::kPieceBytes, 'x')).value();
  int left = 2;
  PacedFileSystem paced(disk, [&](size_t /*bytes*/) { return left-- > 0; });
  Result<std::string> read = ReadFile(paced, "/f", UINT32_MAX);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ("HR7060", read.error().code());
  EXPECT_EQ(ErrorKind::kUnavailable, read.error().kind());
}

TEST(PacedFileSystem, ChangesNothing) {
  MemoryFileSystem disk;
  ReplaceFile(disk, "/f", "x").value();
  PacedFileSystem paced(disk, [](size_t /*bytes*/) { return true; });
  EXPECT_EQ("HR7061", paced.Open("/f", {.writable = true}).error().code());
  EXPECT_EQ("HR7061", paced.Open("/g", {.create = true}).error().code());
  EXPECT_EQ("HR7061", paced.Remove("/f").error().code());
  EXPECT_EQ("HR7061", paced.Rename("/f", "/g").error().code());
  EXPECT_EQ("HR7061", paced.Lock("/f").error().code());
  auto file = paced.Open("/f", {}).value();
  EXPECT_EQ("HR7061", file->WriteAt(0, "y").error().code());
  EXPECT_EQ("HR7061", file->Truncate(0).error().code());
  EXPECT_EQ("x", ReadFile(disk, "/f", 1).value());
}

}  // namespace
}  // namespace headrace::os
