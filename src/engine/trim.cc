#include "engine/trim.h"

#include <algorithm>

#include "row/text.h"

namespace headrace::engine {
namespace {

constexpr std::string_view kOwnTopics = "__";

Error NotThere(const std::string& what, const std::string& hint) {
  return Error(ErrorKind::kInvalidArgument, "HR5200", what).WithHint(hint);
}

Status Check(const log::Log& log, const TrimRequest& request) {
  const std::string& topic = request.topic;
  if (!log.HasTopic(topic)) {
    return Error(ErrorKind::kNotFound, "HR5212", "no topic " + topic)
        .WithHint("`headrace topic ls` lists them");
  }
  if (topic.starts_with(kOwnTopics)) {
    return NotThere("topic " + topic + " is Headrace's own", "what it holds goes by itself");
  }
  const int32_t partitions = log.topic_config(topic).partitions;
  if (request.partition >= partitions) {
    return Error(ErrorKind::kNotFound, "HR5212",
                 "no partition " + std::to_string(request.partition) + " of topic " + topic);
  }
  if (request.before_offset && request.partition < 0 && partitions > 1) {
    return NotThere("topic " + topic + " has " + std::to_string(partitions) +
                        " partitions, and an offset is of one of them",
                    "say which, or before which time");
  }
  return Ok();
}

Result<int64_t> BeginOf(const log::Log& log, const TrimRequest& request, int32_t partition) {
  const int64_t end = log.end_offset(request.topic, partition);
  if (!request.before_offset) {
    HR_ASSIGN(int64_t offset, log.OffsetAt(request.topic, partition, request.before_ms));
    return offset < 0 ? end : offset;
  }
  if (*request.before_offset <= end) return *request.before_offset;
  return NotThere("offset " + std::to_string(*request.before_offset) + " is behind the end of " +
                      request.topic + ":" + std::to_string(partition) + ", which is " +
                      std::to_string(end),
                  "that offset itself removes all there is");
}

}  // namespace

Result<TrimPlan> PlanTrim(const log::Log& log, const TrimRequest& request) {
  HR_TRY(Check(log, request));
  TrimPlan plan;
  for (int32_t p = 0; p < log.topic_config(request.topic).partitions; ++p) {
    if (request.partition >= 0 && request.partition != p) continue;
    const int64_t start = log.start_offset(request.topic, p);
    HR_ASSIGN(int64_t begin, BeginOf(log, request, p));
    if (begin <= start) continue;
    // Where a salvage left a gap it is what comes behind, which is later than need be.
    HR_ASSIGN(auto entries, log.Read(request.topic, p, begin - 1, 1));
    if (!entries.empty()) plan.last_lsn = std::max(plan.last_lsn, entries.front().lsn);
    plan.begins[{request.topic, p}] = begin;
    plan.events += begin - start;
  }
  return plan;
}

std::string TrimJson(const log::Log& log, const std::string& topic, log::Lsn lsn, int64_t events) {
  std::string out = "{\"topic\":";
  row::AppendJsonString(topic, out);
  out += ",\"lsn\":" + (lsn == 0 ? "null" : std::to_string(lsn)) +
         ",\"events\":" + std::to_string(events) + ",\"partitions\":[";
  for (int32_t p = 0; p < log.topic_config(topic).partitions; ++p) {
    out += (p == 0 ? "" : ",") + std::string("{\"partition\":") + std::to_string(p) +
           ",\"first_offset\":" + std::to_string(log.start_offset(topic, p)) + "}";
  }
  return out + "]}";
}

}  // namespace headrace::engine
