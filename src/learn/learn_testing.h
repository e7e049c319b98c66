#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "learn/classifier.h"
#include "learn/draws.h"

// Streams of examples for tests, made of draws, so that a program in another language makes the
// same ones: the reference values in the tests were computed on them by River 0.26.1.

namespace headrace::learn {

struct Example {
  std::vector<double> x;
  int label = 0;
};

// A plane through a cube that moves three times; a tenth of the labels are wrong.
inline std::vector<Example> Planes(size_t rows) {
  constexpr double kOffsets[] = {8, 9, 7, 9.5};
  Draws draws(11);
  std::vector<Example> examples;
  for (size_t i = 0; i < rows; ++i) {
    Example example;
    for (int f = 0; f < 3; ++f)
      example.x.push_back(draws.Unit() * 10);
    example.label = example.x[0] + example.x[1] <= kOffsets[i * 4 / rows] ? 1 : 0;
    if (draws.Unit() < 0.1) example.label = 1 - example.label;
    examples.push_back(std::move(example));
  }
  return examples;
}

// Three classes of two blobs each; a tenth of the values are missing.
inline std::vector<Example> Blobs(size_t rows) {
  Draws draws(12);
  std::vector<Example> examples;
  for (size_t i = 0; i < rows; ++i) {
    Example example;
    example.label = static_cast<int>(draws.Below(3));
    const auto blob = static_cast<int>(draws.Below(2));
    for (int f = 0; f < 5; ++f) {
      double bell = -2;
      for (int u = 0; u < 4; ++u)
        bell += draws.Unit();
      const double value = bell + ((example.label * 7 + blob * 5 + f * 3) % 6) * 0.8;
      example.x.push_back(draws.Unit() < 0.1 ? std::nan("") : value);
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

template <typename State>
std::string Saved(const State& state) {
  std::string bytes;
  base::ByteWriter writer(bytes);
  state.Save(writer);
  return bytes;
}

}  // namespace headrace::learn
