#include "cli/torture/checker.h"

#include <algorithm>
#include <map>
#include <utility>

#include "cli/torture/derived_model.h"

namespace headrace::cli::torture {
namespace {

constexpr size_t Index(Stream stream) {
  return static_cast<size_t>(stream);
}

bool IsSource(Stream stream) {
  return stream == Stream::kSent || stream == Stream::kOnce;
}

// Where the events of a stream were sent.
Stream TopicOf(Stream stream) {
  return stream == Stream::kOnce ? Stream::kOnce : Stream::kSent;
}

std::string NumbersText(Stream stream, const Numbers& numbers) {
  std::string text =
      "n=" + std::to_string(numbers.count) + " total=" + std::to_string(numbers.total);
  if (stream == Stream::kOdd) text += " running=" + std::to_string(numbers.running);
  return text;
}

std::string Life(uint32_t life) {
  return "life " + std::to_string(life);
}

std::string RowText(Stream stream, const Event& event, const Numbers& numbers) {
  std::string text = ValueText(event) + " key=" + std::to_string(event.key) +
                     " amount=" + std::to_string(event.amount) + " at=" + std::to_string(event.at);
  return IsSource(stream) ? text : text + " " + NumbersText(stream, numbers);
}

}  // namespace

std::string_view ToString(Stream stream) {
  switch (stream) {
    case Stream::kSent:
      return "sent";
    case Stream::kOnce:
      return "once";
    case Stream::kCounted:
      return "counted";
    case Stream::kOdd:
      return "odd";
  }
  return "";
}

std::string_view ToString(Fault fault) {
  static constexpr std::array<std::string_view, kFaults> kNames = {
      "lost",    "duplicated", "reordered", "invented", "not durable",
      "derived", "refused",    "server",    "damaged"};
  return kNames[static_cast<size_t>(fault)];
}

std::string ValueText(const Event& event) {
  return std::to_string(event.producer) + "-" + std::to_string(event.number);
}

std::string PlaceText(Stream stream, const Place& place) {
  return std::string(ToString(stream)) + ":" + std::to_string(place.partition) + ":" +
         std::to_string(place.offset);
}

Counts& Counts::operator+=(const Counts& other) {
  events += other.events;
  acknowledged += other.acknowledged;
  unanswered += other.unanswered;
  sent_again += other.sent_again;
  rows_seen += other.rows_seen;
  rows_audited += other.rows_audited;
  return *this;
}

void Checker::Take(const Record& record) {
  ++record_;
  std::visit([this](const auto& of_kind) { Take(of_kind); }, record);
}

void Checker::Add(Finding finding) {
  if (finding.stream && finding.place) {
    const auto key = std::make_tuple(finding.fault, *finding.stream, finding.place->partition,
                                     finding.place->offset);
    if (!reported_.insert(key).second) return;
  }
  ++fault_counts_[static_cast<size_t>(finding.fault)];
  if (findings_.size() < kFindingsKept) findings_.push_back(std::move(finding));
}

void Checker::Locate(std::string_view stream, const Place& first, int64_t rows, uint64_t lsn) {
  for (Finding& finding : findings_) {
    if (!finding.stream || !finding.place || ToString(*finding.stream) != stream) continue;
    const Place& place = *finding.place;
    if (place.partition == first.partition && place.offset >= first.offset &&
        place.offset < first.offset + rows) {
      finding.lsn = lsn;
    }
  }
}

uint64_t Checker::finding_count() const {
  uint64_t all = 0;
  for (uint64_t count : fault_counts_)
    all += count;
  return all;
}

int64_t Checker::KnownEnd(Stream stream, int32_t partition) const {
  const auto& partitions = claims_[Index(stream)];
  const auto p = static_cast<size_t>(partition);
  return p < partitions.size() ? static_cast<int64_t>(partitions[p].size()) : 0;
}

Checker::Sent* Checker::FindSent(uint32_t producer, uint32_t number) {
  if (producer >= sent_.size() || number >= sent_[producer].size()) return nullptr;
  Sent& sent = sent_[producer][number];
  return sent.invoked ? &sent : nullptr;
}

Checker::Claim& Checker::ClaimAt(Stream stream, const Place& place) {
  auto& partitions = claims_[Index(stream)];
  const auto p = static_cast<size_t>(place.partition);
  const auto o = static_cast<size_t>(place.offset);
  if (partitions.size() <= p) partitions.resize(p + 1);
  if (partitions[p].size() <= o) partitions[p].resize(o + 1);
  return partitions[p][o];
}

void Checker::Take(const Invocation& invocation) {
  const Event& event = invocation.event;
  if (FindSent(event.producer, event.number) != nullptr) {
    ++counts_.sent_again;
    return;
  }
  if (sent_.size() <= event.producer) sent_.resize(event.producer + 1);
  std::vector<Sent>& mine = sent_[event.producer];
  if (mine.size() <= event.number) mine.resize(event.number + 1);
  Sent& sent = mine[event.number];
  sent.invoked = true;
  sent.topic = invocation.topic;
  sent.event = event;
  ++counts_.events;
}

void Checker::Take(const Acknowledgement& acknowledgement) {
  Sent* sent = FindSent(acknowledgement.producer, acknowledgement.number);
  if (sent == nullptr) return;  // who records it sent it
  sent->acknowledged = true;
  sent->life = acknowledgement.life;
  ++counts_.acknowledged;
  if (!acknowledgement.place) return;
  Row row{sent->topic, *acknowledgement.place, sent->event, {}};
  const Sighting claimed{acknowledgement.life, row, Auditor::kNone};
  if (!IsOurs(claimed)) return;
  MatchClaim(claimed);
  MatchValue(claimed);
  ClaimAt(row.stream, row.place).acknowledged = true;
}

void Checker::Take(const Unanswered& unanswered) {
  if (FindSent(unanswered.producer, unanswered.number) != nullptr) ++counts_.unanswered;
}

void Checker::Take(const Sighting& sighting) {
  ++(sighting.auditor == Auditor::kRunner ? counts_.rows_audited : counts_.rows_seen);
  if (!IsOurs(sighting)) return;
  MatchClaim(sighting);
  MatchValue(sighting);
  Claim& claim = ClaimAt(sighting.row.stream, sighting.row.place);
  if (!claim.has_numbers) claim.numbers = sighting.row.numbers;
  claim.has_numbers = true;
  const auto auditor = static_cast<size_t>(sighting.auditor);
  claim.audit[auditor] = audit_[auditor];
}

bool Checker::IsOurs(const Sighting& sighting) {
  const Row& row = sighting.row;
  Finding finding{Fault::kInvented, row.stream,    row.place, row.event,
                  sighting.life,    sighting.life, 0,         {}};
  if (row.place.partition < 0 || row.place.partition >= kPartitionsMax || row.place.offset < 0 ||
      row.place.offset >= kOffsetsMax) {
    finding.text = "a row at a place that cannot be";
  } else if (const Sent* sent = FindSent(row.event.producer, row.event.number); sent == nullptr) {
    finding.text = "nobody sent " + RowText(row.stream, row.event, row.numbers);
  } else if (sent->topic != TopicOf(row.stream)) {
    finding.text = "it was sent to " + std::string(ToString(sent->topic));
  } else if (sent->event != row.event) {
    finding.text = "sent as " + RowText(sent->topic, sent->event, {}) + ", read as " +
                   RowText(row.stream, row.event, row.numbers);
  } else {
    return true;
  }
  Add(std::move(finding));
  return false;
}

void Checker::MatchClaim(const Sighting& sighting) {
  const Row& row = sighting.row;
  Claim& claim = ClaimAt(row.stream, row.place);
  const bool same = claim.event == row.event &&
                    (!claim.has_numbers || IsSource(row.stream) || claim.numbers == row.numbers);
  if (claim.present && same) return;
  if (claim.present) {
    Broken(row.stream, row.place, claim, sighting.life,
           "the place holds " + RowText(row.stream, row.event, row.numbers));
  }
  claim = {};
  claim.present = true;
  claim.life = sighting.life;
  claim.record = record_;
  claim.event = row.event;
}

void Checker::MatchValue(const Sighting& sighting) {
  const Row& row = sighting.row;
  Sent& sent = *FindSent(row.event.producer, row.event.number);
  const size_t s = Index(row.stream);
  const Place before = sent.place[s];
  const bool twice = sent.seen[s] == sighting.life && before != row.place &&
                     ClaimAt(row.stream, before).present &&
                     ClaimAt(row.stream, before).event == row.event;
  if (twice) {
    // The later place is the repeat, whichever was seen first.
    const bool later = before.partition != row.place.partition || row.place.offset > before.offset;
    Add({Fault::kDuplicated, row.stream, later ? row.place : before, row.event, sighting.life,
         sighting.life, 0, "it is also at " + PlaceText(row.stream, later ? before : row.place)});
  }
  sent.place[s] = row.place;
  sent.seen[s] = sighting.life;
}

void Checker::Broken(Stream stream, const Place& place, const Claim& claim, uint32_t found_life,
                     const std::string& instead) {
  const std::string what = claim.acknowledged ? "acknowledged in " : "seen in ";
  Add({claim.acknowledged ? Fault::kLost : Fault::kNotDurable, stream, place, claim.event,
       claim.life, found_life, 0,
       what + Life(claim.life) + "; in " + Life(found_life) + " " + instead});
  if (Sent* sent = FindSent(claim.event.producer, claim.event.number); sent != nullptr) {
    sent->reported |= claim.acknowledged;
  }
}

void Checker::Take(const Unreadable& unreadable) {
  Finding finding{Fault::kInvented, unreadable.stream, {}, {},
                  unreadable.life,  unreadable.life,   0,  "no row of ours: " + unreadable.text};
  Add(std::move(finding));
}

void Checker::Take(const AuditBegin& begin) {
  audit_[static_cast<size_t>(begin.auditor)] = record_;
}

void Checker::Take(const AuditEnd& end) {
  auto& partitions = claims_[Index(end.stream)];
  if (partitions.size() <= static_cast<size_t>(end.partition)) return;
  std::vector<Claim>& claims = partitions[static_cast<size_t>(end.partition)];
  const auto auditor = static_cast<size_t>(end.auditor);
  const std::string last = end.end > 0 ? "the last row is at " + std::to_string(end.end - 1)
                                       : std::string("there is no row");
  for (auto offset = static_cast<size_t>(end.from); offset < claims.size(); ++offset) {
    Claim& claim = claims[offset];
    if (claim.audit[auditor] == audit_[auditor] || claim.record > audit_[auditor]) continue;
    const Place place{end.partition, static_cast<int64_t>(offset)};
    if (claim.present) {
      Broken(end.stream, place, claim, end.life,
             place.offset < end.end ? "the row was left out" : last);
      claim = {};
    } else if (place.offset < end.end) {
      Add({Fault::kLost, end.stream, place, {}, end.life, end.life, 0, "no row, although " + last});
    }
  }
  if (IsSource(end.stream)) CheckOrder(end);
}

void Checker::CheckOrder(const AuditEnd& end) {
  const auto& claims = claims_[Index(end.stream)][static_cast<size_t>(end.partition)];
  std::map<uint32_t, uint32_t> newest;  // by producer
  const auto stop = std::min(static_cast<size_t>(end.end), claims.size());
  for (auto offset = static_cast<size_t>(end.from); offset < stop; ++offset) {
    const Claim& claim = claims[offset];
    if (!claim.present) continue;
    auto [last, first] = newest.try_emplace(claim.event.producer, claim.event.number);
    if (first || last->second < claim.event.number) {
      last->second = claim.event.number;
    } else if (last->second > claim.event.number) {
      Add({Fault::kReordered, end.stream, Place{end.partition, static_cast<int64_t>(offset)},
           claim.event, claim.life, end.life, 0,
           "it stands behind " + std::to_string(claim.event.producer) + "-" +
               std::to_string(last->second) + ", which was sent later"});
    }
  }
}

void Checker::Take(const Refusal& refusal) {
  Add({Fault::kRefused, refusal.topic, {}, {}, refusal.life, refusal.life, 0, refusal.text});
}

void Checker::Take(const Downfall& downfall) {
  Add({Fault::kServer, {}, {}, {}, downfall.life, downfall.life, 0, downfall.text});
}

void Checker::Finish(uint32_t life) {
  for (const std::vector<Sent>& producer : sent_) {
    for (const Sent& sent : producer) {
      if (!sent.acknowledged || sent.reported || sent.seen[Index(sent.topic)] == life) continue;
      Add({Fault::kLost,
           sent.topic,
           {},
           sent.event,
           sent.life,
           life,
           0,
           "acknowledged in " + Life(sent.life) + "; in " + Life(life) + " it is nowhere"});
    }
  }
  for (size_t p = 0; p < claims_[Index(Stream::kSent)].size(); ++p)
    CheckDerived(static_cast<int32_t>(p), life);
}

void Checker::CheckDerived(int32_t partition, uint32_t life) {
  DerivedModel model;
  std::vector<Wanted> counted;
  std::vector<Wanted> odd;
  for (const Claim& claim : claims_[Index(Stream::kSent)][static_cast<size_t>(partition)]) {
    if (!claim.present) continue;
    DerivedModel::Answer answer = model.Take(claim.event);
    if (answer.odd) odd.push_back({claim.event, answer.numbers});
    answer.numbers.running = 0;
    counted.push_back({claim.event, answer.numbers});
  }
  CompareRows(Stream::kCounted, partition, counted, life);
  CompareRows(Stream::kOdd, partition, odd, life);
}

void Checker::CompareRows(Stream stream, int32_t partition, const std::vector<Wanted>& wanted,
                          uint32_t life) {
  const auto known = static_cast<size_t>(KnownEnd(stream, partition));
  uint64_t wrong = 0;  // one row too many or too few makes all behind it wrong
  for (size_t i = 0; i < std::max(known, wanted.size()) && wrong < kWrongRowsTold; ++i) {
    const Place place{partition, static_cast<int64_t>(i)};
    const Claim claim = i < known ? ClaimAt(stream, place) : Claim{};
    const std::string is =
        claim.present ? "it is " + RowText(stream, claim.event, claim.numbers) : "it is missing";
    if (i >= wanted.size()) {
      if (!claim.present) continue;
      Add({Fault::kDerived, stream, place, claim.event, claim.life, life, 0,
           is + ", the events give no such row"});
    } else if (!claim.present || claim.event != wanted[i].cause ||
               claim.numbers != wanted[i].numbers) {
      Add({Fault::kDerived, stream, place, wanted[i].cause, claim.life, life, 0,
           is + ", the events give " + RowText(stream, wanted[i].cause, wanted[i].numbers)});
    } else {
      continue;
    }
    ++wrong;
  }
}

}  // namespace headrace::cli::torture
