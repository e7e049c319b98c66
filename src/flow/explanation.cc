#include "flow/explanation.h"

#include "row/text.h"

namespace headrace::flow {
namespace {

constexpr row::Type kNumber{row::TypeKind::kDouble, 0, 0};

void AppendMember(std::string_view name, double value, std::string& out) {
  if (out.back() != '{') out += ",";
  row::AppendJsonString(name, out);
  out += ":";
  row::AppendJson(row::Value::Double(value), kNumber, out);
}

}  // namespace

void AppendContributions(const model::ModelInfo& info, std::span<const double> parts,
                         std::string& out) {
  const size_t width = info.features.size() + 1;
  if (info.outputs > 1) out += "[";
  for (size_t k = 0; k < static_cast<size_t>(info.outputs); ++k) {
    out += k > 0 ? ",{" : "{";
    for (size_t f = 0; f + 1 < width; ++f)
      AppendMember(info.features[f], parts[k * width + f], out);
    AppendMember("base", parts[k * width + width - 1], out);
    out += "}";
  }
  if (info.outputs > 1) out += "]";
}

void AppendReasons(const std::vector<model::Reason>& reasons, std::string& out) {
  out += "[";
  for (const model::Reason& reason : reasons) {
    out += out.back() == '[' ? "{\"text\":" : ",{\"text\":";
    row::AppendJsonString(reason.text, out);
    AppendMember("contribution", reason.contribution, out);
    out += "}";
  }
  out += "]";
}

bool Explain(const Prediction& prediction, const ModelVersions& versions, int32_t version,
             std::span<const double> features, std::string& out) {
  const model::Model& model = versions.Of(version);
  Result<std::vector<double>> parts = model.Contributions(features);
  if (!parts.ok()) return false;
  const bool one_score = model.info().outputs == 1;
  std::vector<model::Reason> reasons;
  const auto place = static_cast<size_t>(version - 1);
  if (one_score && place < versions.reasons.size())
    reasons = model::TopReasons(versions.reasons[place], *parts);
  if (prediction.answer == Prediction::Answer::kReasons) {
    for (const model::Reason& reason : reasons)
      out += (out.empty() ? "" : "; ") + reason.text;
    return !reasons.empty();
  }
  out = "{\"model\":";
  row::AppendJsonString(prediction.model, out);
  out += ",\"version\":" + std::to_string(version) + ",\"reasons\":";
  AppendReasons(reasons, out);
  out += ",\"contributions\":";
  AppendContributions(model.info(), *parts, out);
  out += "}";
  return true;
}

}  // namespace headrace::flow
