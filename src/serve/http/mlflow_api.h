#pragma once

#include <memory>

#include "engine/engine.h"
#include "os/clock.h"
#include "serve/http/message.h"
#include "serve/http/model_source.h"
#include "serve/http/route.h"

namespace headrace::serve {

// The part of MLflow's REST API that is about registered models and their versions, over our
// catalogue. A registered name becomes a model with its first version, which decides, as with
// CREATE MODEL; later ones are added, as with ALTER MODEL. A stage is the role of a version:
// Production decides, Staging is a shadow, Archived is retired, and moving it changes the role.
//
// Descriptions, tags, aliases and sources are journalled with the time of the clock. Reads and
// searches run on a query thread; what is changed is answered when it is durable, and waited for by
// nobody. Confined; what is passed to the constructor outlives it and every answer. Limits: those
// of PlanModelEdit and ParseFilter, and kSearchMax results of a search.
class MlflowApi {
 public:
  MlflowApi(engine::Engine& engine, QueryRunner& runner, const os::Clock& clock,
            SourcePolicy sources)
      : engine_(engine), runner_(runner), clock_(clock), sources_(std::move(sources)) {}

  // `route.detail` is what stands behind /api/2.0/mlflow/.
  void Handle(const Route& route, const Request& request, Answer answer);

 private:
  engine::Engine& engine_;
  QueryRunner& runner_;
  const os::Clock& clock_;
  SourcePolicy sources_;
  // As that of HttpApi.
  std::shared_ptr<MlflowApi> alive_{this, [](MlflowApi*) {}};
};

inline constexpr int64_t kSearchMax = 10'000;

}  // namespace headrace::serve
