#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cli/server_process.h"
#include "cli/torture/checker.h"
#include "cli/torture/client.h"
#include "cli/torture/history.h"
#include "cli/torture/life_gate.h"
#include "cli/torture/workload.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace::cli::torture {

// Producers and readers on threads of their own, until this dies. The server must be gone before:
// some wait for its answers.
class Clients {
 public:
  static constexpr uint32_t kProducers = 4;  // the last one for kOnce

  Clients(uint64_t seed, const os::Clock& clock, LifeGate& gate, History& history);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

 private:
  LifeGate& gate_;
  std::vector<std::unique_ptr<Producer>> producers_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<std::thread> threads_;
};

struct RoundOptions {
  std::string directory;  // of the data
  std::string script;     // path
  std::string between;    // a command line for when the server is down; may be empty
  uint64_t seed = 0;
  uint64_t lives_max = UINT64_MAX;
  int64_t deadline = 0;  // monotonic nanoseconds; the last checks come after it
  const std::atomic<bool>* stop = nullptr;
  std::function<void()> progress;  // a few times a second
};

struct RoundTotals {
  uint64_t lives = 0;
  uint64_t kills = 0;
  uint64_t stops = 0;
};

// One data directory from its making to its last check: lives of the server one after the other,
// what they answered checked after each start and at the end. Ends with the first finding, after
// kEvents, or when the options say so. Confined.
class Round {
 public:
  static constexpr uint64_t kEvents = 200'000;  // so that memory and the last check stay small

  Round(RoundOptions options, os::FileSystem& files, os::Clock& clock);

  // Error: of the machine, not of what is tortured.
  Status Run();

  const Checker& checker() const { return checker_; }
  const RoundTotals& totals() const { return totals_; }

 private:
  static constexpr int64_t kStartMilliseconds = 120'000;
  static constexpr int64_t kStopMilliseconds = 60'000;
  static constexpr int64_t kLookMilliseconds = 200;
  static constexpr int64_t kAuditAgain = 200;     // rows before the last audit's end
  static constexpr uint32_t kFullAuditEvery = 8;  // lives

  bool Over() const;
  Status Live();
  Status Start(uint64_t workers);
  // False when the server did not get ready, which is a finding then.
  bool Ready();
  void Endure(const LifeEnd& end);
  void StopServer();
  void AuditAll(bool whole);
  void CheckAll();
  void FinalCheck();
  void VerifyFiles();
  void FindLsns();
  void Fell(const std::string& how);

  RoundOptions options_;
  os::FileSystem& files_;
  os::Clock& clock_;
  LifePlan plan_;
  LifeGate gate_;
  History history_;
  Checker checker_;
  RoundTotals totals_;
  uint32_t life_ = 0;
  std::array<std::array<int64_t, 8>, kStreams> audited_{};
  std::unique_ptr<Clients> clients_;
  ServerProcess server_;  // dies before the clients
};

}  // namespace headrace::cli::torture
