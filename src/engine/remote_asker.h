#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/metrics.h"
#include "flow/remote_answer.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/http_caller.h"

namespace headrace::engine {

// Asks remote models what rows of the flow wait for, and hands the answers to the worker, which
// writes them to the journal: nothing is decided here that a replay would have to know.
//
// A question goes out when the event that it stems from is durable. A call that fails gives the
// default value, with why; when as many as the model says have failed one after the other, its
// breaker opens: nothing is called for the pause, then one call tries. Threads: confined to the
// worker, but for what callers of other threads put into the inbox. Limits: those of each model
// (`connections` calls at a time), and of AskingRows for what waits. The clock, the metrics and the
// HTTP caller must outlive it.
class RemoteAsker {
 public:
  // Without a caller every question ends as unavailable. `wake` is called on any thread when an
  // answer is there.
  RemoteAsker(os::HttpCaller* caller, os::Clock& clock, base::MetricsRegistry& metrics,
              std::function<void()> wake);
  ~RemoteAsker();
  RemoteAsker(const RemoteAsker&) = delete;
  RemoteAsker& operator=(const RemoteAsker&) = delete;

  // Questions of rows that are durable when `lsn` is.
  void Add(std::vector<flow::Ask> asks, log::Lsn lsn);
  // These are all that wait: what is not among them is forgotten, what is on its way stays so.
  void Replace(std::vector<flow::Ask> asks, log::Lsn lsn);
  // Sends what may go out.
  void Send(log::Lsn durable);
  // What has been answered since, in the order in which it came: at most so many.
  std::vector<flow::RemoteAnswer> TakeAnswers(size_t most);
  bool has_answers() const;
  // Blocks until there is an answer, or nothing is on its way.
  void Wait();
  // Questions that have no answer yet, or one that was not taken.
  size_t open() const;

 private:
  using Key = std::tuple<std::string, flow::AskingRow, uint32_t>;  // statement, row, question
  struct Waiting {
    flow::Ask ask;
    log::Lsn lsn = 0;
  };
  // What has come, for the worker.
  struct Inbox {
    struct Reply {
      Key key;
      Result<os::HttpReply> reply;
      int64_t nanos;  // monotonic, when it came
    };
    mutable std::mutex mutex;
    std::condition_variable changed;
    std::vector<Reply> replies;
    std::function<void()> wake;  // null: nobody listens any more
  };
  struct OnItsWay {
    flow::Ask ask;
    int64_t sent_nanos = 0;
    bool forgotten = false;  // its row waits no more
  };
  enum class Breaker { kClosed, kOpen, kTrying };
  // What is known of a model.
  struct Model {
    std::deque<Waiting> waiting;
    int64_t calls = 0;     // on their way
    int64_t failures = 0;  // one after the other
    Breaker breaker = Breaker::kClosed;
    int64_t opened_nanos = 0;
    base::Gauge* breaker_open = nullptr;
    base::Gauge* queued = nullptr;
    base::Histogram* seconds = nullptr;
  };

  static Key KeyOf(const flow::Ask& ask) { return {ask.statement, ask.row, ask.question}; }
  Model& ModelOf(const flow::RemotePlan& plan);
  void SendOf(Model& model, log::Lsn durable);
  bool MayCall(Model& model, const flow::RemotePlan& plan);
  void Call(Model& model, flow::Ask ask);
  // Its end, without a call or after one.
  void Give(const flow::Ask& ask, flow::RemoteAnswer answer);
  flow::RemoteAnswer AnswerOf(const flow::Ask& ask, const Result<os::HttpReply>& reply) const;
  void NoteCall(Model& model, const flow::RemotePlan& plan, bool good);
  void Count(const flow::Ask& ask, flow::RemoteStatus status);

  os::HttpCaller* caller_;
  os::Clock& clock_;
  base::MetricsRegistry& metrics_;
  std::shared_ptr<Inbox> inbox_;
  std::map<std::string, Model> models_;  // by name
  std::map<Key, OnItsWay> calls_;
  std::deque<flow::RemoteAnswer> answers_;
};

}  // namespace headrace::engine
