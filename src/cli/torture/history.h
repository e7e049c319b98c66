#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace headrace::cli::torture {

// The streams of the script that is tortured (see script.h).
enum class Stream : uint8_t {
  kSent,     // repeats are dropped; what got no answer is sent again
  kOnce,     // knows no repeats; nothing is sent twice
  kCounted,  // a row for each of kSent: number and sum of the key's last seconds
  kOdd,      // a row for each of kCounted whose number is odd: how many of these the key had
};
inline constexpr size_t kStreams = 4;
std::string_view ToString(Stream stream);

// What a producer sends: its number, from 0 without gaps, makes it unique. Value type.
struct Event {
  uint32_t producer = 0;
  uint32_t number = 0;
  int64_t key = 0;
  int64_t amount = 0;
  int64_t at = 0;  // event time, microseconds
  bool operator==(const Event&) const = default;
};

struct Place {
  int32_t partition = 0;
  int64_t offset = 0;
  bool operator==(const Place&) const = default;
};

// What statements compute of an event; each stream has the first ones of these.
struct Numbers {
  int64_t count = 0;    // kCounted, kOdd
  int64_t total = 0;    // kCounted, kOdd
  int64_t running = 0;  // kOdd
  bool operator==(const Numbers&) const = default;
};

// A row as it was read.
struct Row {
  Stream stream = Stream::kSent;
  Place place{};
  Event event{};
  Numbers numbers{};
};

// --- what a history is made of. `life` counts the starts of the server, from 1. -----------------

// An event is about to be sent; again when its answer did not come.
struct Invocation {
  uint32_t life = 0;
  Stream topic = Stream::kSent;
  Event event{};
};
// The server said that it is durable. A repeat is acknowledged without a place.
struct Acknowledgement {
  uint32_t life = 0;
  uint32_t producer = 0;
  uint32_t number = 0;
  std::optional<Place> place;
};
// No answer came: it may have been taken or not.
struct Unanswered {
  uint32_t life = 0;
  uint32_t producer = 0;
  uint32_t number = 0;
};
// Who reads a partition to its end, and says so: each has at most one audit open.
enum class Auditor : uint8_t { kNone, kRunner, kReader };
inline constexpr size_t kAuditors = 3;

// Somebody read a row.
struct Sighting {
  uint32_t life = 0;
  Row row{};
  Auditor auditor = Auditor::kNone;  // whose open audit it belongs to
};
// A row that is none of ours: not to be read, or with other bytes than were sent.
struct Unreadable {
  uint32_t life = 0;
  Stream stream = Stream::kSent;
  std::string text;
};
// Everything of a partition from `from` to its end is read now.
struct AuditBegin {
  Auditor auditor = Auditor::kNone;
  uint32_t life = 0;
  Stream stream = Stream::kSent;
  int32_t partition = 0;
  int64_t from = 0;
};
// `end` is one behind the last row.
struct AuditEnd {
  Auditor auditor = Auditor::kNone;
  uint32_t life = 0;
  Stream stream = Stream::kSent;
  int32_t partition = 0;
  int64_t from = 0;
  int64_t end = 0;
};
// A good event was refused.
struct Refusal {
  uint32_t life = 0;
  Stream topic = Stream::kSent;
  std::string text;
};
// The server ended by itself or did not start.
struct Downfall {
  uint32_t life = 0;
  std::string text;
};

using Record = std::variant<Invocation, Acknowledgement, Unanswered, Sighting, Unreadable,
                            AuditBegin, AuditEnd, Refusal, Downfall>;

// What happened, in an order that agrees with the real one: whoever records does so before what it
// starts begins, and after what it learned has come. Thread-safe.
class History {
 public:
  void Add(Record record) {
    std::lock_guard lock(mutex_);
    records_.push_back(std::move(record));
  }
  // As one step: nothing of another thread comes in between.
  void AddAll(std::vector<Record>&& records) {
    std::lock_guard lock(mutex_);
    for (Record& record : records)
      records_.push_back(std::move(record));
  }
  // Takes what was recorded since the last time.
  std::vector<Record> Drain() {
    std::lock_guard lock(mutex_);
    return std::exchange(records_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Record> records_;  // guarded by mutex_
};

}  // namespace headrace::cli::torture
