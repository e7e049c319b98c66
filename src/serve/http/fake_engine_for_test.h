#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "headrace/check.h"

namespace headrace::serve {

// An engine of one topic, `payments`, and one stream, `decisions`, that keeps what it is given in
// memory: a payload with `nonsense` in it is refused, any other becomes a row. Answers at once, or
// when Release is called. Release, rows_ready and the reads are thread-safe.
class FakeEngine final : public engine::Engine {
 public:
  Status Execute(std::string_view script, const std::string&) override {
    if (script.find("broken") != std::string_view::npos) {
      return Error(ErrorKind::kInvalidArgument, "HR1001", "broken").AtPlace("sql:1:8");
    }
    executed.emplace_back(script);
    return Ok();
  }

  void Deploy(std::string_view script, const std::string& file,
              std::function<void(Status)> done) override {
    Status executed_now = Execute(script, file);
    if (!hold_deployments) return done(std::move(executed_now));
    deployments.push_back(std::move(done));
  }
  void Trim(engine::TrimOrder order) override {
    if (order.request.topic != "payments") {
      return order.done(Error(ErrorKind::kNotFound, "HR5212", "no topic " + order.request.topic));
    }
    trims.push_back(order.request);
    order.done(std::string("{\"topic\":\"payments\"}"));
  }
  void StopDeployments() override {
    for (auto& done : std::exchange(deployments, {}))
      done(Error(ErrorKind::kUnavailable, "HR5001", "the program is stopping"));
  }

  Result<std::vector<engine::PlannedChange>> Plan(std::string_view, const std::string&) override {
    return std::vector<engine::PlannedChange>{};
  }
  void Submit(engine::IngestRequest request) override {
    engine::IngestReply reply;
    if (request.topic == "full") {
      reply.error = Error(ErrorKind::kLimitExceeded, "HR6001", "the queue is full");
    } else if (request.topic == "failed") {
      reply.error = Error(ErrorKind::kUnavailable, "HR5001", "the journal failed");
    } else if (request.topic != "payments") {
      reply.error = Error(ErrorKind::kNotFound, "HR6002", "no topic `" + request.topic + "`");
    }
    if (reply.error) return request.done(std::move(reply));
    submitted_.push_back(std::move(request));
  }

  bool Pump() override {
    if (submitted_.empty()) return false;
    Take(std::move(submitted_.front()));
    submitted_.pop_front();
    if (!hold) wake_();
    return !submitted_.empty();
  }

  void Complete() override {
    if (hold) return;
    auto answers = std::exchange(answers_, {});
    for (auto& [done, reply] : answers)
      done(std::move(reply));
  }

  void SetWakeCallback(std::function<void()> wake) override { wake_ = std::move(wake); }
  size_t in_flight() const override { return submitted_.size() + answers_.size(); }

  // Lets withheld answers go.
  void Release() {
    hold = false;
    wake_();
  }

  Result<engine::QueryResult> Query(std::string_view sql) const override {
    if (sql.find("broken") != std::string_view::npos) {
      return Error(ErrorKind::kInvalidArgument, "HR1001", "a word is wrong").AtPlace("2:8");
    }
    engine::QueryResult result;
    result.columns.columns.push_back({"count", {row::TypeKind::kBigint}, false});
    std::lock_guard lock(mutex_);
    result.rows.push_back({row::Value::Integer(static_cast<int64_t>(rows_.size()))});
    return result;
  }
  bool IsDefinition(std::string_view sql) const override { return sql.starts_with("CREATE"); }
  Result<std::string> Why(std::string_view id) const override {
    if (id != "decisions:0:0") return Error(ErrorKind::kNotFound, "HR6003", "no such row");
    return std::string("{\"id\":\"decisions:0:0\"}");
  }
  Result<engine::VerifyResult> Verify(const std::vector<std::string>&) const override {
    return engine::VerifyResult{};
  }
  Result<std::string> ModelReport(const std::string& model,
                                  const std::optional<engine::LabelRequest>&) const override {
    return "{\"name\":\"" + model + "\"}";
  }
  void EditModel(engine::ModelEdit edit) override {
    edit.done(Error(ErrorKind::kNotFound, "HR1107", "unknown model `" + edit.model + "`"));
  }
  std::optional<engine::ServedModel> FindModel(const std::string& name) const override {
    for (const engine::ServedModel& model : served) {
      if (model.name == name) return model;
    }
    return std::nullopt;
  }
  std::vector<engine::ServedModel> models() const override { return served; }
  Result<std::optional<engine::FeatureAnswer>> ReadFeatures(const engine::FeatureRequest&,
                                                            bool) const override {
    return Error(ErrorKind::kNotFound, "HR1204", "no stream or view");
  }
  Result<std::string> FeatureReport(const std::string&) const override {
    return std::string("{\"features\":[]}");
  }
  Result<std::string> Importance(const std::string&, const engine::WhatIfRequest&,
                                 const std::function<void(uint64_t)>&) const override {
    return std::string("{}");
  }
  Result<engine::TrainingSetReport> TrainingSet(const engine::TrainingSetRequest&,
                                                const engine::TrainingSetTaker&) const override {
    return engine::TrainingSetReport{};
  }
  Result<engine::WhatIfReport> WhatIf(const engine::WhatIfRequest&, const engine::TakeBytes&,
                                      const std::function<void(uint64_t)>&) const override {
    return engine::WhatIfReport{};
  }
  Result<std::string> ReadRows(const std::string& stream,
                               const engine::RowRange& range) const override {
    if (stream != "decisions") return Error(ErrorKind::kNotFound, "HR6002", "no such stream");
    std::lock_guard lock(mutex_);
    std::string out;
    auto from = static_cast<size_t>(range.from);
    if (range.latest) from = rows_.size() - std::min(range.limit, rows_.size());
    size_t i = from;
    for (; i < rows_.size() && i - from < range.limit; ++i) {
      out += (range.with_ids ? WithId(i) : rows_[i]) + "\n";
    }
    if (range.next != nullptr) *range.next = {static_cast<int64_t>(i), range.partition};
    ++reads;
    return out;
  }
  Result<std::string> ViewRows(const std::string& view,
                               const std::optional<std::string>& key) const override {
    if (view != "by_card") return Error(ErrorKind::kNotFound, "HR6002", "no such view");
    return "{\"rows\":[" + (key ? "\"" + *key + "\"" : "") + "]}";
  }
  std::vector<engine::StreamInfo> streams() const override {
    return {{"payments", "stream", "payments", 1, {}, "CREATE STREAM payments"},
            {"decisions", "stream", "decisions", 1, {}, "CREATE STREAM decisions"}};
  }
  log::Log& log() const override {
    HR_CHECK(log_ != nullptr);
    return *log_;
  }
  bool ready() const override { return is_ready; }
  engine::StartupProgress startup() const override {
    engine::StartupProgress progress;
    if (!is_starting) return progress;
    progress.phase = engine::StartupProgress::Phase::kReplaying;
    progress.events = 300;
    progress.events_total = 1200;
    progress.seconds = 2.5;
    progress.seconds_of_replay = 2;
    return progress;
  }
  std::vector<engine::HaltedStream> halted() const override { return halted_streams; }
  void StopRecovery() override { recovery_stopped = true; }
  Status Close() override { return Ok(); }

  std::atomic<bool> hold{false};
  std::atomic<bool> is_ready{true};
  std::atomic<bool> is_starting{false};
  std::atomic<bool> recovery_stopped{false};
  mutable std::atomic<int> reads{0};
  std::vector<engine::ServedModel> served;
  std::vector<engine::HaltedStream> halted_streams;
  bool hold_deployments = false;
  std::vector<engine::TrimRequest> trims;
  std::vector<std::function<void(Status)>> deployments;  // that are held
  std::vector<std::string> executed;                     // worker thread, or after Run returned
  std::vector<std::string> taken;                        // payloads; the same

 private:
  std::string WithId(size_t i) const {
    return "{\"_id\":\"decisions:0:" + std::to_string(i) + "\"," + rows_[i].substr(1);
  }

  void Take(engine::IngestRequest request) {
    engine::IngestReply reply;
    std::lock_guard lock(mutex_);
    const int64_t first = static_cast<int64_t>(rows_.size());
    auto bad = [](const std::string& payload) {
      return payload.find("nonsense") != std::string::npos;
    };
    const bool none =
        request.atomic && std::any_of(request.payloads.begin(), request.payloads.end(), bad);
    for (size_t i = 0; i < request.payloads.size(); ++i) {
      if (bad(request.payloads[i])) {
        Error error(ErrorKind::kInvalidArgument, "HR4001", "a required column is missing");
        reply.rejected.push_back({i, std::move(error).AtPlace("/card")});
      } else if (!none) {
        taken.push_back(request.payloads[i]);
        rows_.push_back("{\"n\":" + std::to_string(rows_.size()) + "}");
        if (!request.return_stream.empty()) reply.rows.push_back(WithId(rows_.size() - 1));
        ++reply.accepted;
      }
    }
    if (reply.accepted > 0) {
      reply.placed.push_back({0, first, static_cast<int64_t>(reply.accepted)});
    }
    answers_.emplace_back(std::move(request.done), std::move(reply));
  }

  std::function<void()> wake_;
  std::deque<engine::IngestRequest> submitted_;
  std::vector<std::pair<std::function<void(engine::IngestReply)>, engine::IngestReply>> answers_;
  mutable std::mutex mutex_;
  std::vector<std::string> rows_;
  log::Log* log_ = nullptr;
};

}  // namespace headrace::serve
