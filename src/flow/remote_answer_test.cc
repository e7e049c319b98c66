#include "flow/remote_answer.h"

#include <gtest/gtest.h>

namespace headrace::flow {
namespace {

// As in docs/internals/remote.md.
const std::string kBytes(
    "\x01\x06scored\x64\x03\x00\x00\x64\x03\x08\x07\x06\x05\x04\x03\x02\x01\x00"
    "\x01\x03\x00\x00\x00\x00\x00\x00\xe0\x3f\x00",
    34);

TEST(RemoteAnswer, IsWrittenAsTheDocumentSays) {
  RemoteAnswer answer;
  answer.statement = "scored";
  answer.row = {{100, 3}, 0};
  answer.event = {100, 3};
  answer.fingerprint = 0x0102030405060708;
  answer.outputs = {0.5};
  EXPECT_EQ(kBytes, answer.Encode());
  const Result<RemoteAnswer> read = RemoteAnswer::Decode(kBytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(kBytes, read->Encode());
  EXPECT_EQ(answer.row, read->row);
  EXPECT_EQ(RemoteStatus::kAnswered, read->status);
}

TEST(RemoteAnswer, ThatIsDamagedIsRefused) {
  std::vector<std::string> damaged;
  for (size_t cut = 0; cut < kBytes.size(); ++cut)
    damaged.push_back(kBytes.substr(0, cut));
  damaged.push_back(kBytes + "x");
  damaged.push_back("\x02" + kBytes.substr(1));
  std::string status = kBytes;
  status[22] = static_cast<char>(kRemoteStatuses);
  damaged.push_back(status);
  for (const std::string& bytes : damaged) {
    const Result<RemoteAnswer> read = RemoteAnswer::Decode(bytes);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ("HR5330", read.error().code());
  }
}

TEST(RemoteAnswer, KeepsTheBeginningOfALongDetail) {
  const RemoteAnswer answer =
      RemoteAnswer::To(Ask(), RemoteStatus::kInvalid, std::string(1000, 'x'));
  EXPECT_EQ(RemoteAnswer::kDetailBytesMax, answer.detail.size());
  EXPECT_TRUE(RemoteAnswer::Decode(answer.Encode()).ok());
}

}  // namespace
}  // namespace headrace::flow
