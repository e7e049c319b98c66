// Bodies of /get-online-features and /push. Whatever is taken lies within the limits, and what
// becomes events is JSON.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/check.h"
#include "serve/http/feast_request.h"
#include "serve/http/json_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace;
  using namespace headrace::serve;
  constexpr size_t kEventsMax = 100;
  std::vector<engine::StreamInfo> streams(1);
  streams[0].name = "s";
  streams[0].kind = "stream";
  streams[0].topic = "s";
  streams[0].schema.columns = {{"k", {row::TypeKind::kText, 0, 0}, false},
                               {"t", {row::TypeKind::kTimestampTz, 0, 0}, false}};
  std::string_view body(reinterpret_cast<const char*>(data), size);
  OnlineRequest online;
  FeastRefusal refusal;
  if (ParseOnlineRequest(body, streams, &online, &refusal)) {
    HR_CHECK(online.names.size() == online.features.columns.size());
    HR_CHECK(!online.features.entities.empty());
    for (const auto& entity : online.features.entities)
      HR_CHECK(entity.texts.size() == online.features.entities.front().texts.size());
  } else {
    HR_CHECK(refusal.status >= 400 && CheckJson(refusal.body).ok());
  }
  PushRequest push;
  if (ParsePushRequest(body, "push_source_name", streams, kEventsMax, &push, &refusal)) {
    HR_CHECK(push.events.size() <= kEventsMax);
    for (const std::string& event : push.events)
      HR_CHECK(CheckJson(event).ok());
  } else {
    HR_CHECK(refusal.status >= 400 && CheckJson(refusal.body).ok());
  }
  return 0;
}
