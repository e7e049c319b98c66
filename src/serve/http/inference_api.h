#pragma once

#include "engine/engine.h"
#include "serve/http/message.h"
#include "serve/http/route.h"

namespace headrace::serve {

// The Open Inference Protocol v2 over HTTP: what is deployed as models, asked from outside. A model
// has one input, `input`, a row of all its features in their order, or one input for each feature
// by its name; and the outputs `score` (what PREDICT gives), `raw` (before the output transform)
// and those that its file names.
//
// A request of few rows is answered at once by the worker thread, others by a query thread. Asking
// changes nothing and is not journalled. Confined; the engine and the runner outlive it. Limits:
// those of ParseInference, and kTensorElementsMax values in an answer.
class InferenceApi {
 public:
  InferenceApi(engine::Engine& engine, QueryRunner& runner) : engine_(engine), runner_(runner) {}

  void Handle(const Route& route, Request request, Answer answer);

 private:
  void Infer(const Route& route, Request request, Answer answer);
  Response Index() const;
  Response Health(const Route& route) const;

  engine::Engine& engine_;
  QueryRunner& runner_;
};

}  // namespace headrace::serve
