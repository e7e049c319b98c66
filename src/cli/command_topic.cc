#include <algorithm>
#include <string>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/listing.h"
#include "engine/local_engine.h"
#include "engine/stream_time.h"
#include "log/log.h"
#include "log/record_batch.h"
#include "row/text.h"

namespace headrace::cli {
namespace {

constexpr std::string_view kDeadSuffix = ".dead";
constexpr size_t kReadBytes = 1 << 20;

bool IsDead(std::string_view topic) {
  return topic.ends_with(kDeadSuffix);
}

int64_t CountEvents(const log::Log& log, const std::string& topic) {
  int64_t events = 0;
  for (int32_t p = 0; p < log.topic_config(topic).partitions; ++p) {
    events += log.end_offset(topic, p) - log.start_offset(topic, p);
  }
  return events;
}

Error UnknownTopic(const log::Log& log, const std::string& name) {
  std::vector<std::string> topics = log.topics();
  std::string near = Closest(name, {topics.begin(), topics.end()});
  return Error(ErrorKind::kNotFound, "HR9005", "no topic `" + name + "`")
      .WithHint(near.empty() ? "`headrace topic ls` lists them" : "did you mean `" + near + "`?");
}

ExitCode RunTopicList(const Arguments& arguments, Console& console) {
  ExitCode code = ExitCode::kOk;
  std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "topic ls", &code);
  if (workspace == nullptr) return code;
  const log::Log& log = workspace->engine().log();
  Listing listing({"topic", "partitions", "events"});
  // Engine::Open makes no other.
  const auto& engine = static_cast<const engine::LocalEngine&>(workspace->engine());
  for (const std::string& topic : log.topics()) {
    // What is left of a topic that was dropped is where the next one of its name begins.
    const bool read = engine.deployment()->FindByTopic(topic) != nullptr;
    if (!read && CountEvents(log, topic) == 0) continue;
    listing.Add({Cell::Text(topic), Cell::Number(int64_t{log.topic_config(topic).partitions}),
                 Cell::Number(CountEvents(log, topic))});
  }
  listing.Print(arguments, console);
  return ExitCode::kOk;
}

void AddTime(const engine::StreamTime& time, size_t partition, std::vector<Cell>& cells) {
  const flow::PartitionState& state = time.partitions[partition];
  cells.push_back(Cell::Text(time.finished ? "finished" : state.idle ? "idle" : "active"));
  std::string watermark;
  if (state.watermark != INT64_MIN) row::AppendRfc3339(state.watermark, watermark);
  cells.push_back(watermark.empty() ? Cell::Null() : Cell::Text(watermark));
  cells.push_back(Cell::Text(state.holds && !time.finished ? "yes" : "no"));
  cells.push_back(Cell::Number(state.silent_micros / 1'000'000));
}

ExitCode RunTopicShow(const Arguments& arguments, Console& console) {
  ExitCode code = ExitCode::kOk;
  std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "topic show", &code);
  if (workspace == nullptr) return code;
  const log::Log& log = workspace->engine().log();
  const std::string& topic = arguments.positionals()[0];
  if (!log.HasTopic(topic)) return console.Fail(UnknownTopic(log, topic));
  // Engine::Open makes no other.
  const auto& engine = static_cast<const engine::LocalEngine&>(workspace->engine());
  auto time = engine::ReadStreamTime(workspace->files(), workspace->directory(), log,
                                     engine.deployment(), topic);
  if (!time.ok()) return console.Fail(time.error());
  std::vector<std::string> columns = {"partition", "first_offset", "end_offset", "events"};
  if (*time) columns.insert(columns.end(), {"time", "watermark", "holds_back", "silent_seconds"});
  Listing listing(columns);
  for (int32_t p = 0; p < log.topic_config(topic).partitions; ++p) {
    const int64_t first = log.start_offset(topic, p);
    const int64_t end = log.end_offset(topic, p);
    std::vector<Cell> cells = {Cell::Number(int64_t{p}), Cell::Number(first), Cell::Number(end),
                               Cell::Number(end - first)};
    const auto index = static_cast<size_t>(p);
    // A topic may have more partitions than its stream, of one that was dropped.
    if (*time && index < (*time)->partitions.size()) AddTime(**time, index, cells);
    cells.resize(columns.size(), Cell::Null());
    listing.Add(std::move(cells));
  }
  listing.Print(arguments, console);
  return ExitCode::kOk;
}

void AppendRecord(const log::Record& record, int32_t partition, std::string& out) {
  out += "{\"partition\":" + std::to_string(partition) +
         ",\"offset\":" + std::to_string(record.offset) + ",\"time\":\"";
  row::AppendRfc3339(record.timestamp_ms * 1000, out);
  out += "\",\"key\":";
  if (record.has_key) {
    row::AppendJsonString(record.key, out);
  } else {
    out += "null";
  }
  out += ",\"headers\":{";
  for (size_t i = 0; i < record.headers.size(); ++i) {
    if (i > 0) out += ',';
    row::AppendJsonString(record.headers[i].first, out);
    out += ':';
    row::AppendJsonString(record.headers[i].second, out);
  }
  out += "},\"value\":";
  row::AppendJsonString(record.value, out);
  out += "}\n";
}

// Prints the last `limit` events of one partition.
Status TailPartition(const log::Log& log, const std::string& topic, int32_t partition,
                     int64_t limit, Console& console) {
  const int64_t end = log.end_offset(topic, partition);
  const int64_t first = std::max(log.start_offset(topic, partition), end - limit);
  int64_t next = first;
  while (next < end) {
    HR_ASSIGN(std::vector<log::Entry> entries, log.Read(topic, partition, next, kReadBytes));
    if (entries.empty()) return Ok();
    for (const log::Entry& entry : entries) {
      HR_ASSIGN(log::RecordReader reader, log::RecordReader::Open(entry.bytes));
      log::Record record;
      while (true) {
        HR_ASSIGN(bool more, reader.Next(&record));
        if (!more) break;
        next = record.offset + 1;
        if (record.offset < first) continue;
        std::string line;
        AppendRecord(record, partition, line);
        console.Out(line);
      }
    }
  }
  return Ok();
}

ExitCode RunTopicTail(const Arguments& arguments, Console& console) {
  Result<int64_t> limit = arguments.Integer("--limit", 10, 1, 1'000'000);
  if (!limit.ok()) return console.FailUsage(limit.error().message(), "topic tail");
  ExitCode code = ExitCode::kOk;
  std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "topic tail", &code);
  if (workspace == nullptr) return code;
  const log::Log& log = workspace->engine().log();
  const std::string& topic = arguments.positionals()[0];
  if (!log.HasTopic(topic)) return console.Fail(UnknownTopic(log, topic));
  for (int32_t p = 0; p < log.topic_config(topic).partitions; ++p) {
    Status done = TailPartition(log, topic, p, *limit, console);
    if (!done.ok()) return console.Fail(done.error());
  }
  return ExitCode::kOk;
}

ExitCode RunDeadList(const Arguments& arguments, Console& console) {
  ExitCode code = ExitCode::kOk;
  std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "dlq ls", &code);
  if (workspace == nullptr) return code;
  const log::Log& log = workspace->engine().log();
  Listing listing({"topic", "events"});
  for (const std::string& topic : log.topics()) {
    const int64_t events = IsDead(topic) ? CountEvents(log, topic) : 0;
    if (events > 0) listing.Add({Cell::Text(topic), Cell::Number(events)});
  }
  listing.Print(arguments, console);
  return ExitCode::kOk;
}

ExitCode RunDeadShow(const Arguments& arguments, Console& console) {
  Result<int64_t> limit = arguments.Integer("--limit", 100, 1, 1'000'000);
  if (!limit.ok()) return console.FailUsage(limit.error().message(), "dlq show");
  ExitCode code = ExitCode::kOk;
  std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "dlq show", &code);
  if (workspace == nullptr) return code;
  std::string name = arguments.positionals()[0];
  if (!IsDead(name)) name += kDeadSuffix;
  engine::RowRange range;
  range.limit = static_cast<size_t>(*limit);
  Result<std::string> rows = workspace->engine().ReadRows(name, range);
  if (!rows.ok()) return console.Fail(rows.error());
  console.Out(*rows);
  return ExitCode::kOk;
}

constexpr Flag kLimitFlag = {"--limit", "N", "at most so many"};

}  // namespace

Command TopicListCommand() {
  return {.name = "topic ls",
          .group = "Operate",
          .summary = "list the topics and how many events they hold",
          .flags = ListingFlags({kDataFlag}),
          .run = RunTopicList};
}

Command TopicShowCommand() {
  return {.name = "topic show",
          .group = "Operate",
          .summary = "the partitions of a topic and their offsets",
          .positionals = "TOPIC",
          .positionals_min = 1,
          .positionals_max = 1,
          .flags = ListingFlags({kDataFlag}),
          .run = RunTopicShow};
}

Command TopicTailCommand() {
  return {.name = "topic tail",
          .group = "Operate",
          .summary = "the last events of each partition of a topic, a JSON object a line",
          .positionals = "TOPIC",
          .positionals_min = 1,
          .positionals_max = 1,
          .flags = {kDataFlag, kLimitFlag},
          .run = RunTopicTail};
}

Command DeadLetterListCommand() {
  return {.name = "dlq ls",
          .group = "Operate",
          .summary = "list the dead-letter topics that hold events",
          .flags = ListingFlags({kDataFlag}),
          .run = RunDeadList};
}

Command DeadLetterShowCommand() {
  return {.name = "dlq show",
          .group = "Operate",
          .summary = "events that could not be taken, with code and reason, a JSON object a line",
          .positionals = "TOPIC",
          .positionals_min = 1,
          .positionals_max = 1,
          .flags = {kDataFlag, kLimitFlag},
          .run = RunDeadShow};
}

}  // namespace headrace::cli
