#include "cli/torture/round.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/metrics.h"
#include "cli/torture/script.h"
#include "engine/engine.h"
#include "log/log.h"

namespace headrace::cli::torture {

Clients::Clients(uint64_t seed, const os::Clock& clock, LifeGate& gate, History& history)
    : gate_(gate) {
  os::SeededRandom seeds(seed);
  for (uint32_t i = 0; i < kProducers; ++i) {
    const Stream topic = i + 1 == kProducers ? Stream::kOnce : Stream::kSent;
    producers_.push_back(std::make_unique<Producer>(seeds.Next(), i, topic, clock, gate, history));
  }
  for (Reader::How how : {Reader::How::kPoll, Reader::How::kFollow})
    readers_.push_back(std::make_unique<Reader>(how, gate, history));
  for (auto& producer : producers_)
    threads_.emplace_back([&client = *producer] { client.Run(); });
  for (auto& reader : readers_)
    threads_.emplace_back([&client = *reader] { client.Run(); });
}

Clients::~Clients() {
  gate_.End();
  for (std::thread& thread : threads_)
    thread.join();
}

Round::Round(RoundOptions options, os::FileSystem& files, os::Clock& clock)
    : options_(std::move(options)),
      files_(files),
      clock_(clock),
      plan_(options_.seed),
      server_(clock) {}

bool Round::Over() const {
  return checker_.finding_count() > 0 || checker_.counts().events >= kEvents || *options_.stop ||
         clock_.MonotonicNanoseconds() >= options_.deadline;
}

Status Round::Run() {
  clients_ = std::make_unique<Clients>(~options_.seed, clock_, gate_, history_);
  while (!Over() && totals_.lives < options_.lives_max) {
    HR_TRY(Live());
    if (!options_.between.empty()) HR_TRY(RunShell(options_.between, options_.directory));
  }
  clients_.reset();
  CheckAll();
  FinalCheck();
  if (checker_.finding_count() > 0) FindLsns();
  return Ok();
}

Status Round::Start(uint64_t workers) {
  ++life_;
  ++totals_.lives;
  return server_.Start({"serve", options_.script, "--data", options_.directory, "--http",
                        "127.0.0.1:0", "--workers", std::to_string(workers)});
}

bool Round::Ready() {
  Status ready = server_.WaitListening(kStartMilliseconds);
  if (ready.ok()) return true;
  server_.Kill();
  Fell("it did not start: " + ready.error().hint());
  return false;
}

void Round::Fell(const std::string& how) {
  history_.Add(Downfall{life_, how});
  CheckAll();
}

Status Round::Live() {
  const LifeEnd end = plan_.Next();
  HR_TRY(Start(end.workers));
  if (end.how == LifeEnd::How::kKillAtStart) {
    if (server_.WaitEnd(end.milliseconds)) {
      Fell(server_.ending() + " while it started: " + server_.said());
    } else {
      server_.Kill();
      ++totals_.kills;
    }
    return Ok();
  }
  if (!Ready()) return Ok();
  gate_.Open({life_, server_.port(), end.pause});
  AuditAll(life_ % kFullAuditEvery == 0);
  Endure(end);
  if (!server_.running()) {
    Fell(server_.ending() + " by itself: " + server_.said());
  } else if (end.how == LifeEnd::How::kStop) {
    StopServer();
    ++totals_.stops;
  } else {
    server_.Kill();
    ++totals_.kills;
  }
  gate_.Close();
  CheckAll();
  return Ok();
}

void Round::Endure(const LifeEnd& end) {
  constexpr int64_t kMillisecond = 1'000'000;
  const int64_t until = clock_.MonotonicNanoseconds() + end.milliseconds * kMillisecond;
  while (server_.running()) {
    const int64_t left = (until - clock_.MonotonicNanoseconds()) / kMillisecond;
    if (left <= 0 || Over()) return;
    server_.WaitEnd(std::min(left, kLookMilliseconds));
    CheckAll();
    options_.progress();
  }
}

void Round::StopServer() {
  server_.Signal(SIGTERM);
  if (!server_.WaitEnd(kStopMilliseconds)) {
    server_.Kill();
    Fell("it did not end within a minute of SIGTERM: " + server_.said());
  } else if (server_.ending() != "exit 0") {
    Fell(server_.ending() + " after SIGTERM: " + server_.said());
  }
}

void Round::AuditAll(bool whole) {
  HttpClient http(server_.port());
  for (size_t s = 0; s < kStreams; ++s) {
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      int64_t& audited = audited_[s][static_cast<size_t>(partition)];
      const int64_t from = whole ? 0 : std::max<int64_t>(0, audited - kAuditAgain);
      Result<int64_t> end =
          Audit(http, history_, {Auditor::kRunner, life_, static_cast<Stream>(s), partition, from});
      CheckAll();
      if (end.ok()) {
        audited = *end;
      } else if (server_.WaitEnd(kLookMilliseconds)) {
        return;  // it ended: that is told as what it is
      } else {
        history_.Add(Refusal{
            life_, static_cast<Stream>(s),
            "reading partition " + std::to_string(partition) + ": " + end.error().ToString()});
      }
    }
  }
}

void Round::CheckAll() {
  for (const Record& record : history_.Drain())
    checker_.Take(record);
}

void Round::FinalCheck() {
  if (checker_.count(Fault::kServer) > 0) return;  // it would not start
  if (Status started = Start(1); !started.ok()) return Fell(started.error().ToString());
  if (!Ready()) return;
  AuditAll(true);
  if (!server_.running()) return Fell(server_.ending() + " by itself: " + server_.said());
  if (checker_.count(Fault::kRefused) == 0) checker_.Finish(life_);
  StopServer();
  ++totals_.stops;
  VerifyFiles();
}

void Round::VerifyFiles() {
  std::vector<Error> damage = engine::VerifySnapshots(files_, options_.directory);
  Result<log::VerifyReport> report = log::Verify(files_, options_.directory);
  if (report.ok()) {
    for (Error& finding : report->findings)
      damage.push_back(std::move(finding));
  } else {
    damage.push_back(std::move(report).error());
  }
  for (const Error& error : damage) {
    Finding finding;
    finding.fault = Fault::kDamaged;
    finding.life = finding.found_life = life_;
    finding.text = error.ToString();
    checker_.Add(std::move(finding));
  }
}

// What stands at the places of the findings is evidence too. A directory that cannot be read has
// none; its finding says why.
void Round::FindLsns() {
  base::MetricsRegistry metrics;
  log::LogOptions options;
  options.read_only = true;
  Result<std::unique_ptr<log::Log>> opened =
      log::Log::Open(files_, clock_, metrics, options_.directory, options);
  if (!opened.ok()) return;
  Result<std::unique_ptr<log::Log::Cursor>> cursor = (*opened)->Scan(1);
  if (!cursor.ok()) return;
  while (true) {
    log::Entry entry;
    Result<bool> more = (*cursor)->Next(&entry);
    if (!more.ok() || !*more) return;
    if (entry.kind != log::EntryKind::kBatch) continue;
    checker_.Locate(entry.topic, {entry.partition, entry.base_offset}, entry.record_count,
                    entry.lsn);
  }
}

}  // namespace headrace::cli::torture
