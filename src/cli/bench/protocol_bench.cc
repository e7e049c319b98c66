// What others' clients wait for: one row scored over the Open Inference Protocol, 50 features of
// one entity read as Feast's clients read them.

#include <string>
#include <vector>

#include "cli/bench/bench.h"
#include "cli/bench/http_load.h"
#include "cli/bench/synthetic_model.h"
#include "cli/http_client.h"
#include "cli/server_process.h"

namespace headrace::cli {
namespace {

constexpr uint64_t kRate = 5000;  // requests a second
constexpr uint64_t kWarmSeconds = 2;
constexpr uint64_t kSeconds = 10;
constexpr int64_t kStartMilliseconds = 60'000;
constexpr size_t kModelFeatures = 30;
constexpr size_t kFeatures = 50;
constexpr size_t kKeys = 1000;
constexpr size_t kEventsPerKey = 5;

Status Measure(Bench& bench, const LoadOptions& shape, const std::string& name) {
  LoadOptions options = shape;
  options.requests_per_second = kRate;
  options.warm_requests = kRate * kWarmSeconds;
  options.requests = kRate * kSeconds;
  HR_ASSIGN(LoadResult load, RunHttpLoad(bench.clock(), options));
  if (load.refused > 0) {
    return Error(ErrorKind::kInternal, "HR9011",
                 std::to_string(load.refused) + " requests were refused");
  }
  bench.Report(name + ".p50_us", Percentile(load.micros, 0.5), "us");
  bench.Report(name + ".p90_us", Percentile(load.micros, 0.9), "us");
  bench.Report(name + ".p99_us", Percentile(load.micros, 0.99), "us");
  bench.Report(name + ".p999_us", Percentile(load.micros, 0.999), "us");
  bench.Report(name + ".max_us", load.micros.back(), "us");
  return Ok();
}

Status Serve(Bench& bench, ServerProcess& server, const std::string& script) {
  const std::string directory = bench.directory();
  HR_TRY(os::ReplaceFile(bench.files(), directory + "/app.sql", script));
  HR_TRY(server.Start(
      {"serve", directory + "/app.sql", "--data", directory + "/data", "--http", "127.0.0.1:0"}));
  return server.WaitListening(kStartMilliseconds);
}

// 50 sums of one key over windows of one minute more each.
std::string FeatureScript() {
  std::string script =
      "CREATE STREAM events (k TEXT NOT NULL, v DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL, "
      "WATERMARK FOR ts AS ts) PARTITION BY (k) WITH (topic = 'events', timestamp_unit = 's');\n"
      "CREATE STREAM features AS SELECT k, ts";
  for (size_t f = 0; f < kFeatures; ++f) {
    const std::string number = std::to_string(f + 1);
    script += ",\n  sum(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '" + number +
              " minutes' PRECEDING AND CURRENT ROW) AS f" + number;
  }
  return script + "\nFROM events;\n";
}

Status FillFeatures(uint16_t port) {
  constexpr int64_t kStart = 1'772'409'600;
  HttpClient client(port);
  BenchRandom random(1);
  for (size_t round = 0; round < kEventsPerKey; ++round) {
    std::string body;
    for (size_t k = 0; k < kKeys; ++k) {
      body += "{\"k\":\"key" + std::to_string(k) + "\",\"v\":" + std::to_string(random.Unit()) +
              ",\"ts\":" + std::to_string(kStart + static_cast<int64_t>(round)) + "}\n";
    }
    HR_ASSIGN(HttpAnswer answer,
              client.Post("/api/v1/topics/events/events", "application/x-ndjson", body));
    if (answer.status != 200) return Error(ErrorKind::kInternal, "HR9011", answer.body);
  }
  return Ok();
}

}  // namespace

Status BenchInferV2(Bench& bench) {
  const std::string path = bench.directory() + "/model.txt";
  HR_TRY(os::ReplaceFile(bench.files(), path, SyntheticModel({})));
  ServerProcess server(bench.clock());
  HR_TRY(Serve(bench, server, "CREATE MODEL m WITH (path = '" + path + "');\n"));
  BenchRandom random(1);
  LoadOptions options;
  options.port = server.port();
  options.target = "/v2/models/m/infer";
  options.body = [&] {
    std::string body = R"({"inputs":[{"name":"input","shape":[1,30],"datatype":"FP64","data":[)";
    for (size_t f = 0; f < kModelFeatures; ++f)
      body += (f > 0 ? "," : "") + std::to_string(random.Unit());
    return body + R"(]}],"outputs":[{"name":"score"}]})";
  };
  return Measure(bench, options, "infer.v2");
}

Status BenchFeastRead(Bench& bench) {
  ServerProcess server(bench.clock());
  HR_TRY(Serve(bench, server, FeatureScript()));
  HR_TRY(FillFeatures(server.port()));
  std::string features;
  for (size_t f = 1; f <= kFeatures; ++f)
    features += (f > 1 ? ",\"features:f" : "\"features:f") + std::to_string(f) + "\"";
  BenchRandom random(2);
  LoadOptions options;
  options.port = server.port();
  options.target = "/get-online-features";
  options.body = [&] {
    return "{\"features\":[" + features + "],\"entities\":{\"k\":[\"key" +
           std::to_string(random.Below(kKeys)) + "\"]}}";
  };
  return Measure(bench, options, "feast.read50");
}

}  // namespace headrace::cli
