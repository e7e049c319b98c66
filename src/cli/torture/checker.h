#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "cli/torture/history.h"

namespace headrace::cli::torture {

// What may be wrong with a history.
enum class Fault : uint8_t {
  kLost,        // acknowledged, and not where it was
  kDuplicated,  // one value at two places
  kReordered,   // one producer's values of one partition not in the order in which it sent them
  kInvented,    // a row that nobody sent, or other than it was sent
  kNotDurable,  // a reader saw a row that later is not there, or is another
  kDerived,     // a computed row is not what its events give
  kRefused,     // a good event was not taken
  kServer,      // the server ended by itself, or did not start
  kDamaged,     // a file of the directory is damaged
};
inline constexpr size_t kFaults = 9;
std::string_view ToString(Fault fault);

// One thing that is wrong, with what shows it. `life` is the one in which it was promised or seen,
// `found_life` that in which it turned out.
struct Finding {
  Fault fault = Fault::kLost;
  std::optional<Stream> stream{};
  std::optional<Place> place{};
  std::optional<Event> event{};
  uint32_t life = 0;
  uint32_t found_life = 0;
  uint64_t lsn = 0;  // of what stands at the place at the end; 0: unknown
  std::string text{};
};

struct Counts {
  uint64_t events = 0;  // values that were sent
  uint64_t acknowledged = 0;
  uint64_t unanswered = 0;
  uint64_t sent_again = 0;
  uint64_t rows_seen = 0;     // by readers, and by producers in their answers
  uint64_t rows_audited = 0;  // by reading partitions to their end
  Counts& operator+=(const Counts& other);
};

// Decides from a history alone whether the server kept its word. Takes the records in order and
// holds each row once: what is claimed for a place of a partition (by an acknowledgement, by an
// answer, by a reader), and where each value was seen last.
//
// An audit reads a partition to its end in one life. Every place that was claimed before the audit
// began must be in it, with the same row: what was acknowledged can be read at once. Values are
// checked for repeats within one life, because a partition only grows there. Finish wants all
// partitions audited from 0 in that life. Confined; does no input or output.
class Checker {
 public:
  static constexpr size_t kFindingsKept = 50;  // more are counted only

  void Take(const Record& record);
  // What can be said at the end only: acknowledged values without a place, and the computed rows.
  void Finish(uint32_t life);
  // Of another witness: damaged files.
  void Add(Finding finding);
  // So many rows from `first` on have this LSN at the end: told with the findings of these places.
  void Locate(std::string_view stream, const Place& first, int64_t rows, uint64_t lsn);

  const std::vector<Finding>& findings() const { return findings_; }
  uint64_t count(Fault fault) const { return fault_counts_[static_cast<size_t>(fault)]; }
  uint64_t finding_count() const;
  const Counts& counts() const { return counts_; }
  // One behind the last place of a partition of which something is known.
  int64_t KnownEnd(Stream stream, int32_t partition) const;

 private:
  // Rows beyond are no log of ours.
  static constexpr int64_t kOffsetsMax = 16 << 20;
  static constexpr int32_t kPartitionsMax = 1024;
  static constexpr uint64_t kWrongRowsTold = 3;  // of one stream's partition

  // What is claimed for one place.
  struct Claim {
    bool present = false;
    bool acknowledged = false;
    bool has_numbers = false;                 // an acknowledgement knows the event only
    uint32_t life = 0;                        // of the first claim
    uint64_t record = 0;                      // number of the record of the first claim
    std::array<uint64_t, kAuditors> audit{};  // the last one of each auditor that read it
    Event event{};
    Numbers numbers{};
  };
  struct Sent {
    bool invoked = false;
    bool acknowledged = false;
    bool reported = false;  // as lost
    Stream topic = Stream::kSent;
    uint32_t life = 0;  // of the acknowledgement
    Event event{};
    std::array<Place, kStreams> place{};    // where it was seen last
    std::array<uint32_t, kStreams> seen{};  // in which life; 0: never
  };

  // A row that a statement must give.
  struct Wanted {
    Event cause{};
    Numbers numbers{};
  };

  void Take(const Invocation& invocation);
  void Take(const Acknowledgement& acknowledgement);
  void Take(const Unanswered& unanswered);
  void Take(const Sighting& sighting);
  void Take(const Unreadable& unreadable);
  void Take(const AuditBegin& begin);
  void Take(const AuditEnd& end);
  void Take(const Refusal& refusal);
  void Take(const Downfall& downfall);

  Sent* FindSent(uint32_t producer, uint32_t number);
  Claim& ClaimAt(Stream stream, const Place& place);
  bool IsOurs(const Sighting& sighting);
  // Compares with what was claimed for the place; says whether it is new there.
  void MatchClaim(const Sighting& sighting);
  void MatchValue(const Sighting& sighting);
  // The claim does not hold: lost when it was acknowledged, else not durable.
  void Broken(Stream stream, const Place& place, const Claim& claim, uint32_t found_life,
              const std::string& instead);
  void CheckOrder(const AuditEnd& end);
  void CheckDerived(int32_t partition, uint32_t life);
  void CompareRows(Stream stream, int32_t partition, const std::vector<Wanted>& wanted,
                   uint32_t life);

  std::vector<std::vector<Sent>> sent_;                           // by producer, by number
  std::array<std::vector<std::vector<Claim>>, kStreams> claims_;  // by partition, by offset
  uint64_t record_ = 0;
  std::array<uint64_t, kAuditors> audit_{};  // record of the begin of each auditor's newest
  Counts counts_;
  std::vector<Finding> findings_;
  std::array<uint64_t, kFaults> fault_counts_{};
  std::set<std::tuple<Fault, Stream, int32_t, int64_t>> reported_;
};

// "2-871": producer and number.
std::string ValueText(const Event& event);
// "sent:1:204".
std::string PlaceText(Stream stream, const Place& place);

}  // namespace headrace::cli::torture
