#include "cli/replay_artefact.h"

#include <algorithm>
#include <filesystem>

#include <simdjson.h>

#include "cli/replay_report.h"
#include "model/model.h"
#include "row/text.h"

namespace headrace::cli {
namespace {

using simdjson::dom::element;

constexpr int64_t kFormat = 1;
constexpr size_t kArtefactBytesMax = 64 << 20;
constexpr std::string_view kName = "/replay.json";

void Put(std::string_view key, std::string_view text, std::string& out) {
  if (out.back() != '{') out += ",";
  row::AppendJsonString(key, out);
  out += ":";
  row::AppendJsonString(text, out);
}

bool IsNumber(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Error NoArtefact(const std::string& directory) {
  return Error(ErrorKind::kInvalidArgument, "HR1295",
               directory + " holds no replay that was saved, or one of a newer version")
      .AtPlace(directory + std::string(kName))
      .WithHint("`headrace replay ... --save DIR` makes one");
}

// The text of a member; nothing when it is not there or no text.
bool Take(element from, std::string_view key, std::string* out) {
  std::string_view text;
  if (from[key].get(text) != simdjson::SUCCESS) return false;
  *out = std::string(text);
  return true;
}

bool TakePairs(element from, std::string_view key,
               std::vector<std::pair<std::string, std::string>>* out) {
  simdjson::dom::object object;
  if (from[key].get(object) != simdjson::SUCCESS) return false;
  for (const auto& [name, value] : object) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return false;
    out->emplace_back(std::string(name), std::string(text));
  }
  return true;
}

bool TakeList(element from, std::string_view key, std::vector<std::string>* out) {
  simdjson::dom::array array;
  if (from[key].get(array) != simdjson::SUCCESS) return false;
  for (const element each : array) {
    std::string_view text;
    if (each.get(text) != simdjson::SUCCESS) return false;
    out->emplace_back(text);
  }
  return true;
}

bool TakeLabels(element from, std::optional<engine::LabelRequest>* out) {
  element labels;
  if (from["labels"].get(labels) != simdjson::SUCCESS) return true;
  engine::LabelRequest request;
  const bool whole = Take(labels, "labels", &request.labels) && Take(labels, "on", &request.on) &&
                     Take(labels, "labels_on", &request.labels_on) &&
                     Take(labels, "label", &request.label);
  int64_t as_of = 0;
  if (labels["as_of"].get(as_of) == simdjson::SUCCESS) request.as_of = as_of;
  *out = std::move(request);
  return whole;
}

bool TakeMoments(element root, ReplayArtefact& artefact) {
  if (!Take(root, "from", &artefact.from) || !Take(root, "to", &artefact.to)) return false;
  for (const auto& [text, moment] : {std::pair{&artefact.from, &artefact.request.from},
                                     std::pair{&artefact.to, &artefact.request.to}}) {
    if (text->empty()) continue;
    Result<engine::Moment> parsed = engine::Moment::Parse(*text);
    if (!parsed.ok()) return false;
    *moment = *parsed;
  }
  return true;
}

bool Read(element root, ReplayArtefact& artefact) {
  engine::WhatIfRequest& request = artefact.request;
  int64_t format = 0;
  if (root["format"].get(format) != simdjson::SUCCESS || format != kFormat) return false;
  if (root["compare"].get(request.compare) != simdjson::SUCCESS ||
      root["why"].get(request.why) != simdjson::SUCCESS) {
    return false;
  }
  return Take(root, "script", &request.fork.script) && Take(root, "file", &request.fork.file) &&
         Take(root, "stream", &request.stream) && Take(root, "sum", &request.sum) &&
         Take(root, "by", &request.by) && Take(root, "result", &artefact.result) &&
         TakePairs(root, "models", &request.fork.models) &&
         TakeList(root, "decisions", &request.decisions) && TakeLabels(root, &request.labels) &&
         TakeMoments(root, artefact);
}

void PutLabels(const engine::LabelRequest& labels, std::string& out) {
  std::string inner = "{";
  Put("labels", labels.labels, inner);
  Put("on", labels.on, inner);
  Put("labels_on", labels.labels_on, inner);
  Put("label", labels.label, inner);
  if (labels.as_of) inner += ",\"as_of\":" + std::to_string(*labels.as_of);
  out += ",\"labels\":" + inner + "}";
}

// A model's file is copied into the directory, under its place among the models.
Result<std::string> KeepModel(os::FileSystem& files, const std::string& directory, size_t place,
                              const std::string& value) {
  if (IsNumber(value)) return value;
  HR_ASSIGN(std::string bytes, os::ReadFile(files, value, model::kModelBytesMax));
  HR_TRY(files.CreateDirectories(directory + "/models"));
  const std::string name = "models/" + std::to_string(place);
  HR_TRY(os::ReplaceFile(files, directory + "/" + name, bytes));
  return name;
}

}  // namespace

std::string ReportDigest(const engine::WhatIfReport& report, bool compared) {
  engine::WhatIfReport bare = report;
  bare.from_lsn = bare.last_lsn = bare.events = 0;
  return ReplayJson(bare, compared, 0);
}

Status SaveReplay(os::FileSystem& files, const std::string& directory,
                  const ReplayArtefact& artefact) {
  const engine::WhatIfRequest& request = artefact.request;
  HR_TRY(files.CreateDirectories(directory));
  std::string out = "{\"format\":" + std::to_string(kFormat);
  Put("script", request.fork.script, out);
  const std::string& file = request.fork.file;
  Put("file", file.empty() || file == "-" ? file : std::filesystem::absolute(file).string(), out);
  Put("stream", request.stream, out);
  std::string models = "{";
  for (size_t i = 0; i < request.fork.models.size(); ++i) {
    const auto& [name, value] = request.fork.models[i];
    HR_ASSIGN(std::string kept, KeepModel(files, directory, i, value));
    Put(name, kept, models);
  }
  out += ",\"models\":" + models + "},\"decisions\":[";
  for (const std::string& decision : request.decisions) {
    if (out.back() != '[') out += ",";
    row::AppendJsonString(decision, out);
  }
  out += "]";
  Put("sum", request.sum, out);
  Put("by", request.by, out);
  Put("from", artefact.from, out);
  Put("to", artefact.to, out);
  out += std::string(",\"compare\":") + (request.compare ? "true" : "false") +
         ",\"why\":" + (request.why ? "true" : "false");
  if (request.labels) PutLabels(*request.labels, out);
  Put("result", artefact.result, out);
  return os::ReplaceFile(files, directory + std::string(kName), out + "}\n");
}

Result<ReplayArtefact> LoadReplay(os::FileSystem& files, const std::string& directory) {
  Result<std::string> text = os::ReadFile(files, directory + std::string(kName), kArtefactBytesMax);
  if (!text.ok()) return NoArtefact(directory);
  simdjson::dom::parser parser;
  element root;
  ReplayArtefact artefact;
  if (parser.parse(*text).get(root) != simdjson::SUCCESS || !Read(root, artefact)) {
    return NoArtefact(directory);
  }
  for (auto& [name, value] : artefact.request.fork.models) {
    if (!IsNumber(value)) value = (std::filesystem::path(directory) / value).string();
  }
  return artefact;
}

}  // namespace headrace::cli
