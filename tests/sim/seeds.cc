#include "seeds.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

#include <unistd.h>

#include <gtest/gtest.h>

#include "naive.h"

namespace headrace::sim {
namespace {

constexpr double kMicrosPerHour = 3600e6;
constexpr uint64_t kTellEvery = 50;

char last_words[1024];  // written by a signal handler, which may not allocate

void SayLastWords(int signal) {
  [[maybe_unused]] ssize_t written = write(STDOUT_FILENO, last_words, std::strlen(last_words));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void Tell(uint64_t seeds, const Spent& spent) {
  const auto& test = *testing::UnitTest::GetInstance()->current_test_info();
  std::printf("sim: %s: %llu seeds, %llu simulated crashes, %.1f simulated hours\n", test.name(),
              static_cast<unsigned long long>(seeds),
              static_cast<unsigned long long>(spent.crashes),
              static_cast<double>(spent.simulated_micros) / kMicrosPerHour);
  std::fflush(stdout);
}

}  // namespace

uint64_t Number(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string Reproduction(const std::string& settings) {
  const auto& test = *testing::UnitTest::GetInstance()->current_test_info();
  return "sim: reproduce with " + settings +
         " build/tests/sim/sim_test --gtest_filter=" + test.test_suite_name() + "." + test.name() +
         "\n";
}

void SetLastWords(const std::string& words) {
  const size_t length = std::min(words.size(), sizeof last_words - 1);
  words.copy(last_words, length);
  last_words[length] = '\0';
  for (int signal : {SIGABRT, SIGSEGV})
    std::signal(signal, words.empty() ? SIG_DFL : SayLastWords);
}

void ForSeeds(const SeedRange& range, const std::function<Spent(uint64_t seed)>& body) {
  const uint64_t only = Number("HEADRACE_SEED", 0);
  const uint64_t first = only > 0 ? only : 1;
  const uint64_t wanted = Number("HEADRACE_SEEDS", range.seeds);
  const uint64_t last = only > 0 ? only : (wanted + range.sparing - 1) / range.sparing;
  Spent spent;
  uint64_t seeds = 0;
  for (uint64_t seed = first; seed <= last && !testing::Test::HasFailure(); ++seed) {
    const std::string line = Reproduction("HEADRACE_SEED=" + std::to_string(seed));
    SetLastWords(line);
    const Spent one = body(seed);
    spent.crashes += one.crashes;
    spent.simulated_micros += one.simulated_micros;
    ++seeds;
    if (testing::Test::HasFailure()) std::fputs(line.c_str(), stdout);
    if (seeds % kTellEvery == 0 && seed != last) Tell(seeds, spent);
  }
  SetLastWords("");
  Tell(seeds, spent);
}

std::string FirstDifference(const std::string& expected, const std::string& actual) {
  size_t line = 1;
  size_t begin = 0;
  size_t i = 0;
  for (; i < expected.size() && i < actual.size() && expected[i] == actual[i]; ++i) {
    if (expected[i] != '\n') continue;
    ++line;
    begin = i + 1;
  }
  auto rest = [begin](const std::string& text) {
    return begin < text.size() ? text.substr(begin, text.find('\n', begin) - begin) : "(the end)";
  };
  return "line " + std::to_string(line) + "\n  expected " + rest(expected) + "\n  got      " +
         rest(actual);
}

void ExpectSame(const std::string& what, const std::string& expected, const std::string& actual) {
  if (expected == actual) return;
  ADD_FAILURE() << what << ": " << FirstDifference(expected, actual);
}

std::string EventsOf(const std::string& rows) {
  return EachOnce(LettersOf(rows));
}

std::string EachOnce(const std::string& letters) {
  std::set<std::string> events;
  for (size_t at = 0; at < letters.size();) {
    const size_t end = letters.find('\n', at);
    events.insert(letters.substr(at, end - at));
    at = end + 1;
  }
  std::string all;
  for (const std::string& event : events)
    all += event + "\n";
  return all;
}

}  // namespace headrace::sim
