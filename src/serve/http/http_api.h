#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "os/clock.h"
#include "serve/http/feast_api.h"
#include "serve/http/http_metrics.h"
#include "serve/http/http_options.h"
#include "serve/http/inference_api.h"
#include "serve/http/message.h"
#include "serve/http/mlflow_api.h"
#include "serve/http/route.h"
#include "serve/http/row_stream.h"

namespace headrace::serve {

// What each path means: requests to calls of the engine, results to answers. Knows no sockets.
//
// Confined to the worker thread; reads and queries run through the QueryRunner. Everything passed
// to the constructor must outlive it and every answer. Limits: those of HttpLimits that count
// events, pages and followers.
class HttpApi {
 public:
  HttpApi(engine::Engine& engine, QueryRunner& runner, HttpMetrics& metrics, const os::Clock& clock,
          const HttpLimits& limits, SourcePolicy sources);
  HttpApi(const HttpApi&) = delete;
  HttpApi& operator=(const HttpApi&) = delete;

  // `answer` is called once, perhaps before Handle returns. The request's views are not used after.
  void Handle(const Route& route, Request request, Answer answer);

  // False while the engine recovers: what needs it is refused (HR8075).
  bool has_engine() const { return has_engine_; }
  void TakeEngine() { has_engine_ = true; }

  // Something has become durable: answers that follow a stream go on.
  void NotifyFollowers();
  // About every 15 seconds.
  void BeatFollowers();
  // Ends answers that would go on for ever, and takes no more of them.
  void StopFollowers();

 private:
  void HandleEvents(const Route& route, Request request, Answer answer);
  // What the path, its parameters and the fields of a request for events say.
  Result<engine::IngestRequest> ParseEvents(const Route& route, const Request& request) const;
  void HandleTrim(const Route& route, Answer answer);
  void HandleSql(const Route& route, Request request, Answer answer);
  void HandleRows(const Route& route, const Request& request, Answer answer);
  Result<RowStreamOptions> ParseRows(const Route& route, const Request& request) const;
  void HandleView(const Route& route, Answer answer);
  void HandleDecision(const Route& route, Answer answer);
  void HandleModel(const Route& route, Answer answer);
  void HandleFeatures(const Route& route, Answer answer);
  void HandleFeature(const Route& route, Answer answer);
  Response Index() const;
  Response Streams() const;
  Response Health(RouteKind kind) const;
  // 503, and how far the start is.
  Response Starting() const;
  // Runs `work` on a query thread and answers with what it gives, or 503.
  void RunQuery(std::function<Response()> work, Answer answer);

  engine::Engine& engine_;
  QueryRunner& runner_;
  HttpMetrics& metrics_;
  const os::Clock& clock_;
  const HttpLimits& limits_;
  InferenceApi inference_;
  MlflowApi mlflow_;
  FeastApi feast_;
  std::vector<std::weak_ptr<RowStream>> followers_;
  bool stopping_ = false;
  bool has_engine_ = false;
  // Lets what the engine still holds find out that nobody waits for it any more.
  std::shared_ptr<HttpApi> alive_{this, [](HttpApi*) {}};
};

// Refuses what a page of another site may not ask of this server: an Origin that is not Host.
Status CheckOrigin(std::span<const Header> headers);

}  // namespace headrace::serve
