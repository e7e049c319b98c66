#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "headrace/result.h"
#include "serve/http/message.h"

namespace headrace::serve {

// A refusal as Feast's server words it: a status, and a JSON text as body.
struct FeastRefusal {
  int status = 500;
  std::string body;

  Response ToResponse() const;
};
// A text alone, as Feast gives what it did not foresee.
FeastRefusal PlainRefusal(int status, std::string_view message);
// One of its exceptions.
FeastRefusal NamedRefusal(int status, std::string_view name, std::string_view message);
// A field of the body that is missing or not what it must be.
FeastRefusal FieldRefusal(std::string_view type, std::string_view field, std::string_view message);

struct OnlineRequest {
  engine::FeatureRequest features;
  std::vector<std::string> names;  // of the results, in the order of features.columns
};

// The body of /get-online-features. `streams` tells what a feature service has. Nothing of the
// answer is set when `refusal` is.
bool ParseOnlineRequest(std::string_view body, const std::vector<engine::StreamInfo>& streams,
                        OnlineRequest* request, FeastRefusal* refusal);

struct PushRequest {
  const engine::StreamInfo* stream = nullptr;
  std::vector<std::string> events;  // JSON objects
};

// The body of /push or /write-to-online-store: columns of values become events. Times are taken as
// pandas and Feast write them, epoch numbers as seconds. `streams` outlives the request.
bool ParsePushRequest(std::string_view body, std::string_view name_field,
                      const std::vector<engine::StreamInfo>& streams, size_t events_max,
                      PushRequest* request, FeastRefusal* refusal);

}  // namespace headrace::serve
