#pragma once

#include <cstdio>
#include <cstdlib>

// Aborts, in every build, when an invariant of our own code does not hold. Never on user input.
#define HR_CHECK(condition)                                                                  \
  ((condition)                                                                               \
       ? static_cast<void>(0)                                                                \
       : (std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition), \
          std::abort()))
