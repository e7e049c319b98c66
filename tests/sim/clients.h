#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/local_engine.h"
#include "history.h"
#include "os/clock.h"
#include "os/random.h"
#include "workload.h"

namespace headrace::sim {

// Several producers as they are over HTTP: each sends its requests one after the other, every one
// with an Idempotency-Key, asks for the decisions now and then, and sends again what was not
// answered. They remember what they were told, and find what does not fit it. Confined.
class Clients {
 public:
  static constexpr size_t kProducers = 3;
  static constexpr const char* kTicks = "ticks";  // a second topic
  static constexpr const char* kReturned = "enriched";

  Clients(os::Random& random, const os::Clock& clock, History& history);
  // Another producer's event, behind those it has.
  void Add(size_t producer, const Event& event);
  void AddTicks(size_t count, int64_t first_time);
  // Groups what was added into requests.
  void Begin();

  // The next request of one of the producers.
  void Send(engine::LocalEngine& engine);
  // One that was answered, again. The clock must not have gone further than keys are kept.
  void Repeat(engine::LocalEngine& engine);
  // What was answered meanwhile is as it was promised; kCorruption HR0000 when not. The first error
  // that a producer got: it is no fault of anybody while the disk fails.
  Status Judge(const engine::LocalEngine& engine);
  // The program is gone with what was not answered.
  void Reconnect();
  // Errors are no news until told otherwise: the disk is full.
  void Bear(bool bear) { bear_ = bear; }
  // A time at which the wall clock is elsewhere: what is refused then is no finding.
  void ExpectNothing() { clock_jumped_ = true; }

  bool done() const;
  bool waiting() const;   // somebody has no answer yet
  bool in_doubt() const;  // or got none of a program that is gone
  // Every event that was accepted is in the log, once for each time when nothing drops repeats.
  Status CheckStored(bool deduplicated, const std::vector<std::string>& file_lines) const;
  // Rows that were seen are those of the end.
  Status CheckRows(const std::map<std::string, std::string>& streams) const;
  // A row that somebody saw, with its `_id`.
  Status See(const std::string& row);
  const std::string* AnyId() const;

 private:
  enum class State { kNew, kSent, kAnswered };
  struct Request {
    std::string topic;
    std::vector<std::string> payloads;
    std::vector<bool> unfit;
    std::string key;
    bool returns = false;
    State state = State::kNew;
    bool in_doubt = false;  // it was sent, and the program went away
    std::string answer;     // as text, when it was answered
    int64_t answered_micros = 0;
    std::vector<size_t> rejected;
  };
  struct Producer {
    std::vector<Event> events;  // not yet grouped
    std::vector<Request> requests;
    size_t next = 0;  // the first that is not answered
  };
  struct Answered {
    Request* request = nullptr;
    engine::IngestReply reply;
  };

  void Submit(engine::LocalEngine& engine, Request& request);
  Status JudgeOne(Request& request, const engine::IngestReply& reply);
  Status JudgePlaces(const Request& request, const engine::IngestReply& reply) const;

  os::Random& random_;
  const os::Clock& clock_;
  History& history_;
  std::vector<Producer> producers_;
  std::vector<Answered> answered_;
  std::map<std::string, std::string> rows_;  // by `_id`
  uint64_t life_ = 0;
  bool bear_ = false;
  bool clock_jumped_ = false;
};

}  // namespace headrace::sim
