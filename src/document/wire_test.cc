#include "document/wire.h"

#include <string_view>

#include <gtest/gtest.h>

namespace headrace::document {
namespace {

TEST(Wire, ALengthNeverReachesBeyondTheMessage) {
  WireReader reader(std::string_view("\x0a\xff\xff\xff\xff\x0f", 6));
  const auto field = reader.Next();
  ASSERT_FALSE(field.ok());
  EXPECT_EQ("HR3002", field.error().code());
  WireReader endless("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
  EXPECT_FALSE(endless.Next().ok());
  WireReader cut("\x0d\x01");
  EXPECT_FALSE(cut.Next().ok());
  WireReader group("\x0b");
  EXPECT_FALSE(group.Next().ok());
}

}  // namespace
}  // namespace headrace::document
