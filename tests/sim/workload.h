#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace headrace::sim {

inline constexpr int64_t kSecond = 1'000'000;

// One event as generated; `json` is what the engine is given.
struct Event {
  bool unfit = false;  // malformed, against NOT NULL or CHECK, or from the far future
  std::string id;
  std::optional<std::string> k;
  std::optional<int64_t> q;
  std::optional<int64_t> v;  // hundredths
  std::optional<int64_t> x;  // quarters
  int64_t ts = 0;            // microseconds
  std::string json;
};

// What a seed stands for: two scripts, a new version of a model, the events before and behind each,
// and the constants that its windows have. Value type.
struct Workload {
  uint64_t seed = 0;
  int32_t partitions = 1;
  bool deduplicated = true;
  int64_t delay = 0;  // of the watermark
  int64_t dedup_within = 0;
  int64_t range = 0;  // of OVER ... RANGE
  int64_t rows = 0;   // of OVER ... ROWS
  int64_t tumble = 0;
  int64_t tumble_lateness = 0;
  bool tumble_drops = false;    // LATE ROWS DROP
  int64_t sorted_lateness = 0;  // of the statement that emits on watermark
  int64_t hop_slide = 0;
  int64_t hop_size = 0;
  int64_t retention = 0;  // of the events; 0: they stay

  std::string script;
  std::string later_script;  // deployed behind the first `first` events
  std::vector<Event> events;
  size_t first = 0;
  size_t second = 0;  // the second version of the model decides behind so many
  int64_t now = 0;    // what the clock says

  std::vector<std::string> streams;        // of the first script, dead letters included
  std::vector<std::string> later_streams;  // of the second
  // One that is written as CSV, and of which the second opinion knows nothing.
  static constexpr const char* kCsv = "written";
};

enum class Feed {
  kFile,      // unfit events and very late ones among the events
  kRequests,  // none whose repetition a client would see
};

// Model `m` of the second script, in its versions: one tree over q, with these scores in fourths.
inline constexpr const char* kModelPaths[] = {"/in/m1.txt", "/in/m2.txt"};
inline constexpr int64_t kScores[2][2] = {{1, 6}, {10, -3}};  // q <= 5 or NULL, and more
std::string ModelText(size_t version);

// The workload of a seed: the same on every machine.
// `retention` is that of the events, 0 to keep them.
Workload MakeWorkload(uint64_t seed, Feed feed, int32_t partitions, size_t events,
                      int64_t retention = 0);

// RFC 3339, as rows have it.
std::string TimeText(int64_t micros);
// A fixed-point number with two digits behind the point.
std::string HundredthsText(int64_t hundredths);

}  // namespace headrace::sim
