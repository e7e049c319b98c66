#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/bench/bench.h"
#include "cli/bench/synthetic_model.h"
#include "cli/demo/payment_generator.h"
#include "engine/engine.h"

namespace headrace::cli {
namespace {

constexpr int64_t kStart = 1'772'409'600'000'000;
constexpr int64_t kStep = 50'000;  // microseconds between payments
constexpr uint64_t kRequestEvents = 100;
constexpr uint64_t kRequestsPerSecond = 1000;  // so 100,000 events
constexpr uint64_t kWarmRequests = 2 * kRequestsPerSecond;
constexpr uint64_t kRequests = 4 * kRequestsPerSecond;
constexpr uint64_t kSwapEvery = kRequestsPerSecond / 10;
constexpr uint64_t kShadowRequests = 3000;

constexpr const char* kScript =
    "CREATE STREAM payments (tx_id TEXT NOT NULL, card TEXT NOT NULL, amount DECIMAL(12,2) NOT "
    "NULL, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '5 seconds') "
    "PARTITION BY (card);\n"
    "CREATE MODEL m WITH (path = 'one.txt');\n"
    "CREATE STREAM decisions AS SELECT tx_id, count(*) OVER h1 AS n_1h, sum(amount) OVER h1 AS "
    "sum_1h, PREDICT(m, amount, n_1h, sum_1h) AS risk, "
    "CASE WHEN risk > 0.5 THEN 'review' ELSE 'approve' END AS decision FROM payments "
    "WINDOW h1 AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND "
    "CURRENT ROW);\n"
    "ALTER MODEL m ADD VERSION WITH (path = 'two.txt');\n";

using Payloads = std::vector<std::vector<std::string>>;

// An engine with two versions of a model, and what its answers say. The worker's loop runs on the
// caller's thread. Confined.
class Decider {
 public:
  static Result<std::unique_ptr<Decider>> Open(Bench& bench) {
    for (const auto& [name, seed] : {std::pair{"/one.txt", 1}, std::pair{"/two.txt", 2}}) {
      SyntheticModelOptions model;
      model.features = 3;
      model.seed = static_cast<uint64_t>(seed);
      HR_TRY(os::ReplaceFile(bench.files(), bench.directory() + name, SyntheticModel(model)));
    }
    auto decider = std::make_unique<Decider>(bench);
    engine::EngineOptions options;
    options.directory = bench.directory() + "/data";
    HR_ASSIGN(decider->engine_, engine::Engine::Open(bench.files(), bench.clock(),
                                                     decider->metrics_, options, nullptr));
    HR_TRY(decider->engine_->Execute(kScript, bench.directory() + "/app.sql"));
    decider->engine_->SetWakeCallback([woken = decider.get()] {
      std::lock_guard lock(woken->mutex_);
      woken->woken_ = true;
      woken->wake_.notify_one();
    });
    return decider;
  }
  explicit Decider(Bench& bench) : bench_(bench) {}

  Payloads Draw(uint64_t requests) {
    Payloads drawn(requests);
    for (std::vector<std::string>& request : drawn) {
      for (uint64_t i = 0; i < kRequestEvents; ++i)
        request.push_back(payments_.Next().Json());
    }
    return drawn;
  }

  // Sends them at the rate, or as fast as they are taken, and gives how long each answer took from
  // the moment it was due. `between` is called before each.
  Result<std::vector<double>> Send(Payloads payloads, bool paced,
                                   const std::function<void(uint64_t)>& between) {
    constexpr size_t kInFlightMax = 256;  // requests
    micros_.clear();
    const int64_t start = bench_.clock().MonotonicNanoseconds();
    constexpr int64_t kEvery = 1'000'000'000 / int64_t{kRequestsPerSecond};
    uint64_t sent = 0;
    const auto due = [&] { return paced ? start + static_cast<int64_t>(sent) * kEvery : start; };
    while (!error_ && (sent < payloads.size() || engine_->in_flight() > 0)) {
      while (sent < payloads.size() && due() <= bench_.clock().MonotonicNanoseconds() &&
             (paced || engine_->in_flight() < kInFlightMax)) {
        if (between) between(sent);
        Submit(std::move(payloads[sent]), due());
        ++sent;
      }
      const bool more = engine_->Pump();
      engine_->Complete();
      if (!more && engine_->in_flight() > 0) Wait(sent < payloads.size() ? due() : INT64_MAX);
    }
    if (error_) return *error_;
    std::sort(micros_.begin(), micros_.end());
    return micros_;
  }

  // Taken up by the loop of Send.
  void Alter(const std::string& what) {
    engine_->Deploy("ALTER MODEL m " + what, "bench", [this](Status done) {
      if (!done.ok() && !error_) error_ = done.error();
    });
  }
  engine::Engine& engine() { return *engine_; }
  uint64_t rows() const { return rows_; }
  uint64_t events() const { return events_; }
  // Seconds that the version has scored so far.
  double Scored(int version) {
    return metrics_
        .GetHistogram("headrace_score_duration_seconds", "",
                      R"(model="m",version=")" + std::to_string(version) + "\"")
        .sum_seconds();
  }

 private:
  void Submit(std::vector<std::string> payloads, int64_t due) {
    engine::IngestRequest request;
    request.topic = "payments";
    events_ += payloads.size();
    request.payloads = std::move(payloads);
    request.return_stream = "decisions";
    request.done = [this, due](const engine::IngestReply& reply) {
      if (reply.error && !error_) error_ = reply.error;
      rows_ += reply.rows.size();
      micros_.push_back(static_cast<double>(bench_.clock().MonotonicNanoseconds() - due) * 1e-3);
    };
    engine_->Submit(std::move(request));
  }
  void Wait(int64_t until) {
    constexpr int64_t kMost = 100'000'000;
    const int64_t left = std::min(until - bench_.clock().MonotonicNanoseconds(), kMost);
    if (left <= 0) return;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::nanoseconds(left), [this] { return woken_; });
    woken_ = false;
  }

  Bench& bench_;
  PaymentGenerator payments_{{1, kStart, kStep}};
  base::MetricsRegistry metrics_;
  std::vector<double> micros_;
  uint64_t rows_ = 0;
  uint64_t events_ = 0;
  std::optional<Error> error_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;                      // guarded by mutex_
  std::unique_ptr<engine::Engine> engine_;  // last: it calls back
};

}  // namespace

// The version that decides changes ten times a second under 100,000 events a second.
Status BenchSwap(Bench& bench) {
  HR_ASSIGN(std::unique_ptr<Decider> decider, Decider::Open(bench));
  HR_TRY(decider->Send(decider->Draw(kWarmRequests), true, nullptr));
  HR_ASSIGN(const std::vector<double> before,
            decider->Send(decider->Draw(kRequests), true, nullptr));
  uint64_t swaps = 0;
  HR_ASSIGN(const std::vector<double> during,
            decider->Send(decider->Draw(kRequests), true, [&](uint64_t sent) {
              if (sent % kSwapEvery == 0)
                decider->Alter("ACTIVATE VERSION " + std::to_string(2 - swaps++ % 2));
            }));
  const auto events = static_cast<double>(decider->events());
  const auto logged = static_cast<double>(decider->engine().log().end_offset("decisions", 0));
  bench.Report("model.swap.swaps", static_cast<double>(swaps), "count");
  bench.Report("model.swap.missed", events - static_cast<double>(decider->rows()), "decisions");
  bench.Report("model.swap.doubled", logged - events, "decisions");
  bench.Report("model.swap.before.p50_us", Percentile(before, 0.5), "us");
  bench.Report("model.swap.before.p99_us", Percentile(before, 0.99), "us");
  bench.Report("model.swap.p50_us", Percentile(during, 0.5), "us");
  bench.Report("model.swap.p99_us", Percentile(during, 0.99), "us");
  bench.Report("model.swap.p99_ratio", Percentile(during, 0.99) / Percentile(before, 0.99),
               "ratio");
  return decider->engine().Close();
}

// What models take for a shadow's comparison, as a share of what the version that decides took for
// the same events as they came.
Status BenchShadow(Bench& bench) {
  HR_ASSIGN(std::unique_ptr<Decider> decider, Decider::Open(bench));
  HR_TRY(decider->Send(decider->Draw(kShadowRequests / 4), false, nullptr));
  HR_TRY(decider->engine().Execute("ALTER MODEL m SHADOW VERSION 2", "bench"));
  const double idle = decider->Scored(1);
  HR_TRY(decider->Send(decider->Draw(kShadowRequests), false, nullptr));
  const double live = decider->Scored(1);
  const double beside = decider->Scored(2);
  HR_TRY(decider->engine().ModelReport("m", {}));
  const double shadow = decider->Scored(2) - beside + decider->Scored(1) - live;
  bench.Report("shadow.live_model_time.ratio", beside / (live - idle), "ratio");
  bench.Report("shadow.model_time.ratio", (beside + shadow) / (live - idle), "ratio");
  return decider->engine().Close();
}

}  // namespace headrace::cli
