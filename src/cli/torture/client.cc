#include "cli/torture/client.h"

#include <algorithm>
#include <utility>

#include "cli/torture/script.h"

namespace headrace::cli::torture {
namespace {

constexpr int64_t kPageRows = 2000;
constexpr int64_t kReadAgain = 20;         // rows that a new life is asked for again
constexpr int64_t kQuietMilliseconds = 5;  // between questions when nothing is new
constexpr int64_t kRefusedMilliseconds = 20;

static_assert(kPartitions <= 8);

std::string RowsTarget(Stream stream, const Place& from, int64_t limit) {
  return "/api/v1/streams/" + std::string(ToString(stream)) +
         "/rows?ids=true&partition=" + std::to_string(from.partition) +
         "&from=" + std::to_string(from.offset) + "&limit=" + std::to_string(limit);
}

Record RecordOf(uint32_t life, Stream stream, std::string_view line, Auditor auditor) {
  if (std::optional<Row> row = ParseRow(stream, line)) return Sighting{life, *row, auditor};
  return Unreadable{life, stream, std::string(line.substr(0, 200))};
}

std::vector<Record> RecordsOf(uint32_t life, Stream stream, std::string_view lines,
                              Auditor auditor) {
  std::vector<Record> records;
  for (size_t at = 0; at < lines.size();) {
    const size_t end = std::min(lines.find('\n', at), lines.size());
    if (end > at) records.push_back(RecordOf(life, stream, lines.substr(at, end - at), auditor));
    at = end + 1;
  }
  return records;
}

// One page of rows. Another answer than 200 is an error.
Result<std::vector<Record>> ReadPage(HttpClient& http, uint32_t life, Stream stream,
                                     const Place& from, Auditor auditor) {
  HR_ASSIGN(HttpAnswer answer, http.Get(RowsTarget(stream, from, kPageRows)));
  if (answer.status != 200) {
    return Error(ErrorKind::kUnavailable, "HR9021",
                 "status " + std::to_string(answer.status) + ": " + answer.body);
  }
  return RecordsOf(life, stream, answer.body, auditor);
}

}  // namespace

void Producer::Run() {
  uint32_t last = 0;
  while (std::optional<Life> life = gate_.Enter(last)) {
    last = life->number;
    Live(*life);
    gate_.Leave();
  }
}

void Producer::Live(const Life& life) {
  HttpClient http(life.port);
  while (gate_.Pause(life.pause) && Send(http, life.number)) {
  }
}

bool Producer::Send(HttpClient& http, uint32_t life) {
  if (pending_.events.empty()) pending_ = workload_.Next();
  std::vector<Record> invocations;
  invocations.reserve(pending_.events.size());
  for (const Event& event : pending_.events)
    invocations.push_back(Invocation{life, topic_, event});
  history_.AddAll(std::move(invocations));
  std::string target = "/api/v1/topics/" + std::string(ToString(topic_)) + "/events";
  if (pending_.wanted) target += "?return=" + std::string(ToString(*pending_.wanted));
  Result<HttpAnswer> answer =
      http.Post(target, pending_.as_lines ? "application/x-ndjson" : "application/json",
                EncodeEvents(pending_.events, pending_.as_lines));
  if (!answer.ok()) {
    RecordUnanswered(life);
    return false;
  }
  if (answer->status == 200) {
    RecordAnswer(life, answer->body);
    pending_ = {};
    return true;
  }
  // Busy, out of space, or about to stop: that is no fault, and whether it was taken is not said.
  const bool busy = answer->status == 429 || answer->status == 503;
  if (!busy) RecordRefusal(life, std::to_string(answer->status) + " " + answer->body);
  RecordUnanswered(life);
  return gate_.Pause(kRefusedMilliseconds);
}

void Producer::RecordAnswer(uint32_t life, std::string_view body) {
  const std::optional<Answer> answer = ParseAnswer(body);
  const size_t count = pending_.events.size();
  if (!answer || answer->accepted != count || answer->rejected > 0) {
    return RecordRefusal(life, std::string(body.substr(0, 500)));
  }
  // Of a repeated request some or all were there already, and places are of the others.
  const bool placed = !pending_.again && answer->places.size() == count;
  if (!pending_.again && !placed) {
    RecordRefusal(life, "places missing: " + std::string(body.substr(0, 500)));
  }
  std::vector<Record> records;
  for (size_t i = 0; i < count; ++i) {
    const Event& event = pending_.events[i];
    Acknowledgement acknowledgement{life, event.producer, event.number, std::nullopt};
    if (placed) acknowledgement.place = answer->places[i];
    records.push_back(acknowledgement);
  }
  const Stream wanted = pending_.wanted.value_or(topic_);
  for (const std::string& row : answer->rows)
    records.push_back(RecordOf(life, wanted, row, Auditor::kNone));
  history_.AddAll(std::move(records));
}

void Producer::RecordUnanswered(uint32_t life) {
  for (const Event& event : pending_.events)
    history_.Add(Unanswered{life, event.producer, event.number});
  pending_.again = true;
  if (topic_ == Stream::kOnce) pending_ = {};
}

void Producer::RecordRefusal(uint32_t life, const std::string& text) {
  history_.Add(Refusal{life, topic_, text});
}

void Reader::Run() {
  uint32_t last = 0;
  while (std::optional<Life> life = gate_.Enter(last)) {
    last = life->number;
    how_ == How::kPoll ? Poll(*life) : Follow(*life);
    gate_.Leave();
  }
}

void Reader::Poll(const Life& life) {
  HttpClient http(life.port);
  for (auto& partitions : next_) {
    for (int64_t& next : partitions)
      next = std::max<int64_t>(0, next - kReadAgain);
  }
  size_t rows = 0;
  while (PollAll(http, life.number, &rows) && gate_.Pause(rows > 0 ? 0 : kQuietMilliseconds)) {
  }
}

bool Reader::PollAll(HttpClient& http, uint32_t life, size_t* rows) {
  *rows = 0;
  for (size_t s = 0; s < kStreams; ++s) {
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      int64_t& next = next_[s][static_cast<size_t>(partition)];
      const int64_t begin = next;
      Result<int64_t> end =
          Audit(http, history_, {Auditor::kReader, life, static_cast<Stream>(s), partition, begin});
      if (!end.ok()) return false;
      *rows += static_cast<size_t>(*end - begin);
      next = *end;
    }
  }
  return true;
}

void Reader::Follow(const Life& life) {
  HttpClient http(life.port);
  const Stream stream = life.number % 2 == 0 ? Stream::kOdd : Stream::kCounted;
  const std::string target = "/api/v1/streams/" + std::string(ToString(stream)) +
                             "/rows?ids=true&follow=true&from=latest&partition=" +
                             std::to_string(life.number / 2 % kPartitions);
  // It ends with the server.
  Status followed = http.Follow(target, [&](std::string_view line) {
    history_.Add(RecordOf(life.number, stream, line, Auditor::kNone));
    return true;
  });
  static_cast<void>(followed.ok());
}

Result<int64_t> Audit(HttpClient& http, History& history, const AuditBegin& begin) {
  history.Add(begin);
  Place next{begin.partition, begin.from};
  while (true) {
    HR_ASSIGN(std::vector<Record> page,
              ReadPage(http, begin.life, begin.stream, next, begin.auditor));
    const auto rows = static_cast<int64_t>(page.size());
    history.AddAll(std::move(page));
    next.offset += rows;
    if (rows < kPageRows) break;
  }
  history.Add(
      AuditEnd{begin.auditor, begin.life, begin.stream, begin.partition, begin.from, next.offset});
  return next.offset;
}

}  // namespace headrace::cli::torture
