#include "os/shared_library.h"

#include <gtest/gtest.h>

namespace headrace::os {
namespace {

TEST(SharedLibrary, AFunctionIsFoundByItsName) {
  std::string problem;
  const auto library = SharedLibrary::Load("libm.so.6", &problem);
  ASSERT_TRUE(library) << problem;
  auto* root = library->Find<double(double)>("sqrt");
  ASSERT_NE(nullptr, root);
  EXPECT_EQ(3, root(9));
  EXPECT_EQ(nullptr, library->Find<double(double)>("no_such_function"));
}

TEST(SharedLibrary, WhatIsNotThereIsNamed) {
  std::string problem;
  EXPECT_FALSE(SharedLibrary::Load("libnosuchlibrary.so.9", &problem));
  EXPECT_NE(std::string::npos, problem.find("libnosuchlibrary.so.9")) << problem;
}

}  // namespace
}  // namespace headrace::os
