#include "cli/torture/workload.h"

namespace headrace::cli::torture {
namespace {

constexpr uint64_t kAmountMax = 100'000;
constexpr uint64_t kDisorderMicros = 2'000'000;
constexpr int64_t kLongLife = 11'000;  // a snapshot is taken every ten seconds
constexpr uint64_t kPauseMax = 20;

}  // namespace

Batch Workload::Next() {
  Batch batch;
  const uint64_t size = random_.Below(2) == 0 ? 1 : 1 + random_.Below(kBatchMax);
  const bool one_key = random_.Below(2) == 0;
  int64_t key = 0;
  for (uint64_t i = 0; i < size; ++i) {
    // Few keys get most of the events: the smaller of two draws.
    const uint64_t a = random_.Below(kKeys);
    const uint64_t b = random_.Below(kKeys);
    if (i == 0 || !one_key) key = static_cast<int64_t>(a < b ? a : b);
    const auto amount = static_cast<int64_t>(random_.Below(kAmountMax));
    const bool late = random_.Below(4) == 0;
    const auto behind = static_cast<int64_t>(random_.Below(kDisorderMicros));
    batch.events.push_back(
        {producer_, next_++, key, amount, clock_.NowMicros() - (late ? behind : 0)});
  }
  batch.as_lines = random_.Below(3) == 0;
  const uint64_t wanted = random_.Below(4);
  if (topic_ == Stream::kSent && wanted < 2) {
    batch.wanted = wanted == 0 ? Stream::kCounted : Stream::kOdd;
  }
  return batch;
}

LifeEnd LifePlan::Next() {
  LifeEnd end;
  end.workers = 1 + random_.Below(3);
  // In some lives as fast as it goes, in others with quiet moments.
  end.pause = random_.Below(3) == 0 ? 0 : static_cast<int64_t>(1 + random_.Below(kPauseMax));
  const uint64_t kind = random_.Below(100);
  const auto moment = static_cast<int64_t>(random_.Below(1500));
  if (kind < 15) {
    end.how = LifeEnd::How::kKillAtStart;
    end.milliseconds = moment / 15;
  } else if (kind < 30) {
    end.how = LifeEnd::How::kStop;
    end.milliseconds = moment;
  } else {
    const bool is_long = kind < 33;
    end.milliseconds = is_long ? kLongLife + moment : moment;
    if (is_long) end.pause = kPauseMax;
  }
  return end;
}

}  // namespace headrace::cli::torture
