#include <algorithm>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "cli/bench/bench.h"
#include "cli/demo/payment_generator.h"
#include "log/log.h"
#include "log/record_batch.h"

namespace headrace::cli {
namespace {

constexpr uint64_t kBlock = 4096;
constexpr uint64_t kFlushes = 2000;
constexpr uint64_t kSequentialBytes = uint64_t{512} << 20;
constexpr size_t kBatchEvents = 256;
constexpr size_t kBatches = 4000;

double SecondsSince(const os::Clock& clock, int64_t start) {
  return static_cast<double>(clock.MonotonicNanoseconds() - start) * 1e-9;
}

// Flushed writes into a file whose blocks were written before, as the journal's are.
Status MeasureFlushes(Bench& bench) {
  const std::string path = bench.directory() + "/flush";
  HR_ASSIGN(std::unique_ptr<os::File> file, bench.files().Open(path, {true, false, true}));
  HR_TRY(file->WriteAt(0, std::string(kBlock * kFlushes, '\0')));
  HR_TRY(file->Sync());
  const std::string block(kBlock, 'x');
  std::vector<double> micros;
  for (uint64_t i = 0; i < kFlushes; ++i) {
    const int64_t start = bench.clock().MonotonicNanoseconds();
    HR_TRY(file->WriteAt(i * kBlock, block));
    HR_TRY(file->Sync());
    micros.push_back(SecondsSince(bench.clock(), start) * 1e6);
  }
  std::sort(micros.begin(), micros.end());
  bench.Report("disk.fdatasync.p50_us", Percentile(micros, 0.5), "us");
  bench.Report("disk.fdatasync.p99_us", Percentile(micros, 0.99), "us");
  bench.Report("disk.fdatasync.p999_us", Percentile(micros, 0.999), "us");
  return bench.files().Remove(path);
}

Status MeasureSequential(Bench& bench) {
  const std::string path = bench.directory() + "/sequential";
  HR_ASSIGN(std::unique_ptr<os::File> file, bench.files().Open(path, {true, false, true}));
  const std::string piece(4 << 20, 'x');
  const int64_t start = bench.clock().MonotonicNanoseconds();
  for (uint64_t at = 0; at < kSequentialBytes; at += piece.size()) {
    HR_TRY(file->WriteAt(at, piece));
  }
  HR_TRY(file->Sync());
  bench.Report("disk.sequential.mb_per_second",
               static_cast<double>(kSequentialBytes) * 1e-6 / SecondsSince(bench.clock(), start),
               "MB/s");
  return bench.files().Remove(path);
}

std::string MakeBatch(PaymentGenerator& payments, uint64_t* payload_bytes) {
  log::RecordBatchBuilder builder;
  builder.Begin(0);
  for (size_t i = 0; i < kBatchEvents; ++i) {
    const std::string json = payments.Next().Json();
    log::Record record;
    record.value = json;
    *payload_bytes += json.size();
    builder.Add(record);
  }
  return builder.Finish();
}

}  // namespace

Status BenchDisk(Bench& bench) {
  HR_TRY(MeasureFlushes(bench));
  return MeasureSequential(bench);
}

Status BenchJournal(Bench& bench) {
  base::MetricsRegistry metrics;
  HR_ASSIGN(std::unique_ptr<log::Log> log,
            log::Log::Open(bench.files(), bench.clock(), metrics, bench.directory() + "/log", {}));
  HR_TRY(log->CreateTopic("payments", {}));
  PaymentGenerator payments({1, 0, 1000});
  std::vector<std::string> batches;
  std::vector<uint64_t> sizes;
  for (int i = 0; i < 64; ++i) {
    batches.push_back(MakeBatch(payments, &sizes.emplace_back(0)));
  }
  uint64_t bytes = 0;
  const int64_t start = bench.clock().MonotonicNanoseconds();
  for (size_t i = 0; i < kBatches; ++i) {
    std::vector<log::Entry> group(1);
    group[0].topic = "payments";
    group[0].record_count = static_cast<int32_t>(kBatchEvents);
    group[0].bytes = batches[i % batches.size()];
    bytes += sizes[i % sizes.size()];
    HR_TRY(log->Append(group));
  }
  HR_TRY(log->WaitDurable(log->last_lsn()));
  const double seconds = SecondsSince(bench.clock(), start);
  bench.Report("journal.append.events_per_second",
               static_cast<double>(kBatches * kBatchEvents) / seconds, "events/s");
  bench.Report("journal.append.mb_per_second", static_cast<double>(bytes) * 1e-6 / seconds, "MB/s");
  return log->Close();
}

}  // namespace headrace::cli
