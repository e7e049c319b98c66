#include "model/model.h"

#include "base/hash.h"
#include "document/json.h"
#include "document/ubjson.h"
#include "model/catboost.h"
#include "model/lightgbm_text.h"
#include "model/program_model.h"
#include "model/runtime_model.h"
#include "model/xgboost.h"
#include "onnx/compiler.h"
#include "onnx/graph.h"
#include "onnx/runtime_session.h"
#include "onnx/tflite.h"

namespace headrace::model {
namespace {

constexpr std::string_view kFormats =
    "LightGBM text, XGBoost JSON or UBJSON (both from Booster.save_model), CatBoost JSON, ONNX and "
    "TensorFlow Lite are read";

Error NotAModel(std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR3001", std::move(message))
      .AtPlace("byte 0")
      .WithHint(std::string(kFormats));
}

// A JSON object goes on with a key in quotes or its end; a UBJSON object with a length's type.
bool LooksLikeJson(std::string_view bytes) {
  const size_t second = bytes.find_first_not_of(" \t\r\n", 1);
  return second != std::string_view::npos && (bytes[second] == '"' || bytes[second] == '}');
}

Result<std::shared_ptr<const Model>> LoadDocument(std::string_view bytes, ModelInfo info) {
  if (LooksLikeCatboost(bytes)) {
    HR_ASSIGN(const document::Value root,
              document::ParseJson(bytes, document::NumberWidth::kFloat64));
    return LoadCatboost(root, std::move(info));
  }
  if (LooksLikeJson(bytes)) {
    info.format = Format::kXgboostJson;
    HR_ASSIGN(const document::Value root,
              document::ParseJson(bytes, document::NumberWidth::kFloat32));
    return LoadXgboost(root, std::move(info));
  }
  info.format = Format::kXgboostUbjson;
  HR_ASSIGN(const document::Value root, document::ParseUbjson(bytes));
  return LoadXgboost(root, std::move(info));
}

// What our own operators cannot compute, ONNX Runtime may; `error` says what that is.
Result<std::shared_ptr<const Model>> LoadForRuntime(std::string_view bytes, ModelInfo info,
                                                    Error error) {
  HR_ASSIGN(const onnx::OnnxGraph graph, onnx::ParseOnnx(bytes));
  auto session = onnx::RuntimeSession::Open(bytes, graph);
  if (session.ok()) {
    return std::shared_ptr<const Model>(
        std::make_shared<RuntimeModel>(std::move(info), std::move(*session)));
  }
  return std::move(error).WithHint(session.error().code() == "HR3006" ? session.error().hint()
                                                                      : session.error().ToString());
}

Result<std::shared_ptr<const Model>> LoadGraph(std::string_view bytes, ModelInfo info) {
  const bool tflite = onnx::LooksLikeTflite(bytes);
  info.format = tflite ? Format::kTflite : Format::kOnnx;
  info.objective = ToString(info.format);
  Result<onnx::CompiledGraph> graph = tflite ? onnx::LoadTflite(bytes) : onnx::LoadOnnx(bytes);
  if (!graph.ok() && graph.error().code() == "HR3006" && !tflite) {
    return LoadForRuntime(bytes, std::move(info), graph.error());
  }
  if (!graph.ok()) return graph.error();
  return std::shared_ptr<const Model>(
      std::make_shared<ProgramModel>(std::move(info), std::move(*graph)));
}

}  // namespace

bool Exchangeable(const ModelInfo& one, const ModelInfo& other) {
  if (one.features != other.features || one.outputs != other.outputs ||
      one.predictions != other.predictions || one.text_prediction != other.text_prediction) {
    return false;
  }
  for (size_t f = 0; f < one.features.size(); ++f) {
    const bool text_of_one = one.exact_categories && !one.categories[f].empty();
    const bool text_of_other = other.exact_categories && !other.categories[f].empty();
    if (text_of_one != text_of_other) return false;
  }
  return true;
}

std::string_view ToString(Format format) {
  switch (format) {
    case Format::kLightGbmText:
      return "lightgbm";
    case Format::kXgboostJson:
      return "xgboost-json";
    case Format::kXgboostUbjson:
      return "xgboost-ubjson";
    case Format::kCatboostJson:
      return "catboost-json";
    case Format::kOnnx:
      return "onnx";
    case Format::kTflite:
      return "tflite";
  }
  return "unknown";
}

std::string TextOf(const ModelInfo& info, double code) {
  const bool known = code >= 0 && code < static_cast<double>(info.output_texts.size());
  return known ? info.output_texts[static_cast<size_t>(code)] : "";
}

Result<std::shared_ptr<const Model>> Model::Load(std::string_view bytes) {
  if (bytes.size() > kModelBytesMax) {
    return Error(ErrorKind::kLimitExceeded, "HR3004",
                 "a model of " + std::to_string(bytes.size()) + " bytes; the limit is " +
                     std::to_string(kModelBytesMax))
        .AtPlace("byte 0");
  }
  if (bytes.empty()) return NotAModel("the model file is empty");
  ModelInfo info;
  info.sha256 = base::Sha256Hex(bytes);
  if (bytes.starts_with("tree\n") || bytes.starts_with("tree\r\n")) {
    return LoadLightGbm(bytes, std::move(info));
  }
  if (bytes.starts_with("binf")) {
    return Error(ErrorKind::kInvalidArgument, "HR3003",
                 "XGBoost's old binary format is not supported")
        .AtPlace("byte 0")
        .WithHint("load it with XGBoost 1.x and save it as .json or .ubj");
  }
  if (onnx::LooksLikeTflite(bytes) || onnx::LooksLikeOnnx(bytes)) {
    return LoadGraph(bytes, std::move(info));
  }
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && bytes[first] == '{') {
    return LoadDocument(bytes.substr(first), std::move(info));
  }
  return NotAModel("the bytes are no model in a known format");
}

}  // namespace headrace::model
