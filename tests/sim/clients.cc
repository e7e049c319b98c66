#include "clients.h"

#include <algorithm>
#include <set>

#include "base/hash.h"

namespace headrace::sim {
namespace {

constexpr size_t kRequestEventsMax = 12;
constexpr size_t kInFlight = 2;                                // of one producer
constexpr int64_t kKeptMicros = int64_t{23} * 3600 * kSecond;  // surely

// All that a client sees of an answer.
std::string Text(const engine::IngestReply& reply) {
  std::string text = std::to_string(reply.accepted) + " accepted";
  for (const engine::Placed& placed : reply.placed) {
    text += " " + std::to_string(placed.partition) + ":" + std::to_string(placed.first_offset) +
            "+" + std::to_string(placed.count);
  }
  for (const engine::Rejection& rejection : reply.rejected)
    text += " !" + std::to_string(rejection.index) + rejection.error.code();
  for (const std::string& row : reply.rows)
    text += " " + row;
  return text;
}

// {"_id":"enriched:0:5",...
std::string IdOf(const std::string& row) {
  constexpr size_t kBegin = 8;
  return row.substr(kBegin, row.find('"', kBegin) - kBegin);
}

}  // namespace

Clients::Clients(os::Random& random, const os::Clock& clock, History& history)
    : random_(random), clock_(clock), history_(history), producers_(kProducers + 1) {}

void Clients::Add(size_t producer, const Event& event) {
  producers_[producer % kProducers].events.push_back(event);
}

void Clients::AddTicks(size_t count, int64_t first_time) {
  for (size_t i = 0; i < count; ++i) {
    Event event;
    event.id = std::to_string(i);
    event.json = "{\"n\":" + event.id +
                 ",\"ts\":" + std::to_string(first_time + static_cast<int64_t>(i) * kSecond) + "}";
    producers_[kProducers].events.push_back(event);
  }
}

void Clients::Begin() {
  for (size_t p = 0; p < producers_.size(); ++p) {
    Producer& producer = producers_[p];
    for (size_t i = 0; i < producer.events.size();) {
      const size_t count =
          std::min(producer.events.size() - i, 1 + random_.Below(kRequestEventsMax));
      Request& request = producer.requests.emplace_back();
      request.topic = p == kProducers ? kTicks : "events";
      request.key = "p" + std::to_string(p) + "-" + std::to_string(producer.requests.size());
      request.returns = p < kProducers && random_.Below(3) == 0;
      for (const size_t end = i + count; i < end; ++i) {
        request.payloads.push_back(producer.events[i].json);
        request.unfit.push_back(producer.events[i].unfit);
      }
    }
  }
}

bool Clients::done() const {
  return std::all_of(producers_.begin(), producers_.end(),
                     [](const Producer& p) { return p.next == p.requests.size(); });
}

bool Clients::waiting() const {
  for (const Producer& producer : producers_) {
    for (const Request& request : producer.requests) {
      if (request.state == State::kSent) return true;
    }
  }
  return false;
}

bool Clients::in_doubt() const {
  for (const Producer& producer : producers_) {
    for (const Request& request : producer.requests) {
      if (request.in_doubt && request.state != State::kAnswered) return true;
    }
  }
  return waiting();
}

void Clients::Send(engine::LocalEngine& engine) {
  Producer& producer = producers_[random_.Below(producers_.size())];
  for (size_t i = 0; i < kInFlight && producer.next + i < producer.requests.size(); ++i) {
    Request& request = producer.requests[producer.next + i];
    if (request.state != State::kNew) continue;
    return Submit(engine, request);
  }
}

void Clients::Repeat(engine::LocalEngine& engine) {
  Producer& producer = producers_[random_.Below(producers_.size())];
  if (producer.next == 0 || clock_jumped_) return;
  Request& request = producer.requests[random_.Below(producer.next)];
  if (clock_.NowMicros() - request.answered_micros < kKeptMicros) Submit(engine, request);
}

void Clients::Submit(engine::LocalEngine& engine, Request& request) {
  engine::IngestRequest sent;
  sent.topic = request.topic;
  sent.payloads = request.payloads;
  sent.idempotency_key = request.key;
  sent.fingerprint = base::Hash64(request.key);
  if (request.returns) sent.return_stream = kReturned;
  if (request.state == State::kNew) request.state = State::kSent;
  sent.done = [this, &request, life = life_](engine::IngestReply reply) {
    if (life == life_) answered_.push_back({&request, std::move(reply)});
  };
  engine.Submit(std::move(sent));
}

Status Clients::Judge(const engine::LocalEngine& engine) {
  if (answered_.empty()) return Ok();
  std::vector<Answered> answered = std::move(answered_);
  answered_.clear();
  Status seen = history_.Follow(engine.log());
  std::optional<Error> error;
  for (Answered& one : answered) {
    if (one.reply.error) {
      if (one.request->state == State::kSent) one.request->state = State::kNew;
      if (!bear_ && !error) error = std::move(one.reply.error);
      continue;
    }
    if (seen.ok()) HR_TRY(JudgePlaces(*one.request, one.reply));
    HR_TRY(JudgeOne(*one.request, one.reply));
  }
  if (error) return *error;
  return seen;
}

Status Clients::JudgeOne(Request& request, const engine::IngestReply& reply) {
  const std::string text = Text(reply);
  if (reply.accepted + reply.rejected.size() != request.payloads.size()) {
    return Broken("the answer to " + request.key + " does not count its events: " + text);
  }
  for (const std::string& row : reply.rows)
    HR_TRY(See(row));
  std::vector<size_t> rejected;
  for (const engine::Rejection& rejection : reply.rejected) {
    rejected.push_back(rejection.index);
    if (!clock_jumped_ && !request.unfit[rejection.index]) {
      return Broken("a sound event of " + request.key + " was refused: " + text);
    }
  }
  if (request.state == State::kAnswered) {
    // Of a request of which nothing was taken no answer is kept.
    const bool kept = rejected.size() < request.payloads.size();
    if (kept && !clock_jumped_ && text != request.answer) {
      return Broken("the answer to " + request.key + " was " + request.answer + ", then " + text);
    }
    return Ok();
  }
  request.state = State::kAnswered;
  request.answer = text;
  request.answered_micros = clock_.NowMicros();
  request.rejected = std::move(rejected);
  for (Producer& producer : producers_) {
    while (producer.next < producer.requests.size() &&
           producer.requests[producer.next].state == State::kAnswered) {
      ++producer.next;
    }
  }
  return Ok();
}

// What was acknowledged can be read, where the answer says.
Status Clients::JudgePlaces(const Request& request, const engine::IngestReply& reply) const {
  for (const engine::Placed& placed : reply.placed) {
    for (int64_t i = 0; i < placed.count; ++i) {
      const std::string* stored =
          history_.Find(request.topic, placed.partition, placed.first_offset + i);
      if (stored == nullptr) {
        return Broken("an event of " + request.key + " was acknowledged and is not there");
      }
      if (std::find(request.payloads.begin(), request.payloads.end(), *stored) ==
          request.payloads.end()) {
        return Broken("in the place of an event of " + request.key + " stands " + *stored);
      }
    }
  }
  return Ok();
}

void Clients::Reconnect() {
  ++life_;
  answered_.clear();
  for (Producer& producer : producers_) {
    for (Request& request : producer.requests) {
      if (request.state != State::kSent) continue;
      request.state = State::kNew;
      request.in_doubt = true;
    }
  }
}

Status Clients::See(const std::string& row) {
  auto [known, is_new] = rows_.emplace(IdOf(row), row);
  if (!is_new && known->second != row) {
    return Broken("a row was seen as " + known->second + " and then as " + row);
  }
  return Ok();
}

const std::string* Clients::AnyId() const {
  if (rows_.empty()) return nullptr;
  auto it = rows_.begin();
  std::advance(it, random_.Below(std::min<size_t>(rows_.size(), 50)));
  return &it->first;
}

Status Clients::CheckStored(bool deduplicated, const std::vector<std::string>& file_lines) const {
  std::map<std::string, int64_t> stored;
  for (const Seen& seen : history_.entries()) {
    if (seen.topic != "events" && seen.topic != kTicks) continue;
    for (const std::string& value : seen.values)
      ++stored[value];
  }
  std::map<std::string, int64_t> wanted;
  for (const std::string& line : file_lines)
    ++wanted[line];
  for (const Producer& producer : producers_) {
    for (const Request& request : producer.requests) {
      for (size_t i = 0; i < request.payloads.size(); ++i) {
        if (std::find(request.rejected.begin(), request.rejected.end(), i) ==
            request.rejected.end()) {
          ++wanted[request.payloads[i]];
        }
      }
    }
  }
  for (const auto& [payload, count] : stored) {
    const int64_t expected = wanted.contains(payload) ? wanted.at(payload) : 0;
    if (count > expected) return Broken("stored more often than it was sent: " + payload);
    if (!deduplicated && count < expected) return Broken("stored less often than sent: " + payload);
  }
  // Of an event that is dropped as a repeat another one is there.
  std::set<std::string> ids;
  for (const auto& [payload, count] : stored)
    ids.insert(payload.substr(0, payload.find(',')));
  for (const auto& [payload, count] : wanted) {
    if (!ids.contains(payload.substr(0, payload.find(',')))) return Broken("lost: " + payload);
  }
  return Ok();
}

Status Clients::CheckRows(const std::map<std::string, std::string>& streams) const {
  std::set<std::string> there;
  for (const auto& [stream, rows] : streams) {
    for (size_t at = 0; at < rows.size();) {
      const size_t end = rows.find('\n', at);
      there.insert(rows.substr(at, end - at));
      at = end + 1;
    }
  }
  for (const auto& [id, row] : rows_) {
    const bool known = streams.contains(id.substr(0, id.find(':')));
    if (known && !there.contains(row)) return Broken("a row was seen and is not there: " + row);
  }
  return Ok();
}

}  // namespace headrace::sim
