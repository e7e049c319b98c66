#include <functional>
#include <optional>
#include <string>

#include "cli/bench/bench.h"
#include "cli/command.h"
#include "cli/demo/payment_generator.h"
#include "engine/engine.h"

namespace headrace::cli {
namespace {

constexpr uint64_t kRows = 1'000'000;
constexpr int64_t kStart = 1'772'409'600'000'000;
constexpr int64_t kStep = 50'000;  // microseconds between payments

// Thirty features: counts, money, ratios.
std::string Script() {
  std::string features;
  std::string windows;
  for (const auto& [name, length] :
       {std::pair{"m10", "10 minutes"}, std::pair{"h1", "1 hour"}, std::pair{"h6", "6 hours"},
        std::pair{"d1", "1 day"}, std::pair{"d7", "7 days"}}) {
    for (const char* call : {"count(*)", "sum(amount)", "max(amount)"})
      features += std::string(", ") + call + " OVER " + name;
    for (const char* call : {"avg(x)", "min(x)"})
      features += std::string(", ") + call + " OVER " + name;
    features += ", x / (1 + sum(x) OVER " + std::string(name) + ")";
    windows += (windows.empty() ? "" : ", ") + std::string(name) +
               " AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '" + length +
               "' PRECEDING AND CURRENT ROW)";
  }
  std::string numbered;
  int number = 0;
  for (size_t at = 0; at < features.size(); ++at) {
    const bool ends = features.compare(at, 2, ", ") == 0;
    if (ends && number > 0) numbered += " AS f" + std::to_string(number);
    if (ends) ++number;
    numbered += features[at];
  }
  numbered += " AS f" + std::to_string(number);
  return "CREATE STREAM payments (tx_id TEXT NOT NULL, card TEXT NOT NULL, amount DECIMAL(12,2) "
         "NOT NULL, x DOUBLE PRECISION NOT NULL, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - "
         "INTERVAL '5 seconds');\n"
         "CREATE STREAM labels (tx_id TEXT NOT NULL, bad BIGINT NOT NULL, ts TIMESTAMPTZ NOT NULL, "
         "WATERMARK FOR ts AS ts);\n"
         "CREATE STREAM served AS SELECT tx_id" +
         numbered + " FROM payments WINDOW " + windows + ";\n";
}

// Hands them to the engine, in requests of kBatch.
Status Feed(engine::Engine& engine, const std::string& topic,
            const std::function<std::string()>& next) {
  constexpr size_t kBatch = 256;
  std::optional<Error> error;
  for (uint64_t i = 0; i < kRows && !error; i += kBatch) {
    engine::IngestRequest request;
    request.topic = topic;
    for (size_t k = 0; k < std::min<uint64_t>(kBatch, kRows - i); ++k)
      request.payloads.push_back(next());
    request.done = [&](const engine::IngestReply& reply) {
      if (reply.error) error = reply.error;
      if (!reply.rejected.empty()) error = reply.rejected.front().error;
    };
    engine.Submit(std::move(request));
    while (engine.Pump()) {
    }
    engine.Complete();
  }
  HR_TRY(engine.log().WaitDurable(engine.log().last_lsn()));
  engine.Complete();
  return error ? Status(*error) : Ok();
}

Status MakePast(Bench& bench) {
  base::MetricsRegistry metrics;
  engine::EngineOptions options;
  options.directory = bench.directory() + "/data";
  HR_ASSIGN(std::unique_ptr<engine::Engine> engine,
            engine::Engine::Open(bench.files(), bench.clock(), metrics, options, nullptr));
  HR_TRY(engine->Execute(Script(), bench.directory() + "/app.sql"));
  PaymentGenerator payments({1, kStart, kStep});
  HR_TRY(Feed(*engine, "payments", [&] {
    const Payment payment = payments.Next();
    std::string json = payment.Json();
    json.pop_back();
    return json + ",\"x\":" + std::to_string(static_cast<double>(payment.cents) / 700) + "}";
  }));
  PaymentGenerator truth({1, kStart, kStep});
  HR_TRY(Feed(*engine, "labels", [&] {
    const Payment payment = truth.Next();
    const std::string json = payment.Json();
    return json.substr(0, json.find(',')) +
           (payment.pattern == Pattern::kHonest ? ",\"bad\":0" : ",\"bad\":1") +
           ",\"ts\":\"2026-05-01T00:00:00Z\"}";
  }));
  return engine->Close();
}

}  // namespace

// A million rows of thirty features, joined with a million labels, written as CSV: the command.
Status BenchTrainingSet(Bench& bench) {
  HR_TRY(MakePast(bench));
  Console console;
  const int64_t start = bench.clock().MonotonicNanoseconds();
  const ExitCode done = RunCommandLine(
      {"training-set", "served", "--labels", "labels", "--on", "tx_id", "--label", "bad",
       "--output", bench.directory() + "/rows.csv", "--data", bench.directory() + "/data"},
      console);
  const int64_t spent = bench.clock().MonotonicNanoseconds() - start;
  if (done != ExitCode::kOk)
    return Error(ErrorKind::kInternal, "HR9008", "no training set was written");
  bench.Report("trainingset.1m.seconds", static_cast<double>(spent) * 1e-9, "s");
  return Ok();
}

}  // namespace headrace::cli
