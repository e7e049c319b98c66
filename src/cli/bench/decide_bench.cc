#include <algorithm>
#include <charconv>
#include <csignal>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench/bench.h"
#include "cli/bench/http_load.h"
#include "cli/demo/embedded.h"
#include "cli/demo/payment_generator.h"
#include "engine/engine.h"

extern char** environ;

namespace headrace::cli {
namespace {

constexpr int64_t kStart = 1'772'409'600'000'000;
constexpr int64_t kStep = 500'000;  // microseconds between payments
constexpr uint64_t kWarmSeconds = 2;
constexpr uint64_t kSeconds = 10;
constexpr uint64_t kComputeEvents = 20'000;

Status WriteApp(Bench& bench) {
  HR_TRY(os::ReplaceFile(bench.files(), bench.directory() + "/app.sql", DemoScript()));
  return os::ReplaceFile(bench.files(), bench.directory() + "/fraud.lgb.txt", DemoModel());
}

// `headrace serve` over the demo's script, on any free port, until this dies.
class ServerProcess {
 public:
  explicit ServerProcess(const std::string& directory) : directory_(directory) {}
  ~ServerProcess() {
    if (process_ > 0) ::kill(process_, SIGKILL), ::waitpid(process_, nullptr, 0);
    if (said_ >= 0) ::close(said_);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Waits until it says where it listens.
  Status Start() {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) return Failure();
    said_ = pipe[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
    std::vector<std::string> words = {
        "headrace", "serve",      directory_ + "/app.sql", "--data", directory_ + "/data",
        "--http",   "127.0.0.1:0"};
    std::vector<char*> arguments;
    for (std::string& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int problem =
        ::posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    if (problem != 0) return Failure();
    return ReadPort();
  }
  uint16_t port() const { return port_; }

 private:
  static Error Failure() { return Error(ErrorKind::kIo, "HR9010", "the server did not start"); }

  Status ReadPort() {
    std::string text;
    char buffer[1024];
    constexpr std::string_view kMark = "http://127.0.0.1:";
    while (true) {
      const ssize_t got = ::read(said_, buffer, sizeof buffer);
      if (got <= 0) return Failure().WithHint(text);
      text.append(buffer, static_cast<size_t>(got));
      const size_t at = text.find(kMark);
      if (at == std::string::npos || text.find(' ', at) == std::string::npos) continue;
      std::from_chars(text.data() + at + kMark.size(), text.data() + text.size(), port_);
      return port_ > 0 ? Ok() : Status(Failure());
    }
  }

  std::string directory_;
  pid_t process_ = -1;
  int said_ = -1;
  uint16_t port_ = 0;
};

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
  ServerProcess server(bench.directory());
  HR_TRY(server.Start());
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
