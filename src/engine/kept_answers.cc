#include "engine/kept_answers.h"

#include <algorithm>
#include <map>

namespace headrace::engine {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr int64_t kMicrosPerMilli = 1000;

// Calls `take` for each record of the partition in [from, end). kNotFound when some are gone.
template <typename Take>
Status ForRecords(const log::Log& log, const std::string& topic, Placed range, const Take& take) {
  int64_t next = range.first_offset;
  const int64_t end = range.first_offset + range.count;
  while (next < end) {
    HR_ASSIGN(auto entries, log.Read(topic, range.partition, next, kReadBytes));
    if (entries.empty()) break;
    for (const log::Entry& entry : entries) {
      HR_ASSIGN(auto reader, log::RecordReader::Open(entry.bytes));
      log::Record record;
      while (next < end) {
        HR_ASSIGN(bool more, reader.Next(&record));
        if (!more) break;
        if (record.offset < next) continue;
        next = record.offset + 1;
        HR_TRY(take(record));
      }
    }
  }
  if (next >= end) return Ok();
  return Error(ErrorKind::kNotFound, "HR5212", "topic " + topic + " ends before its records");
}

// The runs of one partition, ascending, and the rows in them.
struct PartitionRows {
  std::vector<Placed> runs;
  std::vector<std::string> values;
  size_t given = 0;

  Status Read(const log::Log& log, const std::string& topic) {
    Placed all = runs.front();
    all.count = runs.back().first_offset + runs.back().count - all.first_offset;
    auto run = runs.begin();
    return ForRecords(log, topic, all, [&](const log::Record& record) {
      if (record.offset >= run->first_offset + run->count) ++run;
      if (record.offset >= run->first_offset) values.emplace_back(record.value);
      return Ok();
    });
  }
};

}  // namespace

Status KeptAnswers::Recover() {
  kept_.clear();
  order_.clear();
  if (!log_.HasTopic(kTopic)) return Ok();
  const int64_t end = log_.next_offset(kTopic, 0);
  oldest_ = std::max(log_.start_offset(kTopic, 0), end - static_cast<int64_t>(keys_max_));
  return ForRecords(log_, kTopic, {0, oldest_, end - oldest_},
                    [this](const log::Record& record) -> Status {
                      AnswerKey key{};
                      Kept kept{record.offset, record.timestamp_ms, 0};
                      HR_TRY(Answer::DecodeHead(record.value, &key, &kept.fingerprint));
                      Remember(key, kept);
                      return Ok();
                    });
}

const KeptAnswers::Kept* KeptAnswers::Find(const AnswerKey& key, int64_t arrival_micros) const {
  auto found = kept_.find(key);
  if (found == kept_.end()) return nullptr;
  const int64_t age = arrival_micros / kMicrosPerMilli - found->second.arrival_millis;
  return age > kHorizonMillis ? nullptr : &found->second;
}

Status KeptAnswers::Claim(const AnswerKey& key, uint64_t fingerprint, int64_t arrival_micros) {
  if (!log_.HasTopic(kTopic)) {
    log::TopicConfig config;
    config.retention_ms = kHorizonMillis;
    HR_TRY(log_.CreateTopic(kTopic, config));
  }
  const int64_t offset = log_.next_offset(kTopic, 0) + static_cast<int64_t>(claimed_++);
  if (order_.empty()) oldest_ = offset;
  Remember(key, {offset, arrival_micros / kMicrosPerMilli, fingerprint});
  return Ok();
}

void KeptAnswers::Remember(const AnswerKey& key, const Kept& kept) {
  kept_[key] = kept;
  order_.push_back(key);
  while (!order_.empty()) {
    auto front = kept_.find(order_.front());
    // A key that came again behind its horizon stands at its newer place.
    const bool current = front != kept_.end() && front->second.offset == oldest_;
    const bool expired =
        current && kept.arrival_millis - front->second.arrival_millis > kHorizonMillis;
    if (current && !expired && order_.size() <= keys_max_) break;
    if (current) kept_.erase(front);
    order_.pop_front();
    ++oldest_;
  }
}

void KeptAnswers::Add(const Answer& answer, int64_t arrival_micros) {
  const int64_t millis = arrival_micros / kMicrosPerMilli;
  if (builder_.count() == 0) builder_.Begin(millis);
  const std::string bytes = answer.Encode();
  log::Record record;
  record.timestamp_ms = millis;
  record.value = bytes;
  builder_.Add(record);
}

void KeptAnswers::TakeEntry(std::vector<log::Entry>& group) {
  HR_CHECK(static_cast<size_t>(builder_.count()) == claimed_);
  if (claimed_ == 0) return;
  claimed_ = 0;
  log::Entry& entry = group.emplace_back();
  entry.topic = kTopic;
  entry.record_count = builder_.count();
  entry.bytes = builder_.Finish();
}

Result<Answer> KeptAnswers::Read(int64_t offset) const {
  Answer answer;
  HR_TRY(ForRecords(log_, kTopic, {0, offset, 1}, [&](const log::Record& record) -> Status {
    HR_ASSIGN(answer, Answer::Decode(record.value));
    return Ok();
  }));
  return answer;
}

Result<std::vector<std::string>> KeptAnswers::ReadRows(const Answer& answer,
                                                       const std::string& topic) const {
  // Each partition once: rows of a request may change partition from one to the next.
  std::map<int32_t, PartitionRows> partitions;
  for (const Placed& run : answer.rows)
    partitions[run.partition].runs.push_back(run);
  for (auto& [number, rows] : partitions) {
    Status read = rows.Read(log_, topic);
    if (read.ok()) continue;
    if (read.error().kind() != ErrorKind::kNotFound) return std::move(read).error();
    return Error(ErrorKind::kNotFound, "HR5005",
                 "stream " + answer.return_stream + " no longer keeps the rows of the first answer")
        .WithHint("the events were taken then; nothing was stored again");
  }
  std::vector<std::string> rows;
  for (const Placed& run : answer.rows) {
    PartitionRows& partition = partitions[run.partition];
    for (int64_t i = 0; i < run.count; ++i) {
      const int64_t offset = run.first_offset + i;
      rows.push_back(IdentifiedRow(answer.return_stream, run.partition, offset,
                                   partition.values[partition.given++]));
    }
  }
  return rows;
}

}  // namespace headrace::engine
