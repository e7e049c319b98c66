#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/deployment.h"

namespace headrace::engine {

// The stream that tells of the trainings of a trainer is of this prefix and its name: a declared
// stream, whose events only the engine writes.
inline constexpr std::string_view kTrainingPrefix = "__training_";
std::string StepsName(const std::string& trainer);
// The CREATE STREAM that declares it, and what that makes.
std::string StepsStatement(const std::string& trainer);
Result<Deployed> StepsOf(const std::string& trainer);

// One of its events.
struct TrainingStep {
  std::string step;  // triggered, skipped, failed, trained, measured, shadowed, unchanged, refused
  std::string why{};
  std::optional<int64_t> rows{};      // learned from
  std::optional<int64_t> held_out{};  // the newest, measured on
  std::string metric{};
  std::optional<double> value{};     // of what was trained
  std::optional<double> deciding{};  // of the version that decided at the trigger, on the same rows
  std::optional<int64_t> version{};
  std::string sha256{};
};

// What all steps of a training have.
struct TrainingHead {
  int64_t time = 0;  // event time of the trigger, microseconds
  uint64_t run = 0;
  std::string model;
  uint64_t lsn = 0;  // of the trigger
};

// The event's payload, JSON. Numbers that are not finite are left out.
std::string PayloadOf(const TrainingHead& head, const TrainingStep& step);

}  // namespace headrace::engine
