#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/console.h"
#include "cli/demo/payment_generator.h"
#include "headrace/result.h"
#include "os/file_system.h"

namespace headrace::cli {

// The part of the demo behind the first decisions: one of them is explained; a second model learns
// from what was decided and what it turned out to be, is tried on the past, compared as a shadow,
// held back by the gate, promoted, and rolled back. Each step is a command line that is told and
// then run by the program's own table of commands, over the data directory, as if it were typed:
// what it prints is what it prints. Confined; nobody else may have the directory open meanwhile.
class VersionStory {
 public:
  // With fewer first payments there is not enough to learn from, or to compare.
  static constexpr uint64_t kEventsMin = 2000;

  struct Place {
    os::FileSystem& files;
    Console& console;
    std::string directory;  // the data directory
  };
  // Streams so many payments in, tells of them, and lets go of the directory.
  using StreamIn = std::function<Status(uint64_t events)>;

  // `truth` gives the same payments as are streamed in, from the first on.
  VersionStory(Place place, PaymentGenerator truth, StreamIn stream_in)
      : place_(std::move(place)), truth_(std::move(truth)), stream_in_(std::move(stream_in)) {}

  // `events` are in already. The status of the command that ended the story, or kOk. Errors: those
  // of writing files and of `stream_in`.
  Result<ExitCode> Play(uint64_t events, const std::string& explained);

 private:
  using Words = std::vector<std::string>;

  // Tells the command line behind `says`, runs it, and answers whether the story can go on.
  bool Run(std::string_view says, Words words);
  // The same for a command over the data directory.
  bool RunHere(std::string_view says, Words words);
  Result<bool> TellTruth(std::string_view says, uint64_t events);
  bool Learn();
  bool Shadow();
  bool Promote();
  bool RollBack();
  std::string File(std::string_view name) const;
  // `words` and the flags by which labels and decisions belong together.
  Words WithLabels(Words words) const;

  Place place_;
  PaymentGenerator truth_;
  StreamIn stream_in_;
  uint64_t truths_ = 0;  // files of them
  ExitCode ended_ = ExitCode::kOk;
};

}  // namespace headrace::cli
