// Bodies of POST .../events: the splitter and the CloudEvents envelopes. The first byte chooses the
// content type. Whatever is taken must lie within the limits and split the same way again.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/check.h"
#include "serve/http/cloud_event.h"
#include "serve/http/ingest.h"
#include "serve/http/json_text.h"
#include "serve/http/route.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace::serve;
  constexpr std::array<std::string_view, 5> kTypes = {"application/json", "application/x-ndjson",
                                                      "application/cloudevents+json",
                                                      "application/cloudevents-batch+json", ""};
  constexpr size_t kEventsMax = 100;
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<Header> headers = {{"Content-Type", kTypes[data[0] % kTypes.size()]}};
  if (data[0] >= 128) {
    for (std::string_view name : {"ce-id", "ce-source", "ce-type"})
      headers.push_back({name, "x"});
    headers.push_back({"ce-specversion", "1.0"});
    headers.push_back({"ce-subject", text.substr(0, 20)});
  }
  auto body = SplitEvents(headers, std::string(text), kEventsMax);
  if (body.ok()) {
    HR_CHECK(body->payloads.size() + body->rejected.size() <= kEventsMax);
    HR_CHECK(body->indices.empty() || body->indices.size() == body->payloads.size());
    HR_CHECK(body->rejected.empty() || body->indices.size() == body->payloads.size());
    EventIndices indices{body->indices, body->rejected, body->alone, false, true};
    headrace::engine::IngestReply reply;
    reply.accepted = body->payloads.size();
    HR_CHECK(headrace::serve::CheckJson(EventsResponse(std::move(indices), reply).body).ok());
  }
  if (headrace::serve::CheckJson(text).ok()) {
    JsonScanner scanner(text);
    std::string_view value = scanner.Value();
    HR_CHECK(headrace::serve::CheckJson(value).ok() && scanner.at_end());
    if (auto decoded = DecodeJsonString(value)) HR_CHECK(decoded->size() <= value.size());
  }
  if (auto bytes = DecodeBase64(text)) HR_CHECK(bytes->size() <= text.size());
  return 0;
}
