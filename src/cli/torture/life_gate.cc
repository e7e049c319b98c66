#include "cli/torture/life_gate.h"

#include <chrono>

namespace headrace::cli::torture {

std::optional<Life> LifeGate::Enter(uint32_t last) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_ || (open_ && life_.number > last); });
  if (ended_) return std::nullopt;
  ++inside_;
  return life_;
}

void LifeGate::Leave() {
  std::lock_guard lock(mutex_);
  --inside_;
  changed_.notify_all();
}

bool LifeGate::Pause(int64_t milliseconds) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), [&] { return !open_; });
  return open_;
}

void LifeGate::Open(const Life& life) {
  std::lock_guard lock(mutex_);
  life_ = life;
  open_ = true;
  changed_.notify_all();
}

void LifeGate::Close() {
  std::unique_lock lock(mutex_);
  open_ = false;
  changed_.notify_all();
  changed_.wait(lock, [&] { return inside_ == 0; });
}

void LifeGate::End() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  open_ = false;
  changed_.notify_all();
}

}  // namespace headrace::cli::torture
