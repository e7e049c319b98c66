#include <algorithm>
#include <string>
#include <vector>

#include "cli/bench/bench.h"
#include "cli/bench/http_load.h"
#include "cli/demo/embedded.h"
#include "cli/demo/payment_generator.h"
#include "cli/server_process.h"
#include "engine/engine.h"

namespace headrace::cli {
namespace {

constexpr int64_t kStart = 1'772'409'600'000'000;
constexpr int64_t kStep = 500'000;  // microseconds between payments
constexpr uint64_t kWarmSeconds = 2;
constexpr uint64_t kSeconds = 10;
constexpr uint64_t kComputeEvents = 20'000;
constexpr int64_t kStartMilliseconds = 60'000;

Status WriteApp(Bench& bench) {
  HR_TRY(os::ReplaceFile(bench.files(), bench.directory() + "/app.sql", DemoScript()));
  return os::ReplaceFile(bench.files(), bench.directory() + "/fraud.lgb.txt", DemoModel());
}

Status MeasureRate(Bench& bench, uint16_t port, PaymentGenerator& payments, uint64_t rate) {
  LoadOptions options;
  options.port = port;
  options.target = "/api/v1/topics/payments/events?return=decisions";
  options.requests_per_second = rate;
  options.warm_requests = rate * kWarmSeconds;
  options.requests = rate * kSeconds;
  options.body = [&] { return payments.Next().Json(); };
  HR_ASSIGN(LoadResult load, RunHttpLoad(bench.clock(), options));
  if (load.refused > 0) {
    return Error(ErrorKind::kInternal, "HR9011",
                 std::to_string(load.refused) + " decisions were refused");
  }
  const std::string name = "decide.http." + std::to_string(rate / 1000) + "k.";
  bench.Report(name + "p50_us", Percentile(load.micros, 0.5), "us");
  bench.Report(name + "p90_us", Percentile(load.micros, 0.9), "us");
  bench.Report(name + "p99_us", Percentile(load.micros, 0.99), "us");
  bench.Report(name + "p999_us", Percentile(load.micros, 0.999), "us");
  bench.Report(name + "max_us", load.micros.back(), "us");
  return Ok();
}

}  // namespace

Status BenchDecideHttp(Bench& bench) {
  HR_TRY(WriteApp(bench));
  ServerProcess server(bench.clock());
  const std::string directory = bench.directory();
  HR_TRY(server.Start(
      {"serve", directory + "/app.sql", "--data", directory + "/data", "--http", "127.0.0.1:0"}));
  HR_TRY(server.WaitListening(kStartMilliseconds));
  PaymentGenerator payments({1, kStart, kStep});
  HR_TRY(MeasureRate(bench, server.port(), payments, 1000));
  return MeasureRate(bench, server.port(), payments, 10'000);
}

// One event at a time from Submit until its group is built and handed to the journal: everything a
// decision costs but the flush.
Status BenchDecideCompute(Bench& bench) {
  HR_TRY(WriteApp(bench));
  base::MetricsRegistry metrics;
  engine::EngineOptions options;
  options.directory = bench.directory() + "/data";
  options.worker_flushes = false;
  HR_ASSIGN(std::unique_ptr<engine::Engine> engine,
            engine::Engine::Open(bench.files(), bench.clock(), metrics, options, nullptr));
  HR_TRY(engine->Execute(DemoScript(), bench.directory() + "/app.sql"));
  PaymentGenerator payments({1, kStart, kStep});
  std::vector<double> micros;
  std::optional<Error> error;
  for (uint64_t i = 0; i < kComputeEvents; ++i) {
    engine::IngestRequest request;
    request.topic = "payments";
    request.payloads.push_back(payments.Next().Json());
    request.return_stream = "decisions";
    request.done = [&](const engine::IngestReply& reply) { error = reply.error; };
    const int64_t start = bench.clock().MonotonicNanoseconds();
    engine->Submit(std::move(request));
    engine->Pump();
    const int64_t computed = bench.clock().MonotonicNanoseconds();
    HR_TRY(engine->log().WaitDurable(engine->log().last_lsn()));
    engine->Complete();
    if (error) return *error;
    if (i >= kComputeEvents / 10) micros.push_back(static_cast<double>(computed - start) * 1e-3);
  }
  std::sort(micros.begin(), micros.end());
  bench.Report("decide.compute.p50_us", Percentile(micros, 0.5), "us");
  bench.Report("decide.compute.p99_us", Percentile(micros, 0.99), "us");
  bench.Report("decide.compute.p999_us", Percentile(micros, 0.999), "us");
  return engine->Close();
}

}  // namespace headrace::cli
