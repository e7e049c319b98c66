#include "serve/http/inference_request.h"

#include <optional>
#include <utility>

#include "serve/http/json_text.h"
#include "serve/http/problem.h"
#include "serve/http/route.h"

namespace headrace::serve {
namespace {

constexpr int64_t kExtentMax = int64_t{1} << 40;

Error BadRequest(const std::string& place, std::string message) {
  return Error(ErrorKind::kInvalidArgument, kBadInference, std::move(message)).AtPlace(place);
}

const JsonMember* FindMember(const std::vector<JsonMember>& members, std::string_view key) {
  for (const JsonMember& member : members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

// The parameters that mean something here.
struct Parameters {
  std::optional<bool> binary;  // binary_data or binary_data_output
  std::optional<int64_t> binary_size;
};

Result<Parameters> ParseParameters(const JsonMember* member, const std::string& place) {
  Parameters parameters;
  if (member == nullptr) return parameters;
  Result<std::vector<JsonMember>> split = SplitJsonObject(member->value);
  if (!split.ok()) return BadRequest(place, "`parameters` is no object");
  for (const JsonMember& parameter : *split) {
    if (parameter.key == "binary_data" || parameter.key == "binary_data_output") {
      if (parameter.value != "true" && parameter.value != "false") {
        return BadRequest(place + "/" + parameter.key, "`" + parameter.key + "` is no boolean");
      }
      parameters.binary = parameter.value == "true";
    } else if (parameter.key == "binary_data_size") {
      parameters.binary_size = ParseDigits(parameter.value, kExtentMax);
      if (!parameters.binary_size) {
        return BadRequest(place + "/binary_data_size", "`binary_data_size` is no length");
      }
    } else if (parameter.key.starts_with("shared_memory_") || parameter.key == "classification") {
      return BadRequest(place + "/" + parameter.key,
                        "the extension of `" + parameter.key + "` is not supported");
    }
  }
  return parameters;
}

Result<std::string> ParseName(const std::vector<JsonMember>& members, const std::string& place) {
  const JsonMember* name = FindMember(members, "name");
  std::optional<std::string> text;
  if (name != nullptr) text = DecodeJsonString(name->value);
  if (!text) return BadRequest(place + "/name", "`name` is missing or no string");
  return std::move(*text);
}

Result<std::vector<size_t>> ParseShape(const JsonMember* member, const std::string& place) {
  std::vector<size_t> shape;
  if (member == nullptr) return BadRequest(place, "`shape` is missing");
  Result<std::vector<std::string_view>> extents = SplitJsonArray(member->value, kTensorRankMax);
  if (!extents.ok()) {
    return BadRequest(
        place, "`shape` is no array of at most " + std::to_string(kTensorRankMax) + " lengths");
  }
  for (std::string_view text : *extents) {
    auto extent = ParseDigits(text, kExtentMax);
    if (!extent) return BadRequest(place, "`shape` has what is no length");
    shape.push_back(static_cast<size_t>(*extent));
  }
  return shape;
}

// Reads one input; its binary elements are taken from the front of `binary`.
Result<Tensor> ParseInput(std::string_view text, const std::string& place,
                          std::string_view* binary) {
  Result<std::vector<JsonMember>> split = SplitJsonObject(text);
  if (!split.ok()) return BadRequest(place, "an input is no object");
  const std::vector<JsonMember>& members = *split;
  Tensor tensor;
  HR_ASSIGN(tensor.name, ParseName(members, place));
  HR_ASSIGN(tensor.shape, ParseShape(FindMember(members, "shape"), place + "/shape"));
  const JsonMember* type = FindMember(members, "datatype");
  std::optional<std::string> word;
  if (type != nullptr) word = DecodeJsonString(type->value);
  auto known = word ? DataTypeOf(*word) : std::nullopt;
  if (!known) return BadRequest(place + "/datatype", "`datatype` is missing or unknown");
  tensor.type = *known;
  HR_ASSIGN(Parameters parameters,
            ParseParameters(FindMember(members, "parameters"), place + "/parameters"));
  const JsonMember* data = FindMember(members, "data");
  if ((data != nullptr) == parameters.binary_size.has_value()) {
    return BadRequest(place, "input `" + tensor.name +
                                 "` needs either `data` or the parameter `binary_data_size`");
  }
  if (data != nullptr) {
    Status read = ReadJsonElements(data->value, tensor);
    if (!read.ok()) return Error(read.error()).AtPlace(place + "/data");
    return tensor;
  }
  const auto size = static_cast<size_t>(*parameters.binary_size);
  if (size > binary->size()) {
    return BadRequest(place, "the body ends within the binary data of input `" + tensor.name + "`");
  }
  Status read = ReadBinaryElements(binary->substr(0, size), tensor);
  if (!read.ok()) return Error(read.error()).AtPlace(place);
  binary->remove_prefix(size);
  return tensor;
}

Status ParseOutputs(const JsonMember& member, InferenceRequest& request) {
  Result<std::vector<std::string_view>> split = SplitJsonArray(member.value, kInferenceTensorsMax);
  if (!split.ok()) return BadRequest("/outputs", "`outputs` is no array of outputs");
  for (size_t i = 0; i < split->size(); ++i) {
    const std::string place = "/outputs/" + std::to_string(i);
    Result<std::vector<JsonMember>> members = SplitJsonObject((*split)[i]);
    if (!members.ok()) return BadRequest(place, "an output is no object");
    WantedOutput output;
    HR_ASSIGN(output.name, ParseName(*members, place));
    HR_ASSIGN(Parameters parameters,
              ParseParameters(FindMember(*members, "parameters"), place + "/parameters"));
    output.binary = parameters.binary.value_or(request.binary_outputs);
    request.outputs.push_back(std::move(output));
  }
  return Ok();
}

// Where the JSON ends.
Result<size_t> JsonLength(std::span<const Header> headers, size_t body) {
  std::string_view coding = FindHeader(headers, "Content-Encoding");
  if (!coding.empty() && !EqualsIgnoringCase(coding, "identity")) {
    return Error(ErrorKind::kInvalidArgument, kUnsupportedMedia,
                 "a compressed body is not supported");
  }
  std::string_view field = FindHeader(headers, "Inference-Header-Content-Length");
  if (field.empty()) return body;
  auto length = ParseDigits(field, static_cast<int64_t>(body));
  if (!length) {
    return BadRequest("", "Inference-Header-Content-Length is no length within the body");
  }
  return static_cast<size_t>(*length);
}

}  // namespace

Result<InferenceRequest> ParseInference(std::span<const Header> headers, std::string_view body) {
  HR_ASSIGN(size_t json, JsonLength(headers, body.size()));
  std::string_view binary = body.substr(json);
  HR_ASSIGN(std::vector<JsonMember> members, SplitJsonObject(body.substr(0, json)));
  InferenceRequest request;
  if (const JsonMember* id = FindMember(members, "id")) {
    if (!DecodeJsonString(id->value)) return BadRequest("/id", "`id` is no string");
    request.id = id->value;
  }
  HR_ASSIGN(Parameters parameters,
            ParseParameters(FindMember(members, "parameters"), "/parameters"));
  request.binary_outputs = parameters.binary.value_or(false);
  const JsonMember* inputs = FindMember(members, "inputs");
  if (inputs == nullptr) return BadRequest("/inputs", "`inputs` is missing");
  Result<std::vector<std::string_view>> split = SplitJsonArray(inputs->value, kInferenceTensorsMax);
  if (!split.ok()) return BadRequest("/inputs", "`inputs` is no array of inputs");
  size_t elements = 0;
  for (size_t i = 0; i < split->size(); ++i) {
    const std::string place = "/inputs/" + std::to_string(i);
    HR_ASSIGN(Tensor tensor, ParseInput((*split)[i], place, &binary));
    elements += tensor.elements();
    if (elements > kTensorElementsMax) return BadRequest(place, "the inputs are too large");
    request.inputs.push_back(std::move(tensor));
  }
  if (!binary.empty()) {
    return BadRequest("", std::to_string(binary.size()) + " bytes behind the last input");
  }
  if (const JsonMember* outputs = FindMember(members, "outputs")) {
    HR_TRY(ParseOutputs(*outputs, request));
  }
  return request;
}

}  // namespace headrace::serve
