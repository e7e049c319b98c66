#pragma once

#include <memory>

#include "engine/engine.h"
#include "serve/http/message.h"
#include "serve/http/route.h"

namespace headrace::serve {

// What a client of Feast's feature server asks: /get-online-features, /push,
// /write-to-online-store, /health. A feature view is a stream or view, a feature service all
// columns of one, a push source a stream that takes events. Statuses, order and error bodies are
// those of Feast 0.67: an entity without a row is NOT_FOUND, a NULL in a row is PRESENT.
//
// A read is answered at once by the worker thread when the latest rows are at hand, otherwise by a
// query thread. Pushed rows are events like others: durable before the answer, all or none.
// Confined; the engine and the runner outlive it. Limits: kFeatureColumnsMax, kFeatureCellsMax.
class FeastApi {
 public:
  FeastApi(engine::Engine& engine, QueryRunner& runner, size_t events_max)
      : engine_(engine), runner_(runner), events_max_(events_max) {}

  void Handle(const Route& route, Request request, Answer answer);

 private:
  void Read(const Request& request, Answer answer);
  void Push(const Route& route, const Request& request, Answer answer);

  engine::Engine& engine_;
  QueryRunner& runner_;
  size_t events_max_;
};

}  // namespace headrace::serve
