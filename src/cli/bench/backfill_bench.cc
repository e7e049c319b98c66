#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>

#include "cli/bench/bench.h"
#include "cli/bench/http_load.h"
#include "cli/demo/payment_generator.h"
#include "cli/server_process.h"
#include "engine/engine.h"

namespace headrace::cli {
namespace {

constexpr int64_t kStart = 1'772'409'600'000'000;
constexpr int64_t kStep = 500'000;  // microseconds between payments
constexpr uint64_t kPast = 2'000'000;
constexpr uint64_t kRate = 1000;  // live events per second
constexpr uint64_t kBefore = 5 * kRate;
constexpr uint64_t kSlice = kRate / 4;
constexpr int64_t kStartMilliseconds = 60'000;

constexpr const char* kScript =
    "CREATE STREAM payments (tx_id TEXT NOT NULL, card TEXT NOT NULL, amount DECIMAL(12,2) NOT "
    "NULL, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '5 seconds') "
    "PARTITION BY (card);\n"
    "CREATE STREAM decisions AS SELECT tx_id, sum(amount) OVER (PARTITION BY card ORDER BY ts "
    "RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS sum_1h, "
    "CASE WHEN sum_1h > 1000 THEN 'review' ELSE 'approve' END AS decision FROM payments;\n";

// As the body of a request: a new feature over seven days.
constexpr const char* kDeployment =
    "{\"sql\":\"CREATE STREAM features AS SELECT tx_id, avg(amount) OVER (PARTITION BY card ORDER "
    "BY ts RANGE BETWEEN INTERVAL '7 days' PRECEDING AND CURRENT ROW) AS avg_7d FROM "
    "payments\"}";

// Fills the log of the server that will start.
Status MakePast(Bench& bench, PaymentGenerator& payments) {
  constexpr size_t kBatch = 256;
  base::MetricsRegistry metrics;
  engine::EngineOptions options;
  options.directory = bench.directory() + "/data";
  HR_ASSIGN(std::unique_ptr<engine::Engine> engine,
            engine::Engine::Open(bench.files(), bench.clock(), metrics, options, nullptr));
  HR_TRY(engine->Execute(kScript, bench.directory() + "/app.sql"));
  std::optional<Error> error;
  for (uint64_t i = 0; i < kPast && !error; i += kBatch) {
    engine::IngestRequest request;
    request.topic = "payments";
    for (size_t k = 0; k < kBatch; ++k)
      request.payloads.push_back(payments.Next().Json());
    request.done = [&](const engine::IngestReply& reply) {
      if (reply.error) error = reply.error;
    };
    engine->Submit(std::move(request));
    while (engine->Pump()) {
    }
    engine->Complete();
  }
  HR_TRY(engine->log().WaitDurable(engine->log().last_lsn()));
  engine->Complete();
  if (error) return *error;
  return engine->Close();
}

class Live {
 public:
  Live(Bench& bench, uint16_t port, PaymentGenerator& payments) : bench_(bench) {
    options_.port = port;
    options_.target = "/api/v1/topics/payments/events?return=decisions";
    options_.requests_per_second = kRate;
    options_.body = [&payments] { return payments.Next().Json(); };
  }

  // Sends so many more, and adds how long each answer took.
  Status Send(uint64_t requests, std::vector<double>& micros) {
    options_.requests = requests;
    HR_ASSIGN(LoadResult load, RunHttpLoad(bench_.clock(), options_));
    if (load.refused > 0) return Error(ErrorKind::kInternal, "HR9011", "a decision was refused");
    micros.insert(micros.end(), load.micros.begin(), load.micros.end());
    return Ok();
  }

 private:
  Bench& bench_;
  LoadOptions options_;
};

}  // namespace

// A new feature is deployed over kPast events while others come at kRate.
Status BenchBackfill(Bench& bench) {
  PaymentGenerator payments({1, kStart, kStep});
  HR_TRY(os::ReplaceFile(bench.files(), bench.directory() + "/app.sql", kScript));
  HR_TRY(MakePast(bench, payments));
  ServerProcess server(bench.clock());
  const std::string directory = bench.directory();
  HR_TRY(server.Start(
      {"serve", directory + "/app.sql", "--data", directory + "/data", "--http", "127.0.0.1:0"}));
  HR_TRY(server.WaitListening(kStartMilliseconds));
  Live live(bench, server.port(), payments);
  std::vector<double> before;
  HR_TRY(live.Send(kRate, before));
  before.clear();
  HR_TRY(live.Send(kBefore, before));

  std::atomic<bool> deployed = false;
  Result<LoadResult> answer = LoadResult{};
  std::thread deploys([&] {
    LoadOptions options;
    options.port = server.port();
    options.target = "/api/v1/sql";
    options.requests = 1;
    options.body = [] { return std::string(kDeployment); };
    answer = RunHttpLoad(bench.clock(), options);
    deployed = true;
  });
  std::vector<double> during;
  Status sent = Ok();
  while (sent.ok() && !deployed)
    sent = live.Send(kSlice, during);
  deploys.join();
  HR_TRY(sent);
  HR_TRY(answer);
  if (answer->refused > 0) return Error(ErrorKind::kInternal, "HR9011", "it was not deployed");
  std::sort(before.begin(), before.end());
  std::sort(during.begin(), during.end());
  bench.Report("backfill.events_per_second",
               static_cast<double>(kPast) / (answer->micros.front() * 1e-6), "1/s");
  bench.Report("backfill.before.p99_us", Percentile(before, 0.99), "us");
  bench.Report("backfill.live.p50_us", Percentile(during, 0.5), "us");
  bench.Report("backfill.live.p99_us", Percentile(during, 0.99), "us");
  bench.Report("backfill.live.max_us", during.back(), "us");
  bench.Report("backfill.p99_ratio", Percentile(during, 0.99) / Percentile(before, 0.99), "ratio");
  return Ok();
}

}  // namespace headrace::cli
