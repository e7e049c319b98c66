#pragma once

#include <cstdint>
#include <string>

#include "cli/console.h"
#include "os/clock.h"

namespace headrace::cli {

// Says on standard error how a long run goes: on a terminal a bar with rate and time left once two
// seconds have passed, elsewhere a line every ten. Confined.
class Progress {
 public:
  // `what` is going on, in the lines.
  Progress(Console& console, const os::Clock& clock, std::string what = "progress");
  // `share` of the work done, from 0 to 1; 0 when it cannot be known.
  void Update(uint64_t events, double share);
  // Takes the bar off the screen.
  void Clear();
  double seconds() const;

 private:
  std::string Bar(uint64_t events, double share) const;
  std::string Line(uint64_t events, double share) const;

  Console& console_;
  const os::Clock& clock_;
  std::string what_;
  int64_t start_;
  int64_t next_;
  bool shown_ = false;
};

// The last line of a run: key=value pairs.
struct RunSummary {
  uint64_t events = 0;
  uint64_t rows = 0;
  uint64_t dead = 0;
  uint64_t late = 0;
  double seconds = 0;
};
std::string SummaryLine(const RunSummary& summary);

}  // namespace headrace::cli
