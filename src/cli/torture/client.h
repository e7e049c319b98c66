#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/http_client.h"
#include "cli/torture/history.h"
#include "cli/torture/life_gate.h"
#include "cli/torture/workload.h"

namespace headrace::cli::torture {

// Sends its events one request after the other, the next one when the last was answered, until
// there are no more lives. In kSent a request without an answer is sent again, the same bytes, in
// the next life, until it is answered; in kOnce it is left at that.
// Runs on a thread of its own; gate and history outlive it.
class Producer {
 public:
  Producer(uint64_t seed, uint32_t number, Stream topic, const os::Clock& clock, LifeGate& gate,
           History& history)
      : workload_(seed, number, topic, clock), topic_(topic), gate_(gate), history_(history) {}

  void Run();

 private:
  void Live(const Life& life);
  // False when this life takes no more.
  bool Send(HttpClient& http, uint32_t life);
  void RecordAnswer(uint32_t life, std::string_view body);
  void RecordUnanswered(uint32_t life);
  void RecordRefusal(uint32_t life, const std::string& text);

  Workload workload_;
  Stream topic_;
  LifeGate& gate_;
  History& history_;
  Batch pending_;  // empty: the last one was answered
};

// Reads rows while they come. kPoll asks every partition of every stream for what is new,
// which is an audit each time; kFollow
// hangs on one partition of a derived stream, another one each life.
// Runs on a thread of its own; gate and history outlive it.
class Reader {
 public:
  enum class How : uint8_t { kPoll, kFollow };
  Reader(How how, LifeGate& gate, History& history) : how_(how), gate_(gate), history_(history) {}

  void Run();

 private:
  void Poll(const Life& life);
  // One round over everything; false when the server answers no more. Counts the rows.
  bool PollAll(HttpClient& http, uint32_t life, size_t* rows);
  void Follow(const Life& life);

  How how_;
  LifeGate& gate_;
  History& history_;
  // By stream and partition: where the next question begins.
  std::array<std::array<int64_t, 8>, kStreams> next_{};
};

// Reads a partition to its end and records that as an audit. The end; an error when the server did
// not answer.
Result<int64_t> Audit(HttpClient& http, History& history, const AuditBegin& begin);

}  // namespace headrace::cli::torture
