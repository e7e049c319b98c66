#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/answer.h"
#include "headrace/result.h"
#include "log/log.h"
#include "log/record_batch.h"

namespace headrace::engine {

// The answers of requests that carried an Idempotency-Key, so that one that comes again gets the
// answer it had and stores nothing.
//
// An answer is a record of kTopic in the group of the request's events: it is there exactly when
// they are, and a start finds it in the log, whatever snapshots there are. Memory holds where each
// stands, about 90 bytes a key. A key counts for kHorizonMillis from its request's arrival to that
// of the next, both as the journal has them, and while no more than `keys_max` came after it.
// Confined to the worker; the log must outlive it.
class KeptAnswers {
 public:
  static constexpr const char* kTopic = "__answers";
  static constexpr int64_t kHorizonMillis = int64_t{24} * 3'600'000;
  // Of the refusals of one request with a key, as they are stored.
  static constexpr uint64_t kRejectedBytesMax = 1 << 20;

  struct Kept {
    int64_t offset = 0;  // of its record
    int64_t arrival_millis = 0;
    uint64_t fingerprint = 0;
  };

  KeptAnswers(log::Log& log, size_t keys_max) : log_(log), keys_max_(keys_max) {}

  // Reads what the log holds. kCorruption names what is damaged.
  Status Recover();
  // Null when the key is new at this time.
  const Kept* Find(const AnswerKey& key, int64_t arrival_micros) const;

  // A group: Claim for each of its requests, in their order; when their rows are known Add for each
  // in the same order; then TakeEntry. The first Claim of a directory's life makes the topic.
  Status Claim(const AnswerKey& key, uint64_t fingerprint, int64_t arrival_micros);
  void Add(const Answer& answer, int64_t arrival_micros);
  void TakeEntry(std::vector<log::Entry>& group);

  // What is durable there.
  Result<Answer> Read(int64_t offset) const;
  // The rows of an answer; `topic` is that of its return_stream. kNotFound (HR5005) when retention
  // has removed them.
  Result<std::vector<std::string>> ReadRows(const Answer& answer, const std::string& topic) const;

 private:
  struct KeyHash {
    size_t operator()(const AnswerKey& key) const { return key[0]; }  // of a hash already
  };

  void Remember(const AnswerKey& key, const Kept& kept);

  log::Log& log_;
  size_t keys_max_;
  std::unordered_map<AnswerKey, Kept, KeyHash> kept_;
  std::deque<AnswerKey> order_;  // of the records from oldest_ on
  int64_t oldest_ = 0;
  size_t claimed_ = 0;  // in the group that is being built
  log::RecordBatchBuilder builder_;
};

}  // namespace headrace::engine
