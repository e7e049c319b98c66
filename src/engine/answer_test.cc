#include "engine/answer.h"

#include <random>

#include <gtest/gtest.h>

namespace headrace::engine {
namespace {

Answer Example() {
  Answer answer;
  answer.key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  answer.fingerprint = 0x1716151413121110;
  answer.accepted = 2;
  answer.placed = {{0, 7, 2}};
  answer.rejected.push_back({1, Error(ErrorKind::kInvalidArgument, "HR2201", "no").AtPlace("/a")});
  answer.return_stream = "d";
  answer.rows = {{1, 300, 1}};
  return answer;
}

// docs/internals/answers.md shows these.
TEST(Answers, AreTheBytesOfTheirDescription) {
  std::string hex;
  for (unsigned char c : Example().Encode()) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[c >> 4];
    hex += kDigits[c & 15];
  }
  EXPECT_EQ(
      "01000102030405060708090a0b0c0d0e0f1011121314151617"
      "0201000e04"
      "010106485232323031026e6f022f61"
      "01640102d80402",
      hex);
}

TEST(Answers, ComeBackAsTheyWere) {
  const std::string bytes = Example().Encode();
  Answer back = Answer::Decode(bytes).value();
  EXPECT_EQ(bytes, back.Encode());
  EXPECT_EQ("HR2201", back.rejected[0].error.code());
  EXPECT_EQ("/a", back.rejected[0].error.place());
  AnswerKey key{};
  uint64_t fingerprint = 0;
  ASSERT_TRUE(Answer::DecodeHead(bytes, &key, &fingerprint).ok());
  EXPECT_EQ(back.key, key);
  EXPECT_EQ(back.fingerprint, fingerprint);
}

TEST(Answers, AreRefusedWhenBytesAreMissingLeftOverOrOfAnotherVersion) {
  std::string bytes = Example().Encode();
  for (size_t n = 0; n < bytes.size(); ++n)
    EXPECT_EQ("HR5306", Answer::Decode(bytes.substr(0, n)).error().code()) << n;
  EXPECT_FALSE(Answer::Decode(bytes + '\0').ok());
  bytes[0] = 2;
  EXPECT_FALSE(Answer::Decode(bytes).ok());
}

TEST(Answers, OfHostileBytesAreRefusedWithoutHarm) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = Example().Encode();
    for (size_t changes = 1 + random() % 4; changes > 0; --changes) {
      const size_t at = 25 + random() % (bytes.size() - 25);
      bytes[at] = static_cast<char>(random() % 3 == 0 ? 0xff : random());
    }
    Result<Answer> answer = Answer::Decode(bytes);
    if (answer.ok()) {
      EXPECT_LE(answer->placed.size() + answer->rejected.size() + answer->rows.size(),
                bytes.size());
    }
  }
}

TEST(AnswerKeys, TellTopicsAndTextsApart) {
  EXPECT_EQ(KeyOf("a", "b"), KeyOf("a", "b"));
  EXPECT_NE(KeyOf("a", "b"), KeyOf("ab", ""));
  EXPECT_NE(KeyOf("a", "b"), KeyOf("", "ab"));
  EXPECT_NE(KeyOf("a", "b"), KeyOf("b", "a"));
}

}  // namespace
}  // namespace headrace::engine
