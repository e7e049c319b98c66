#include "engine/training_scan.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "engine/row_cursor.h"
#include "engine/row_decoder.h"

namespace headrace::engine {
namespace {

int64_t Boundary(int64_t newest, const sql::TrainerPlan& plan) {
  const int64_t watermark = newest - plan.watermark_delay;
  const int64_t whole = watermark / plan.every;
  return watermark % plan.every < 0 ? whole - 1 : whole;
}

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

// The place before which everything of the item is the past that it was computed over.
uint64_t JoinedAt(const Deployed& item) {
  return item.statement ? item.statement->joined_lsn : 0;
}

}  // namespace

int TimeColumnOf(const Deployed& item) {
  if (item.statement) return item.statement->time_column;
  if (!item.source || item.source->time_slot < 0) return -1;
  const std::vector<int>& slots = item.source->schema_slots;
  const auto at = std::find(slots.begin(), slots.end(), item.source->time_slot);
  return at == slots.end() ? -1 : static_cast<int>(at - slots.begin());
}

// The rows of several streams, in the order of their places.
class TrainingScan::Lanes {
 public:
  Lanes(const log::Log& log, const sql::TrainerPlan& plan, catalog::Trained& state, uint64_t until)
      : log_(log), plan_(plan), state_(state), until_(until) {}

  Status Open(const Deployment& deployment) {
    const Deployed* stream = deployment.Find(plan_.stream);
    // While it is computed over the past nothing is known of the present.
    if (stream == nullptr || !stream->joined()) return Ok();
    since_ = JoinedAt(*stream);
    HR_TRY(Add(deployment, *stream));
    for (const Deployed& item : deployment.items) {
      const bool health = plan_.drift && item.statement && item.statement->of_health;
      if (health && item.joined()) HR_TRY(Add(deployment, item));
    }
    return Ok();
  }

  // False: there are no more.
  Result<bool> Next(Told* told) {
    const row::Place* first = nullptr;
    for (const auto& lane : lanes_) {
      if (!lane->ended && (first == nullptr || lane->row.cause < *first)) first = &lane->row.cause;
    }
    if (first == nullptr) return false;
    *told = Told{*first, INT64_MIN, {}, ""};
    for (const auto& lane : lanes_) {
      while (!lane->ended && lane->row.cause == told->place) {
        HR_TRY(Look(*lane, told));
        state_.offsets[{lane->item.topic(), lane->row.partition}] = lane->row.offset + 1;
        HR_TRY(Advance(*lane));
      }
    }
    return true;
  }

  // Rows of causes up to there trigger nothing.
  uint64_t since() const { return since_; }

 private:
  struct Lane {
    Lane(const Deployment& deployment, const Deployed& of) : item(of), decoder(deployment, of) {}
    const Deployed& item;
    RowDecoder decoder;
    std::unique_ptr<RowCursor> cursor;
    StoredRow row;
    bool ended = false;
  };

  Status Add(const Deployment& deployment, const Deployed& item) {
    auto lane = std::make_unique<Lane>(deployment, item);
    HR_ASSIGN(lane->cursor, RowCursor::Open(log_, item, state_.offsets));
    HR_TRY(Advance(*lane));
    lanes_.push_back(std::move(lane));
    return Ok();
  }

  Status Advance(Lane& lane) {
    const row::Place behind{state_.lsn, state_.index};
    while (true) {
      HR_ASSIGN(const bool more, lane.cursor->Next(&lane.row));
      lane.ended = !more || lane.row.cause.lsn > until_;
      if (lane.ended || lane.row.cause > behind) return Ok();
    }
  }

  Status Look(Lane& lane, Told* told) {
    row::Value* values = nullptr;
    HR_ASSIGN(const bool fits, lane.decoder.Decode(lane.row, &values));
    if (!fits) return Ok();
    if (lane.item.name == plan_.stream) {
      const int time = TimeColumnOf(lane.item);
      if (time >= 0 && !values[time].null)
        told->newest = std::max(told->newest, values[time].integer);
      return Ok();
    }
    const bool of_past = lane.row.cause.lsn <= JoinedAt(lane.item);
    const row::Value& psi = values[flow::kHealthPsi];
    if (of_past || psi.null || values[flow::kHealthModel].text() != plan_.shadow_of) return Ok();
    if (told->psi && *told->psi >= psi.number) return Ok();
    told->psi = psi.number;
    const row::Value& feature = values[flow::kHealthFeature];
    told->feature = feature.null ? "the score" : "`" + std::string(feature.text()) + "`";
    return Ok();
  }

  const log::Log& log_;
  const sql::TrainerPlan& plan_;
  catalog::Trained& state_;
  uint64_t until_;
  uint64_t since_ = 0;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

TrainingScan::TrainingScan(const log::Log& log, std::shared_ptr<const sql::TrainerPlan> plan,
                           const catalog::Object& object)
    : log_(log),
      plan_(std::move(plan)),
      created_lsn_(object.revisions.front().lsn),
      state_(object.trained) {}

Result<std::optional<TrainingTrigger>> TrainingScan::Next(const Deployment& deployment,
                                                          uint64_t until,
                                                          const std::atomic<bool>& stop) {
  Lanes lanes(log_, *plan_, state_, until);
  HR_TRY(lanes.Open(deployment));
  Told told;
  while (!stop) {
    HR_ASSIGN(const bool more, lanes.Next(&told));
    if (!more) break;
    std::optional<TrainingTrigger> trigger = Look(told, std::max(lanes.since(), created_lsn_));
    if (trigger) return trigger;
  }
  return std::optional<TrainingTrigger>{};
}

std::optional<TrainingTrigger> TrainingScan::Look(const Told& told, uint64_t since) {
  const int64_t before = state_.newest;
  state_.lsn = told.place.lsn;
  state_.index = told.place.index;
  state_.newest = std::max(before, told.newest);
  if (told.place.lsn <= since) return {};
  std::string why;
  const bool dated = plan_->every > 0 && before != INT64_MIN;
  if (dated && Boundary(state_.newest, *plan_) > Boundary(before, *plan_)) why = "every";
  if (told.psi) {
    const bool drifts = *told.psi > *plan_->drift;
    if (drifts && !state_.drifting) {
      why += (why.empty() ? "drift: a PSI of " : "; drift: a PSI of ") + Number(*told.psi) +
             " of " + told.feature;
    }
    state_.drifting = drifts;
  }
  const bool gate = state_.gate_version > 0 && state_.newest != INT64_MIN &&
                    state_.newest - plan_->watermark_delay >= state_.gate_time;
  if (why.empty() && !gate) return {};
  ++state_.run;
  TrainingTrigger trigger{told.place, state_.newest, std::move(why), 0, 0, {}};
  if (gate) {
    trigger.gate = std::exchange(state_.gate_version, 0);
    trigger.gate_from = state_.gate_from;
  }
  trigger.state = state_;
  return trigger;
}

void TrainingScan::Answered(const catalog::Trained& trained) {
  state_.version = trained.version;
  state_.gate_version = trained.gate_version;
  state_.gate_time = trained.gate_time;
  state_.gate_from = trained.gate_from;
}

}  // namespace headrace::engine
