#include "engine/snapshot_writer.h"

namespace headrace::engine {

SnapshotWriter::SnapshotWriter(SnapshotStore store, const os::Clock& clock,
                               base::MetricsRegistry& metrics, log::Log& log,
                               std::optional<SnapshotManifest> base, std::function<void()> rested)
    : clock_(clock),
      log_(log),
      rested_(std::move(rested)),
      written_bytes_(metrics.GetCounter("headrace_snapshot_bytes_total",
                                        "Bytes of state handed to snapshots.")),
      failures_(metrics.GetCounter("headrace_snapshot_failures_total",
                                   "Snapshots that could not be written.")),
      last_lsn_(metrics.GetGauge("headrace_snapshot_last_lsn",
                                 "The LSN up to which the newest snapshot holds the state.")),
      seconds_(metrics.GetHistogram("headrace_snapshot_duration_seconds",
                                    "Time from a snapshot's moment until it was durable.")),
      store_(std::move(store)),
      base_(std::move(base)),
      whole_(!base_.has_value()),
      thread_([this] { Run(); }) {
  if (base_) last_lsn_.Set(static_cast<double>(base_->lsn));
}

SnapshotWriter::~SnapshotWriter() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool SnapshotWriter::needs_whole() const {
  std::lock_guard lock(mutex_);
  return whole_;
}

bool SnapshotWriter::has_room() const {
  std::lock_guard lock(mutex_);
  return queue_bytes_ < kQueueBytes;
}

bool SnapshotWriter::busy() const {
  std::lock_guard lock(mutex_);
  return busy_;
}

SnapshotWriter::Written SnapshotWriter::written() const {
  std::lock_guard lock(mutex_);
  return written_;
}

void SnapshotWriter::Begin(uint64_t lsn, std::string head, bool whole) {
  Push({Step::kBegin, lsn, std::move(head), whole, {}, 0, {}});
}

void SnapshotWriter::Append(std::vector<flow::BlockPage> pages) {
  size_t bytes = 0;
  for (const flow::BlockPage& page : pages)
    bytes += page.page.bytes.size();
  Push({Step::kPages, 0, "", false, std::move(pages), bytes, {}});
}

void SnapshotWriter::Finish() {
  Push({Step::kFinish, 0, "", false, {}, 0, {}});
}

void SnapshotWriter::Forget() {
  Push({Step::kForget, 0, "", false, {}, 0, {}});
}

void SnapshotWriter::RetainNow() {
  Push({Step::kRetain, 0, "", false, {}, 0, {}});
}

void SnapshotWriter::Cover(TrimRequest request) {
  Push({Step::kCover, 0, "", false, {}, 0, std::move(request)});
}

std::optional<Result<TrimCover>> SnapshotWriter::TakeCover() {
  std::lock_guard lock(mutex_);
  return std::exchange(cover_, std::nullopt);
}

void SnapshotWriter::RemoveTrimmed() {
  Push({Step::kRemove, 0, "", false, {}, 0, {}});
}

void SnapshotWriter::Push(Work work) {
  {
    std::lock_guard lock(mutex_);
    busy_ = busy_ || (work.step != Step::kPages && work.step != Step::kFinish);
    if (work.step == Step::kBegin) broken_ = false;
    queue_bytes_ += work.bytes;
    queue_.push_back(std::move(work));
  }
  changed_.notify_all();
}

Status SnapshotWriter::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
  return failure_ ? Status(*failure_) : Ok();
}

void SnapshotWriter::Run() {
  uint64_t lsn = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Work work = std::move(queue_.front());
    queue_.pop_front();
    queue_bytes_ -= work.bytes;
    const bool taken =
        work.step == Step::kBegin || work.step == Step::kPages || work.step == Step::kFinish;
    const bool skip = broken_ && taken;
    lock.unlock();
    if (work.step == Step::kBegin) lsn = work.lsn;
    Status done = skip ? Ok() : Do(work, lsn);
    if (!done.ok()) store_.Abandon();
    lock.lock();
    if (!done.ok()) {
      broken_ = true;
      whole_ = true;
      failure_ = done.error();
      failures_.Add();
    }
    if (taken && work.step != Step::kFinish) continue;
    if (work.step == Step::kForget) {
      whole_ = true;
    } else if (work.step == Step::kFinish && !broken_) {
      whole_ = false;
      failure_.reset();
    }
    busy_ = !queue_.empty();
    changed_.notify_all();
    if (!rested_) continue;
    lock.unlock();
    rested_();
    lock.lock();
  }
}

Status SnapshotWriter::Do(Work& work, uint64_t lsn) {
  switch (work.step) {
    case Step::kBegin:
      if (forget_due_) HR_TRY(Forgotten());
      began_nanos_ = clock_.MonotonicNanoseconds();
      return store_.Begin(work.lsn, std::move(work.head), work.whole || !base_ ? nullptr : &*base_);
    case Step::kPages:
      written_bytes_.Add(work.bytes);
      return store_.Append(work.pages);
    case Step::kFinish:
      return Commit(lsn);
    case Step::kForget:
      store_.Abandon();
      forget_due_ = true;
      return Forgotten();
    case Step::kRetain: {
      Status retained = RetainIdle();
      static_cast<void>(retained.ok());  // it is tried again after a minute
      return Ok();
    }
    case Step::kCover: {
      Result<TrimCover> cover = Covered(work.trim);
      std::lock_guard lock(mutex_);
      cover_ = std::move(cover);
      return Ok();
    }
    case Step::kRemove: {
      Status removed = Remove();
      static_cast<void>(removed.ok());  // the log tries again each minute
      return Ok();
    }
  }
  return Ok();
}

Status SnapshotWriter::Forgotten() {
  HR_TRY(store_.Forget());
  forget_due_ = false;
  return Ok();
}

Status SnapshotWriter::Commit(uint64_t lsn) {
  // A snapshot of what the log may yet lose would be ahead of it.
  HR_TRY(log_.WaitDurable(lsn));
  store_.KeepOlder(log_.HasRetention());
  HR_ASSIGN(base_, store_.Commit());
  {
    std::lock_guard lock(mutex_);
    ++written_.count;
    written_.bytes = base_->bytes();
  }
  last_lsn_.Set(static_cast<double>(lsn));
  seconds_.Record(static_cast<uint64_t>(clock_.MonotonicNanoseconds() - began_nanos_));
  return Retain();
}

// Retention finds in segments only what it may remove; where little comes, much is in the journal.
Status SnapshotWriter::RetainIdle() {
  if (!log_.HasRetention()) return Ok();
  HR_TRY(log_.MoveDurable());
  return Retain();
}

Result<TrimCover> SnapshotWriter::Covered(const TrimRequest& request) {
  if (forget_due_) HR_TRY(Forgotten());
  TrimCover cover;
  HR_ASSIGN(cover.plan, PlanTrim(log_, request));
  HR_ASSIGN(uint64_t beginning, store_.MoveBeginningInto(cover.plan.last_lsn, UINT64_MAX));
  cover.stands = beginning >= cover.plan.last_lsn;
  return cover;
}

Status SnapshotWriter::Remove() {
  HR_TRY(log_.MoveDurable());
  return log_.ApplyRetention();
}

// What goes must be covered: a snapshot of before the last event that goes would not do.
Status SnapshotWriter::Retain() {
  const log::Log::Expiry expiry = log_.Expired();
  if (expiry.through == 0) return Ok();
  HR_ASSIGN(uint64_t beginning, store_.MoveBeginning(expiry.through));
  // Where nothing came behind what goes, no snapshot will ever be just before its end: one behind
  // it will do that is before all that stays.
  if (expiry.idle_through > beginning) {
    HR_ASSIGN(beginning, store_.MoveBeginningInto(expiry.idle_through, expiry.stays_from));
  }
  log_.SetRetentionFloor(beginning + 1);
  return log_.ApplyRetention();
}

}  // namespace headrace::engine
