#include "serve/http/mlflow_json.h"

#include <algorithm>

#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

using engine::ServedModel;
using engine::ServedVersion;

const catalog::VersionNotes& NotesOf(const ServedModel& model, const ServedVersion& version) {
  static const catalog::VersionNotes kNone;
  auto notes = model.notes.versions.find(version.number);
  return notes == model.notes.versions.end() ? kNone : notes->second;
}

void AppendMember(std::string_view name, std::string_view text, std::string& out) {
  if (out.back() != '{') out += ',';
  out += '"';
  out += name;
  out += "\":";
  AppendQuoted(text, out);
}

void AppendMember(std::string_view name, int64_t number, std::string& out) {
  out += ",\"" + std::string(name) + "\":" + std::to_string(number);
}

void AppendTags(const std::map<std::string, std::string>& tags, std::string& out) {
  if (tags.empty()) return;
  out += ",\"tags\":[";
  for (const auto& [key, value] : tags) {
    out += out.back() == '[' ? "{" : ",{";
    AppendMember("key", key, out);
    AppendMember("value", value, out);
    out += '}';
  }
  out += ']';
}

}  // namespace

std::string_view StageOf(const ServedVersion& version) {
  if (version.role == "decides") return "Production";
  if (version.role == "shadow") return "Staging";
  return version.role == "retired" ? "Archived" : "None";
}

std::vector<const ServedVersion*> ShownVersions(const ServedModel& model) {
  std::vector<const ServedVersion*> shown;
  for (const ServedVersion& version : model.versions) {
    if (!NotesOf(model, version).hidden) shown.push_back(&version);
  }
  return shown;
}

std::vector<const ServedVersion*> LatestVersions(const ServedModel& model) {
  std::vector<const ServedVersion*> shown = ShownVersions(model);
  std::vector<const ServedVersion*> latest;
  for (const ServedVersion* version : shown) {
    const bool newer = std::any_of(shown.begin(), shown.end(), [&](const ServedVersion* other) {
      return other->number > version->number && StageOf(*other) == StageOf(*version);
    });
    if (!newer) latest.push_back(version);
  }
  return latest;
}

void AppendRegisteredModel(const ServedModel& model, std::string& out) {
  out += '{';
  AppendMember("name", model.name, out);
  AppendMember("creation_timestamp", model.notes.created_ms, out);
  AppendMember("last_updated_timestamp", model.notes.updated_ms, out);
  if (!model.notes.description.empty()) {
    AppendMember("description", model.notes.description, out);
  }
  std::vector<const ServedVersion*> latest = LatestVersions(model);
  if (!latest.empty()) {
    out += ",\"latest_versions\":[";
    for (const ServedVersion* version : latest) {
      if (version != latest.front()) out += ',';
      AppendModelVersion(model, *version, out);
    }
    out += ']';
  }
  AppendTags(model.notes.tags, out);
  if (!model.notes.aliases.empty()) {
    out += ",\"aliases\":[";
    for (const auto& [alias, version] : model.notes.aliases) {
      out += out.back() == '[' ? "{" : ",{";
      AppendMember("alias", alias, out);
      AppendMember("version", std::to_string(version), out);
      out += '}';
    }
    out += ']';
  }
  out += '}';
}

void AppendModelVersion(const ServedModel& model, const ServedVersion& version, std::string& out) {
  const catalog::VersionNotes& notes = NotesOf(model, version);
  out += '{';
  AppendMember("name", model.name, out);
  AppendMember("version", std::to_string(version.number), out);
  AppendMember("creation_timestamp", notes.created_ms, out);
  AppendMember("last_updated_timestamp", notes.updated_ms, out);
  AppendMember("current_stage", StageOf(version), out);
  AppendMember("description", notes.description, out);
  AppendMember("source", SourceOf(model, version), out);
  AppendMember("run_id", notes.run_id, out);
  AppendMember("status", "READY", out);
  AppendTags(notes.tags, out);
  AppendMember("run_link", notes.run_link, out);
  bool any = false;
  for (const auto& [alias, number] : model.notes.aliases) {
    if (number != version.number) continue;
    out += any ? "," : ",\"aliases\":[";
    any = true;
    AppendQuoted(alias, out);
  }
  out += any ? "]}" : "}";
}

std::string SourceOf(const ServedModel& model, const ServedVersion& version) {
  const std::string& source = NotesOf(model, version).source;
  return source.empty() ? "sha256:" + version.sha256 : source;
}

SearchedItem ItemOf(const ServedModel& model) {
  SearchedItem item;
  item.name = model.name;
  item.tags = &model.notes.tags;
  item.created_ms = model.notes.created_ms;
  item.updated_ms = model.notes.updated_ms;
  return item;
}

SearchedItem ItemOf(const ServedModel& model, const ServedVersion& version) {
  const catalog::VersionNotes& notes = NotesOf(model, version);
  SearchedItem item;
  item.name = model.name;
  item.tags = &notes.tags;
  item.created_ms = notes.created_ms;
  item.updated_ms = notes.updated_ms;
  item.run_id = notes.run_id;
  item.source = SourceOf(model, version);
  item.version = version.number;
  return item;
}

}  // namespace headrace::serve
