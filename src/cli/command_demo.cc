#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/demo/decision_meter.h"
#include "cli/demo/embedded.h"
#include "cli/demo/event_feed.h"
#include "cli/demo/payment_generator.h"
#include "cli/demo/retail_demo.h"
#include "cli/http_address.h"
#include "cli/signal_watch.h"
#include "cli/why_text.h"
#include "cli/workspace.h"
#include "serve/http/http_server.h"

namespace headrace::cli {
namespace {

constexpr int64_t kSecondMicros = 1'000'000;
// 2026-03-02T00:00:00Z: a fixed past, so that a seed decides everything.
constexpr int64_t kDemoStart = 1'772'409'600 * kSecondMicros;
constexpr int64_t kDemoSpan = 10 * 86'400 * kSecondMicros;

struct DemoOptions {
  uint64_t seed = 42;
  uint64_t events = 20'000;
  uint64_t rate = 5000;
  bool once = false;
  serve::HttpOptions http{};
};

Result<DemoOptions> ReadOptions(const Arguments& arguments) {
  DemoOptions options;
  HR_ASSIGN(int64_t seed, arguments.Integer("--seed", 42, 0, INT64_MAX));
  HR_ASSIGN(int64_t events, arguments.Integer("--events", 20'000, 1, 1'000'000'000));
  options.seed = static_cast<uint64_t>(seed);
  options.events = static_cast<uint64_t>(events);
  if (arguments.Get("--rate", "") == "max") {
    options.rate = 0;
  } else {
    HR_ASSIGN(int64_t rate, arguments.Integer("--rate", 5000, 1, 10'000'000));
    options.rate = static_cast<uint64_t>(rate);
  }
  options.once = arguments.Has("--once");
  HR_ASSIGN(options.http, ReadHttpAddress(arguments.Get("--http", "127.0.0.1:7070")));
  return options;
}

PaymentGenerator MakePayments(const DemoOptions& options) {
  return PaymentGenerator(
      {options.seed, kDemoStart, kDemoSpan / static_cast<int64_t>(options.events)});
}

// Puts the script and its model into the data directory, where a user can look at them.
Result<std::string> WriteScript(os::FileSystem& files, const std::string& directory) {
  const std::string folder = directory + "/demo";
  HR_TRY(files.CreateDirectories(folder));
  HR_TRY(os::ReplaceFile(files, folder + "/fraud.lgb.txt", DemoModel()));
  HR_TRY(os::ReplaceFile(files, folder + "/app.sql", DemoScript()));
  return folder + "/app.sql";
}

// A payment much like the frauds of the demo.
constexpr const char* kPayment =
    R"({"tx_id":"mine","card":"c00001","terminal":"m0001","amount":950.00,)"
    R"("ts":"2026-03-12T00:00:00Z"})";

// What is told while and after the payments stream in.
class Story {
 public:
  Story(Console& console, Workspace& workspace, const DecisionMeter& meter)
      : console_(console), workspace_(workspace), meter_(meter) {}

  void Begin(const DemoOptions& options) {
    console_.Out("headrace " HEADRACE_VERSION "  demo=fraud  seed=" + std::to_string(options.seed) +
                 "  data=" + workspace_.directory() + "\n");
    console_.Out(CountText(options.events) +
                 " payments stream in; each is journalled, rolled into features by card and by "
                 "terminal,\nscored by 100 trees and decided before it is answered.\n\n");
    console_.Flush();
  }

  void Tick() {
    const uint64_t count = meter_.count();
    console_.Out("  " + CountText(count - before_) + " decisions/s   " + Latency() + "\n");
    console_.Flush();
    before_ = count;
  }

  void Summary(double seconds) {
    console_.Out("\n  " + CountText(meter_.count()) + " decisions in " + OneDigit(seconds) +
                 " s, each durable before it was answered\n  latency   " + Latency() +
                 "\n  decisions");
    for (size_t kind = 0; kind < DecisionMeter::kKinds.size(); ++kind) {
      console_.Out("  " + std::string(DecisionMeter::kKinds[kind]) + " " +
                   CountText(meter_.count(kind)));
    }
    console_.Out("\n\n");
  }

  Status ExplainOne() {
    const std::string& id = Explained();
    if (id.empty()) return Ok();
    HR_ASSIGN(std::string document, workspace_.engine().Why(id));
    console_.Out("One of them explained: headrace why " + WhyText(document) + "\n");
    return Ok();
  }

  // What to ask of the server, which now takes payments like those of the story.
  void Serving(const std::string& url) {
    console_.Out("Up on " + url + " until Ctrl-C. Try next\n  curl " + url + "/api/v1/decisions/" +
                 Explained() + "\n  curl '" + url +
                 "/api/v1/topics/payments/events?return=decisions' -d '" + kPayment + "'\n  curl " +
                 url + "/metrics\n");
    console_.Flush();
  }

  void TryNext() {
    console_.Out("Try next\n");
    if (workspace_.is_temporary()) {
      console_.Out("  headrace demo fraud --once --data ./demo-data     keeps its data\n");
      console_.Out("  headrace why " + Explained() + " --data ./demo-data\n");
      return;
    }
    const std::string data = " --data " + workspace_.directory();
    console_.Out("  headrace why " + Explained() + data + "\n");
    console_.Out(
        "  headrace sql" + data +
        " -c \"SELECT decision, count(*), sum(amount) FROM decisions GROUP BY decision\"\n");
    console_.Out("  headrace verify" + data + "\n");
  }

 private:
  const std::string& Explained() const {
    return meter_.newest(2).empty() ? meter_.newest(1) : meter_.newest(2);
  }
  std::string Latency() const {
    const base::Histogram& latency = meter_.latency();
    return "p50 " + DurationText(latency.Quantile(0.5)) + "  p90 " +
           DurationText(latency.Quantile(0.9)) + "  p99 " + DurationText(latency.Quantile(0.99)) +
           "  p99.9 " + DurationText(latency.Quantile(0.999));
  }
  static std::string OneDigit(double number) {
    const auto tenths = static_cast<uint64_t>(std::llround(number * 10));
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
  }

  Console& console_;
  Workspace& workspace_;
  const DecisionMeter& meter_;
  uint64_t before_ = 0;
};

// Serves what the story left until a signal comes.
Status StayUp(const DemoOptions& options, Workspace& workspace, Story& story) {
  const std::string address = options.http.address;
  HR_ASSIGN(std::unique_ptr<serve::HttpServer> server,
            serve::HttpServer::Start(workspace.engine(), workspace.metrics(), workspace.clock(),
                                     options.http));
  story.Serving("http://" + address + ":" + std::to_string(server->port()));
  server->Run();
  return Ok();
}

// `signals` is let go when the server, which has its own way with them, takes over.
Status RunStory(const DemoOptions& options, Workspace& workspace,
                std::optional<SignalWatch>& signals, Console& console) {
  HR_ASSIGN(std::string script, WriteScript(workspace.files(), workspace.directory()));
  HR_TRY(workspace.engine().Execute(DemoScript(), script));
  DecisionMeter meter;
  Story story(console, workspace, meter);
  story.Begin(options);
  PaymentGenerator payments = MakePayments(options);
  EventFeed feed(workspace.engine(), workspace.clock(), meter);
  FeedOptions feed_options;
  feed_options.events = options.events;
  feed_options.events_per_second = options.rate;
  feed_options.stop = &signals->stop();
  feed_options.report = [&](uint64_t) { story.Tick(); };
  const int64_t start = workspace.clock().MonotonicNanoseconds();
  HR_TRY(feed.Run(payments, feed_options));
  const int64_t spent = workspace.clock().MonotonicNanoseconds() - start;
  story.Summary(static_cast<double>(spent) * 1e-9);
  HR_TRY(story.ExplainOne());
  if (options.once || signals->stop()) {
    story.TryNext();
  } else {
    signals.reset();
    HR_TRY(StayUp(options, workspace, story));
  }
  return workspace.Close();
}

ExitCode PrintPayments(const DemoOptions& options, Console& console) {
  PaymentGenerator payments = MakePayments(options);
  for (uint64_t i = 0; i < options.events; ++i) {
    console.Out(payments.Next().LabelledJson() + "\n");
  }
  return ExitCode::kOk;
}

ExitCode RunRetail(const DemoOptions& options, const WorkspaceOptions& where, Console& console) {
  Result<std::unique_ptr<Workspace>> workspace = Workspace::Open(where);
  if (!workspace.ok()) return console.Fail(workspace.error());
  const Status told =
      RunRetailDemo({options.seed, options.events, kDemoStart}, **workspace, console);
  return told.ok() ? ExitCode::kOk : console.Fail(told.error());
}

ExitCode RunDemo(const Arguments& arguments, Console& console) {
  const std::string& name = arguments.positionals()[0];
  if (name != "fraud" && name != "retail") {
    return console.FailUsage("unknown demo `" + name + "`; there are `fraud` and `retail`", "demo");
  }
  Result<DemoOptions> options = ReadOptions(arguments);
  if (!options.ok()) return console.FailUsage(options.error().message(), "demo");
  if (name == "retail") {
    for (const char* flag : {"--http", "--rate", "--print-payments"}) {
      if (arguments.Has(flag))
        return console.FailUsage(std::string(flag) + " belongs to the demo `fraud`", "demo");
    }
    WorkspaceOptions retail;
    if (arguments.Has("--data")) retail.directory = arguments.Get("--data", "");
    return RunRetail(*options, retail, console);
  }
  if (arguments.Has("--print-payments")) return PrintPayments(*options, console);
  std::optional<SignalWatch> signals(std::in_place);
  WorkspaceOptions where;
  if (arguments.Has("--data")) where.directory = arguments.Get("--data", "");
  Result<std::unique_ptr<Workspace>> workspace = Workspace::Open(where);
  if (!workspace.ok()) return console.Fail(workspace.error());
  if (Status told = RunStory(*options, **workspace, signals, console); !told.ok()) {
    return console.Fail(told.error());
  }
  return signals && signals->stop() ? ExitCode::kInterrupted : ExitCode::kOk;
}

}  // namespace

Command DemoCommand() {
  return {.name = "demo",
          .group = "Run",
          .summary = "card fraud, or a shop that learns what to show; needs nothing",
          .positionals = "fraud|retail",
          .positionals_min = 1,
          .positionals_max = 1,
          .flags = {{"--once", "", "fraud: end after the payments; without it, stay up and serve"},
                    {"--http", "ADDRESS:PORT", "fraud: where to stay up (127.0.0.1:7070)"},
                    {"--seed", "N", "which payments or visits (42)"},
                    {"--events", "N", "how many (20000)"},
                    {"--rate", "N|max", "fraud: so many a second (5000)"},
                    {"--data", "DIR", "keep the data here"},
                    {"--print-payments", "", "fraud: print them with their labels, and end"}},
          .run = RunDemo};
}

}  // namespace headrace::cli
