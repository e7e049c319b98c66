#include "serve/http/inference_api.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <unordered_map>
#include <utility>

#include "row/text.h"
#include "serve/http/inference_request.h"
#include "serve/http/problem.h"
#include "serve/http/tensor.h"

namespace headrace::serve {
namespace {

using model::ModelInfo;

constexpr std::string_view kAllFeatures = "input";
constexpr size_t kBodyBytesAtOnce = 16 << 10;  // of what the worker thread reads and scores itself
constexpr size_t kRowsAtOnce = 16;

// One output that a model has: columns of its scores.
struct Output {
  std::string name;
  bool text = false;
  bool raw = false;  // before the transform
  size_t first = 0;
  size_t columns = 1;
};

// What a request asks of which version.
struct Asked {
  std::string model;
  engine::ServedVersion version;
};

// The error as the protocol has it, and our code beside it.
Response Refusal(const Error& error) {
  Response response = Problem(error);
  response.content_type = kJson;
  std::string& out = response.body;
  out = "{\"error\":";
  AppendQuoted(error.place().empty() ? error.message() : error.place() + ": " + error.message(),
               out);
  out += ",\"code\":";
  AppendQuoted(error.code(), out);
  if (!error.hint().empty()) {
    out += ",\"hint\":";
    AppendQuoted(error.hint(), out);
  }
  out += '}';
  return response;
}

Error NoSuchTensor(std::string message) {
  return Error(ErrorKind::kInvalidArgument, kNoSuchTensor, std::move(message));
}

std::vector<Output> OutputsOf(const ModelInfo& info) {
  std::vector<Output> outputs;
  outputs.push_back(
      {"score", info.text_prediction, false, 0, static_cast<size_t>(info.predictions)});
  if (info.text_outputs.empty()) {
    outputs.push_back({"raw", false, true, 0, static_cast<size_t>(info.outputs)});
  }
  for (size_t i = 0; i < info.output_names.size(); ++i) {
    const std::string& name = info.output_names[i];
    const bool taken = std::any_of(outputs.begin(), outputs.end(),
                                   [&](const Output& output) { return output.name == name; });
    if (taken) continue;
    outputs.push_back({name, !info.text_outputs.empty() && info.text_outputs[i], true, i, 1});
  }
  return outputs;
}

bool TakesOnlyTexts(const ModelInfo& info) {
  return std::none_of(info.categories.begin(), info.categories.end(),
                      [](const auto& categories) { return categories.empty(); });
}

// Puts the elements of a tensor into columns of the feature matrix: element e is of row e / width.
class MatrixFiller {
 public:
  MatrixFiller(const ModelInfo& info, size_t rows)
      : info_(info), rows_(rows), matrix_(rows * info.features.size(), std::nan("")) {}

  Status FillAll(const Tensor& tensor) {
    for (size_t f = 0; f < info_.features.size(); ++f)
      HR_TRY(Fill(tensor, f, f, info_.features.size()));
    return Ok();
  }

  // Column `feature` from the elements at `offset`, `offset` + `stride`, ...
  Status Fill(const Tensor& tensor, size_t feature, size_t offset, size_t stride) {
    const std::vector<std::string>& categories = info_.categories[feature];
    const bool texts = tensor.type == DataType::kBytes;
    const bool needs_texts = info_.exact_categories && !categories.empty();
    if (texts != needs_texts && (texts ? categories.empty() : needs_texts)) {
      return NoSuchTensor("`" + info_.features[feature] + "` takes " +
                          (texts ? "numbers, not BYTES" : "BYTES") + ", in input `" + tensor.name +
                          "`");
    }
    if (!texts) {
      for (size_t r = 0; r < rows_; ++r)
        At(r, feature) = tensor.numbers[offset + r * stride];
      return Ok();
    }
    std::unordered_map<std::string_view, double> codes;
    for (size_t code = 0; code < categories.size(); ++code)
      codes.emplace(categories[code], static_cast<double>(code));
    for (size_t r = 0; r < rows_; ++r) {
      auto code = codes.find(tensor.texts[offset + r * stride]);
      if (code != codes.end()) At(r, feature) = code->second;
    }
    return Ok();
  }

  std::vector<double> Take() { return std::move(matrix_); }

 private:
  double& At(size_t row, size_t feature) { return matrix_[row * info_.features.size() + feature]; }

  const ModelInfo& info_;
  size_t rows_;
  std::vector<double> matrix_;
};

// The rows of a tensor that has `width` elements a row.
Result<size_t> RowsOf(const Tensor& tensor, size_t width) {
  const std::vector<size_t>& shape = tensor.shape;
  const bool fits = (shape.size() == 2 && shape[1] == width) || (shape.size() == 1 && width == 1);
  if (fits) return shape[0];
  return NoSuchTensor("input `" + tensor.name + "` needs the shape [rows," + std::to_string(width) +
                      "]");
}

const Tensor* FindTensor(const InferenceRequest& request, std::string_view name) {
  for (const Tensor& tensor : request.inputs) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

// Every input must be one that the model has.
Status CheckInputs(const ModelInfo& info, const InferenceRequest& request) {
  for (const Tensor& tensor : request.inputs) {
    if (tensor.name == kAllFeatures && request.inputs.size() == 1) continue;
    if (std::find(info.features.begin(), info.features.end(), tensor.name) != info.features.end()) {
      continue;
    }
    return NoSuchTensor("the model has no input `" + tensor.name + "`")
        .WithHint("GET /v2/models/{model} lists them; `input` alone takes all features");
  }
  return Ok();
}

struct Features {
  size_t rows = 0;
  std::vector<double> matrix;
};

Result<Features> FeaturesOf(const ModelInfo& info, const InferenceRequest& request) {
  HR_TRY(CheckInputs(info, request));
  Features features;
  const Tensor* all = FindTensor(request, kAllFeatures);
  if (all != nullptr && request.inputs.size() == 1) {
    HR_ASSIGN(features.rows, RowsOf(*all, info.features.size()));
    MatrixFiller filler(info, features.rows);
    HR_TRY(filler.FillAll(*all));
    features.matrix = filler.Take();
    return features;
  }
  if (request.inputs.empty()) return NoSuchTensor("there are no inputs");
  HR_ASSIGN(features.rows, RowsOf(request.inputs.front(), 1));
  if (features.rows * info.features.size() > kTensorElementsMax) {
    return NoSuchTensor("too many rows in one request");
  }
  MatrixFiller filler(info, features.rows);
  for (size_t f = 0; f < info.features.size(); ++f) {
    const Tensor* tensor = FindTensor(request, info.features[f]);
    if (tensor == nullptr) return NoSuchTensor("input `" + info.features[f] + "` is missing");
    HR_ASSIGN(size_t rows, RowsOf(*tensor, 1));
    if (rows != features.rows) {
      return NoSuchTensor("input `" + tensor->name + "` has " + std::to_string(rows) +
                          " rows where the first has " + std::to_string(features.rows));
    }
    HR_TRY(filler.Fill(*tensor, f, 0, 1));
  }
  features.matrix = filler.Take();
  return features;
}

void AppendShape(size_t rows, size_t columns, std::string& out) {
  out += "\"shape\":[" + std::to_string(rows) + "," + std::to_string(columns) + "]";
}

// Writes the answer of one request.
class AnswerWriter {
 public:
  AnswerWriter(const ModelInfo& info, size_t rows, std::vector<double> raw,
               std::vector<double> scores)
      : info_(info), rows_(rows), raw_(std::move(raw)), scores_(std::move(scores)) {}

  void Add(const Output& output, bool binary) {
    if (!json_.empty()) json_ += ',';
    json_ += "{\"name\":";
    AppendQuoted(output.name, json_);
    json_ += output.text ? ",\"datatype\":\"BYTES\"," : ",\"datatype\":\"FP64\",";
    AppendShape(rows_, output.columns, json_);
    const size_t before = binary_.size();
    if (!binary) json_ += ",\"data\":[";
    for (size_t r = 0; r < rows_; ++r) {
      for (size_t c = 0; c < output.columns; ++c)
        AddElement(output, ValueOf(output, r, c), binary, r + c == 0);
    }
    if (binary) {
      json_ +=
          ",\"parameters\":{\"binary_data_size\":" + std::to_string(binary_.size() - before) + "}}";
      has_binary_ = true;
    } else {
      json_ += "]}";
    }
  }

  Response Finish(const Asked& asked, const std::string& id) {
    Response response;
    std::string& out = response.body;
    out = "{\"model_name\":";
    AppendQuoted(asked.model, out);
    out += ",\"model_version\":\"" + std::to_string(asked.version.number) + "\"";
    if (!id.empty()) out += ",\"id\":" + id;
    out += ",\"parameters\":{\"sha256\":\"" + asked.version.sha256 + "\"},\"outputs\":[";
    out += json_ + "]}";
    if (!has_binary_) return response;
    response.json_bytes = static_cast<int64_t>(out.size());
    response.content_type = kOctets;
    out += binary_;
    return response;
  }

 private:
  double ValueOf(const Output& output, size_t row, size_t column) const {
    if (output.raw) return raw_[row * static_cast<size_t>(info_.outputs) + output.first + column];
    return scores_[row * static_cast<size_t>(info_.predictions) + column];
  }

  void AddElement(const Output& output, double value, bool binary, bool first) {
    if (binary) {
      output.text ? AppendBinary(model::TextOf(info_, value), binary_)
                  : AppendBinary(value, binary_);
      return;
    }
    if (!first) json_ += ',';
    output.text ? AppendQuoted(model::TextOf(info_, value), json_) : AppendJsonNumber(value, json_);
  }

  const ModelInfo& info_;
  size_t rows_;
  std::vector<double> raw_;
  std::vector<double> scores_;
  std::string json_;
  std::string binary_;
  bool has_binary_ = false;
};

// The outputs that were asked for, in that order, and whether each is binary.
Result<std::vector<std::pair<Output, bool>>> Choose(const ModelInfo& info,
                                                    const InferenceRequest& request) {
  std::vector<std::pair<Output, bool>> chosen;
  std::vector<Output> all = OutputsOf(info);
  if (request.outputs.empty()) {
    for (Output& output : all)
      chosen.emplace_back(std::move(output), request.binary_outputs);
    return chosen;
  }
  for (const WantedOutput& wanted : request.outputs) {
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const Output& output) { return output.name == wanted.name; });
    if (found == all.end()) {
      return NoSuchTensor("the model has no output `" + wanted.name + "`")
          .WithHint("GET /v2/models/{model} lists them");
    }
    chosen.emplace_back(*found, wanted.binary);
  }
  return chosen;
}

Result<Response> Score(const Asked& asked, const InferenceRequest& request) {
  const model::Model& model = *asked.version.model;
  const ModelInfo& info = model.info();
  HR_ASSIGN(auto chosen, Choose(info, request));
  HR_ASSIGN(Features features, FeaturesOf(info, request));
  size_t columns = static_cast<size_t>(info.outputs);
  for (const auto& [output, binary] : chosen)
    columns += output.columns;
  if (columns > kTensorElementsMax / std::max<size_t>(features.rows, 1)) {
    return NoSuchTensor("the answer would have too many values")
        .WithHint("send fewer rows in one request");
  }
  std::vector<double> raw(features.rows * static_cast<size_t>(info.outputs));
  model.ScoreRaw(features.matrix, features.rows, raw);
  std::vector<double> scores = raw;
  model.Transform(features.rows, scores);
  AnswerWriter writer(info, features.rows, std::move(raw), std::move(scores));
  for (const auto& [output, binary] : chosen)
    writer.Add(output, binary);
  return writer.Finish(asked, request.id);
}

Response ScoreOrRefuse(const Asked& asked, const InferenceRequest& request) {
  Result<Response> scored = Score(asked, request);
  return scored.ok() ? std::move(*scored) : Refusal(scored.error());
}

Result<Asked> AskedOf(const engine::Engine& engine, const Route& route) {
  std::optional<engine::ServedModel> model = engine.FindModel(route.name);
  if (!model || model->versions.empty()) {
    return Error(ErrorKind::kNotFound, "HR1107", "unknown model `" + route.name + "`");
  }
  int64_t number = 0;
  if (!route.detail.empty()) number = ParseDigits(route.detail, INT32_MAX).value_or(-1);
  const engine::ServedVersion* version = model->Find(static_cast<int32_t>(number));
  if (version == nullptr) {
    return Error(ErrorKind::kNotFound, "HR1206",
                 "model `" + route.name + "` has no version " + route.detail);
  }
  return Asked{route.name, *version};
}

void AppendTensor(std::string_view name, bool text, size_t columns, std::string& out) {
  if (out.back() == '}') out += ',';
  out += "{\"name\":";
  AppendQuoted(name, out);
  out += text ? ",\"datatype\":\"BYTES\"" : ",\"datatype\":\"FP64\"";
  out += ",\"shape\":[-1," + std::to_string(columns) + "]}";
}

Response Metadata(const engine::ServedModel& model, const engine::ServedVersion& version) {
  const ModelInfo& info = version.model->info();
  Response response;
  std::string& out = response.body;
  out = "{\"name\":";
  AppendQuoted(model.name, out);
  out += ",\"versions\":[";
  for (const engine::ServedVersion& each : model.versions)
    out += (out.back() == '[' ? "\"" : ",\"") + std::to_string(each.number) + "\"";
  out += "],\"platform\":";
  AppendQuoted(model::ToString(info.format), out);
  out += ",\"inputs\":[";
  // One tensor holds either numbers or texts.
  const bool mixed = info.exact_categories && !TakesOnlyTexts(info) &&
                     std::any_of(info.categories.begin(), info.categories.end(),
                                 [](const auto& categories) { return !categories.empty(); });
  if (!mixed) {
    AppendTensor(kAllFeatures, info.exact_categories && TakesOnlyTexts(info), info.features.size(),
                 out);
  } else {
    for (size_t f = 0; f < info.features.size(); ++f)
      AppendTensor(info.features[f], !info.categories[f].empty(), 1, out);
  }
  out += "],\"outputs\":[";
  for (const Output& output : OutputsOf(info))
    AppendTensor(output.name, output.text, output.columns, out);
  out += "],\"parameters\":{\"version\":\"" + std::to_string(version.number) + "\",\"sha256\":\"" +
         version.sha256 + "\",\"features\":[";
  for (size_t f = 0; f < info.features.size(); ++f) {
    if (f > 0) out += ',';
    AppendQuoted(info.features[f], out);
  }
  out += "]}}";
  return response;
}

}  // namespace

void InferenceApi::Handle(const Route& route, Request request, Answer answer) {
  switch (route.kind) {
    case RouteKind::kInferenceServer: {
      Response response;
      response.body = "{\"name\":\"headrace\",\"version\":\"" HEADRACE_VERSION
                      "\",\"extensions\":[\"binary_tensor_data\",\"model_repository\"]}";
      return answer(std::move(response));
    }
    case RouteKind::kInferenceHealth:
      return answer(Health(route));
    case RouteKind::kInferenceIndex:
      return answer(Index());
    case RouteKind::kInfer:
      return Infer(route, std::move(request), std::move(answer));
    default:
      break;
  }
  Result<Asked> asked = AskedOf(engine_, route);
  if (!asked.ok()) return answer(Refusal(asked.error()));
  if (route.kind == RouteKind::kInferenceModel) {
    return answer(Metadata(*engine_.FindModel(route.name), asked->version));
  }
  Response response;
  response.body = "{\"name\":";
  AppendQuoted(route.name, response.body);
  response.body += ",\"ready\":true}";
  answer(std::move(response));
}

void InferenceApi::Infer(const Route& route, Request request, Answer answer) {
  Result<Asked> asked = AskedOf(engine_, route);
  if (!asked.ok()) return answer(Refusal(asked.error()));
  if (request.body.size() > kBodyBytesAtOnce) {
    // The fields live no longer than this call.
    auto fields = std::make_shared<std::vector<std::pair<std::string, std::string>>>();
    for (std::string_view name : {"Content-Encoding", "Inference-Header-Content-Length"})
      fields->emplace_back(name, FindHeader(request.headers, name));
    return AnswerFrom(
        runner_,
        [asked = std::move(*asked), fields, body = std::move(request.body)] {
          std::vector<Header> headers;
          for (const auto& [name, value] : *fields)
            headers.push_back({name, value});
          Result<InferenceRequest> parsed = ParseInference(headers, body);
          return parsed.ok() ? ScoreOrRefuse(asked, *parsed) : Refusal(parsed.error());
        },
        std::move(answer));
  }
  Result<InferenceRequest> parsed = ParseInference(request.headers, request.body);
  if (!parsed.ok()) return answer(Refusal(parsed.error()));
  size_t rows = 0;
  for (const Tensor& tensor : parsed->inputs) {
    if (!tensor.shape.empty()) rows = std::max(rows, tensor.shape.front());
  }
  if (rows <= kRowsAtOnce) return answer(ScoreOrRefuse(*asked, *parsed));
  AnswerFrom(
      runner_,
      [asked = std::move(*asked), parsed = std::move(*parsed)] {
        return ScoreOrRefuse(asked, parsed);
      },
      std::move(answer));
}

Response InferenceApi::Index() const {
  Response response;
  std::string& out = response.body;
  out = "[";
  for (const engine::ServedModel& model : engine_.models()) {
    for (const engine::ServedVersion& version : model.versions) {
      if (out.size() > 1) out += ',';
      out += "{\"name\":";
      AppendQuoted(model.name, out);
      out +=
          ",\"version\":\"" + std::to_string(version.number) + "\",\"state\":\"READY\",\"reason\":";
      AppendQuoted(version.role, out);
      out += '}';
    }
  }
  out += ']';
  return response;
}

Response InferenceApi::Health(const Route& route) const {
  Response response;
  const bool fine = route.detail == "live" || engine_.ready();
  if (!fine) {
    response = Problem(Error(ErrorKind::kUnavailable, kTooBusy, "the journal takes no more"));
    response.content_type = kJson;
  }
  response.body = "{\"" + route.detail + "\":" + (fine ? "true" : "false") + "}";
  return response;
}

}  // namespace headrace::serve
