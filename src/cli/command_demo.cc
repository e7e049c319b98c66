#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/demo/decision_meter.h"
#include "cli/demo/embedded.h"
#include "cli/demo/event_feed.h"
#include "cli/demo/payment_generator.h"
#include "cli/demo/retail_demo.h"
#include "cli/demo/version_story.h"
#include "cli/http_address.h"
#include "cli/signal_watch.h"
#include "cli/temporary_directory.h"
#include "cli/workspace.h"
#include "row/text.h"
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

// Tells of the payments that stream in.
class Story {
 public:
  Story(Console& console, const DecisionMeter& meter) : console_(console), meter_(meter) {}

  void Begin(const DemoOptions& options, const std::string& directory) {
    console_.Out("headrace " HEADRACE_VERSION "  demo=fraud  seed=" + std::to_string(options.seed) +
                 "  data=" + directory + "\n");
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
    console_.Out("\n");
    console_.Flush();
  }

 private:
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
  const DecisionMeter& meter_;
  uint64_t before_ = 0;
};

// The demo over one data directory, which is opened for each part of it and let go of between: the
// commands of the story open it themselves.
class Demo {
 public:
  Demo(const DemoOptions& options, std::string directory, Console& console)
      : options_(options),
        directory_(std::move(directory)),
        payments_(MakePayments(options)),
        console_(console) {}

  // `signals` is let go when the server, which has its own way with them, takes over.
  Result<ExitCode> Run(std::optional<SignalWatch>& signals, bool keeps) {
    HR_TRY(StreamFirst(*signals));
    if (signals->stop()) return ExitCode::kInterrupted;
    // A directory that a demo has used before takes no payment twice.
    if (!explained_.empty()) {
      VersionStory story({*files_, console_, directory_}, MakePayments(options_),
                         [&](uint64_t events) { return StreamMore(events, *signals); });
      HR_ASSIGN(ExitCode ended, story.Play(options_.events, explained_));
      if (ended != ExitCode::kOk) return ended;
    }
    if (signals->stop()) return ExitCode::kInterrupted;
    if (options_.once) {
      TryNext(keeps);
      return ExitCode::kOk;
    }
    signals.reset();
    HR_TRY(StayUp());
    return ExitCode::kOk;
  }

 private:
  Status StreamFirst(const SignalWatch& signals) {
    DecisionMeter meter;
    Story story(console_, meter);
    story.Begin(options_, directory_);
    HR_TRY(Stream(options_.events, signals, meter, story));
    explained_ = meter.newest(2).empty() ? meter.newest(1) : meter.newest(2);
    return Ok();
  }

  Status StreamMore(uint64_t events, const SignalWatch& signals) {
    DecisionMeter meter;
    Story story(console_, meter);
    console_.Out("\n" + CountText(events) + " more payments stream in\n");
    console_.Flush();
    return Stream(events, signals, meter, story);
  }

  Result<std::unique_ptr<Workspace>> OpenHere(bool serves) {
    WorkspaceOptions where;
    where.directory = directory_;
    where.serves = serves;
    return Workspace::Open(where);
  }

  Status Stream(uint64_t events, const SignalWatch& signals, DecisionMeter& meter, Story& story) {
    HR_ASSIGN(std::unique_ptr<Workspace> workspace, OpenHere(false));
    HR_ASSIGN(std::string script, WriteScript(workspace->files(), directory_));
    HR_TRY(workspace->engine().Execute(DemoScript(), script));
    EventFeed feed(workspace->engine(), workspace->clock(), meter);
    FeedOptions feed_options;
    feed_options.events = events;
    feed_options.events_per_second = options_.rate;
    feed_options.stop = &signals.stop();
    feed_options.report = [&](uint64_t) { story.Tick(); };
    const int64_t start = workspace->clock().MonotonicNanoseconds();
    HR_TRY(feed.Run(payments_, feed_options));
    const int64_t spent = workspace->clock().MonotonicNanoseconds() - start;
    story.Summary(static_cast<double>(spent) * 1e-9);
    return workspace->Close();
  }

  // Serves what the story left until a signal comes.
  Status StayUp() {
    HR_ASSIGN(std::unique_ptr<Workspace> workspace, OpenHere(true));
    HR_ASSIGN(std::unique_ptr<serve::HttpServer> server,
              serve::HttpServer::Start(workspace->engine(), workspace->metrics(),
                                       workspace->clock(), options_.http));
    const std::string url =
        "http://" + options_.http.address + ":" + std::to_string(server->port());
    console_.Out("\nUp on " + url + " until Ctrl-C. Try next\n  headrace model show fraud --url " +
                 url + "\n  curl " + url + "/api/v1/decisions/" + explained_ + "\n  curl '" + url +
                 "/api/v1/topics/payments/events?return=decisions' -d '" + LastPayment() +
                 "'\n  curl " + url + "/metrics\n");
    console_.Flush();
    server->Run();
    return workspace->Close();
  }

  void TryNext(bool keeps) {
    console_.Out("\nTry next\n");
    if (explained_.empty()) {
      console_.Out("  a new --data: this one has these payments already\n");
      return;
    }
    if (!keeps) {
      console_.Out("  headrace demo fraud --once --data ./demo-data     keeps its data\n");
      console_.Out("  headrace why " + explained_ + " --data ./demo-data\n");
      return;
    }
    const std::string data = " --data " + directory_;
    console_.Out("  headrace why " + explained_ + data + "\n");
    console_.Out(
        "  headrace sql" + data +
        " -c \"SELECT decision, count(*), sum(amount) FROM decisions GROUP BY decision\"\n");
    console_.Out("  headrace model importance fraud" + data + "\n");
  }

  // A payment much like the frauds of the demo, at the time of the newest ones.
  std::string LastPayment() {
    std::string out =
        R"({"tx_id":"mine","card":"c00001","terminal":"m0001","amount":950.00,"ts":")";
    row::AppendRfc3339(payments_.Next().ts_micros, out);
    return out + "\"}";
  }

  const DemoOptions& options_;
  std::string directory_;
  PaymentGenerator payments_;
  Console& console_;
  std::unique_ptr<os::FileSystem> files_ = os::MakePosixFileSystem();
  std::string explained_;  // the ID of a decision
};

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
  std::optional<TemporaryDirectory> temporary;
  if (!arguments.Has("--data")) {
    Result<TemporaryDirectory> made = TemporaryDirectory::Make();
    if (!made.ok()) return console.Fail(made.error());
    temporary.emplace(*std::move(made));
    signals->BeforeExit([path = temporary->path()] { RemoveDirectory(path); });
  }
  Demo demo(*options, temporary ? temporary->path() : arguments.Get("--data", ""), console);
  Result<ExitCode> ended = demo.Run(signals, !temporary);
  return ended.ok() ? *ended : console.Fail(ended.error());
}

}  // namespace

Command DemoCommand() {
  return {.name = "demo",
          .group = "Run",
          .summary = "card fraud, from payments to models and back, or a shop that learns",
          .positionals = "fraud|retail",
          .positionals_min = 1,
          .positionals_max = 1,
          .flags = {{"--once", "", "fraud: end after the story; without it, stay up and serve"},
                    {"--http", "ADDRESS:PORT", "fraud: where to stay up (127.0.0.1:7070)"},
                    {"--seed", "N", "which payments or visits (42)"},
                    {"--events", "N", "how many (20000)"},
                    {"--rate", "N|max", "fraud: so many a second (5000)"},
                    {"--data", "DIR", "keep the data here"},
                    {"--print-payments", "", "fraud: print them with their labels, and end"}},
          .run = RunDemo};
}

}  // namespace headrace::cli
