#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/answer.h"
#include "engine/engine.h"
#include "flow/remote_answer.h"

namespace headrace::engine {

// A reply that waits until the LSN is durable.
struct WaitingReply {
  log::Lsn lsn = 0;
  IngestReply reply;
  std::function<void(IngestReply)> done;
  int64_t answer = -1;  // what it gets is the kept answer there; -1: `reply`
};

// Requests whose `return` rows wait for the answers of remote models, and which rows those are.
// Confined to the worker. Limit: each has a row that waits, of which there are as many as
// AskingRows allows.
class AskingRequests {
 public:
  struct Request {
    IngestReply reply;
    std::function<void(IngestReply)> done;
    std::vector<std::function<void(IngestReply)>> repeats;  // sent again meanwhile, with its key
    std::string topic;
    std::string return_stream;
    bool claimed = false;  // its answer is kept
    AnswerKey key{};
    uint64_t fingerprint = 0;
    int64_t arrival_micros = 0;
    std::vector<Placed> rows;  // where those of the reply stand
    size_t open = 0;           // rows that wait
  };
  using Shared = std::shared_ptr<Request>;

  // Requests of which a row waits.
  size_t size() const { return requests_; }

  // The row that asks is one that the request wants. Once for each question.
  void Wait(const Shared& request, const flow::Ask& ask);
  // Whose row the answer is for; null: nobody's. `complete`: it was the last for that row.
  struct Answered {
    Shared request;
    bool complete = false;
  };
  Answered Answer(const flow::RemoteAnswer& answer);
  // True when the request with this key waits still; the other gets its reply, too.
  bool Follow(const AnswerKey& key, std::function<void(IngestReply)>& done);
  // The request has all its rows.
  void End(const Shared& request);
  // Those whose rows are no longer among the asks: nothing more comes for them.
  std::vector<Shared> TakeLost(const std::vector<flow::Ask>& asks);

 private:
  using RowKey = std::pair<std::string, flow::AskingRow>;  // statement, row
  struct Row {
    Shared request;
    size_t questions = 0;
  };

  std::map<RowKey, Row> rows_;
  std::map<AnswerKey, Shared> by_key_;
  size_t requests_ = 0;
};

// Whether rows of the stream stem from those of the statement.
bool StemsFrom(const Deployment& deployment, const std::string& stream,
               const std::string& statement);

}  // namespace headrace::engine
