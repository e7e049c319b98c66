#include "model/remote_model.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <optional>

#include "document/json.h"

namespace headrace::model {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: what JSON numbers say exactly here

Error BadUrl(std::string_view url, const std::string& why) {
  return Error(ErrorKind::kInvalidArgument, "HR3030",
               "`" + std::string(url.substr(0, 200)) + "` is no address of a model: " + why)
      .WithHint("write http://HOST:PORT/v2/models/NAME");
}

Error BadAnswer(std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR3031", std::move(message));
}

Error TooLarge(std::string message) {
  return Error(ErrorKind::kLimitExceeded, "HR3032", std::move(message));
}

bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '#'; });
}

std::string_view DatatypeOf(RemoteType type) {
  switch (type) {
    case RemoteType::kBoolean:
      return "BOOL";
    case RemoteType::kInteger:
      return "INT32";
    case RemoteType::kBigint:
      return "INT64";
    case RemoteType::kReal:
      return "FP32";
    case RemoteType::kText:
      return "BYTES";
    default:
      return "FP64";
  }
}

void AppendText(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte >= 0x20) {
      out += c;
    } else {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  out += '"';
}

void AppendValue(const RemoteValue& value, RemoteType type, std::string& out) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    out += std::to_string(*integer);
  } else if (const auto* number = std::get_if<double>(&value)) {
    char text[32];
    char* end = text + sizeof text;
    // Of a REAL the shortest text that is the same float.
    out.append(text, type == RemoteType::kReal
                         ? std::to_chars(text, end, static_cast<float>(*number)).ptr
                         : std::to_chars(text, end, *number).ptr);
  } else if (const auto* chars = std::get_if<std::string>(&value)) {
    AppendText(*chars, out);
  }
}

void AppendTensor(const std::string& name, RemoteType type, std::span<const RemoteValue> values,
                  std::string& out) {
  out += R"({"name":)";
  AppendText(name, out);
  out += R"(,"shape":[1,)" + std::to_string(values.size()) + R"(],"datatype":")";
  out += DatatypeOf(type);
  out += R"(","data":[)";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    AppendValue(values[i], type, out);
  }
  out += "]}";
}

// The elements of a tensor's `data`, flat or nested, at most `most` of them.
bool Flatten(const document::Value& data, size_t most, std::vector<document::Value>& out) {
  if (const document::Value::Numbers* numbers = data.numbers()) {
    if (out.size() + numbers->size() > most) return false;
    for (double number : *numbers)
      out.emplace_back(number, data.offset());
    return true;
  }
  const document::Value::Array* values = data.array();
  if (values == nullptr) return false;
  for (const document::Value& value : *values) {
    const bool nested = value.numbers() != nullptr || value.array() != nullptr;
    if (nested && !Flatten(value, most, out)) return false;
    if (!nested && out.size() == most) return false;
    if (!nested) out.push_back(value);
  }
  return true;
}

Result<RemoteValue> Convert(const RemoteColumn& column, const document::Value& value) {
  const auto bad = [&](const std::string& what) {
    return BadAnswer("output `" + column.name + "` is " + what);
  };
  if (const std::string* text = value.text()) {
    if (column.type != RemoteType::kText)
      return bad("a text, not " + std::string(DatatypeOf(column.type)));
    if (text->size() > kRemoteTextBytesMax) {
      return TooLarge("output `" + column.name + "` is a text of " + std::to_string(text->size()) +
                      " bytes");
    }
    return RemoteValue(*text);
  }
  // Booleans among numbers are read as 0 and 1.
  const bool* flag = value.boolean();
  const double* given = value.number();
  if (flag == nullptr && given == nullptr) {
    const bool null = value.object() == nullptr;
    if (null) return RemoteValue();
    return bad("no number, text or boolean");
  }
  const double number = flag != nullptr ? double(*flag) : *given;
  switch (column.type) {
    case RemoteType::kText:
      return bad("no text");
    case RemoteType::kBoolean:
      if (number != 0 && number != 1) return bad("no boolean");
      return RemoteValue(number == 1);
    case RemoteType::kReal:
    case RemoteType::kDouble:
      if (!std::isfinite(number)) return bad("no finite number");
      return RemoteValue(number);
    default:
      break;
  }
  const double most = column.type == RemoteType::kInteger ? 2147483647.0 : kExactIntegers;
  if (!(std::abs(number) <= most) || std::trunc(number) != number)
    return bad("no whole number in range");
  return RemoteValue(static_cast<int64_t>(number));
}

// A tensor of the answer: its name and its elements.
struct AnswerTensor {
  std::string_view name;
  std::vector<document::Value> elements;
};

Result<std::vector<AnswerTensor>> TensorsOf(const document::Value& answer) {
  const document::Value* outputs = answer.Find("outputs");
  const document::Value::Array* listed = outputs == nullptr ? nullptr : outputs->array();
  if (listed == nullptr) return BadAnswer("the answer has no `outputs`");
  if (listed->size() > kRemoteColumnsMax) return TooLarge("the answer has too many tensors");
  std::vector<AnswerTensor> tensors;
  for (const document::Value& output : *listed) {
    const document::Value* name = output.Find("name");
    const document::Value* data = output.Find("data");
    if (name == nullptr || name->text() == nullptr || data == nullptr) {
      return BadAnswer("an output of the answer has no `name` or no `data`");
    }
    AnswerTensor& tensor = tensors.emplace_back();
    tensor.name = *name->text();
    if (!Flatten(*data, kRemoteColumnsMax, tensor.elements)) {
      return BadAnswer("`data` of output `" + std::string(tensor.name.substr(0, 100)) +
                       "` is no array of at most " + std::to_string(kRemoteColumnsMax) +
                       " elements");
    }
  }
  return tensors;
}

}  // namespace

Result<RemoteAddress> RemoteAddress::Parse(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  constexpr size_t kUrlBytesMax = 2000;
  if (url.size() > kUrlBytesMax || !IsPlain(url))
    return BadUrl(url, "it is too long or has spaces");
  if (!url.starts_with(kScheme)) return BadUrl(url, "only http:// is spoken");
  std::string_view rest = url.substr(kScheme.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return BadUrl(url, "it has no path");
  std::string_view authority = rest.substr(0, slash);
  std::string_view path = rest.substr(slash);
  if (authority.find('@') != std::string_view::npos) return BadUrl(url, "it holds a user's name");
  RemoteAddress address;
  const size_t bracket = authority.find(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc() || end != port.data() + port.size() || address.port == 0) {
      return BadUrl(url, "its port is no number of 1 to 65535");
    }
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty()) return BadUrl(url, "it has no host");
  if (path.find('?') != std::string_view::npos) return BadUrl(url, "it has a query");
  while (path.ends_with('/'))
    path.remove_suffix(1);
  constexpr std::string_view kInfer = "/infer";
  if (path.ends_with(kInfer)) path.remove_suffix(kInfer.size());
  constexpr std::string_view kModels = "/models/";
  const size_t models = path.rfind(kModels);
  if (models == std::string_view::npos || models + kModels.size() == path.size()) {
    return BadUrl(url, "its path has no /models/NAME");
  }
  const std::string_view name = path.substr(models + kModels.size());
  address.host = std::string(authority);
  address.name = std::string(name.substr(0, name.find('/')));
  address.target = std::string(path) + std::string(kInfer);
  return address;
}

std::string RemoteRequest(const RemoteSignature& signature, std::span<const RemoteValue> inputs) {
  std::string out = R"({"inputs":[)";
  if (!signature.tensor.empty()) {
    AppendTensor(signature.tensor, signature.inputs.front().type, inputs, out);
  } else {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (i > 0) out += ',';
      const RemoteColumn& column = signature.inputs[i];
      AppendTensor(column.name, column.type, inputs.subspan(i, 1), out);
    }
  }
  return out + "]}";
}

Result<std::vector<RemoteValue>> ReadRemoteAnswer(const RemoteSignature& signature,
                                                  std::string_view body) {
  if (body.size() > kRemoteAnswerBytesMax) {
    return TooLarge("the answer has more than " + std::to_string(kRemoteAnswerBytesMax) + " bytes");
  }
  Result<document::Value> parsed = document::ParseJson(body, document::NumberWidth::kFloat64);
  if (!parsed.ok()) return BadAnswer("the answer is no JSON: " + parsed.error().message());
  HR_ASSIGN(std::vector<AnswerTensor> tensors, TensorsOf(*parsed));
  std::vector<RemoteValue> values;
  const auto named = [&](const std::string& name) {
    return std::find_if(tensors.begin(), tensors.end(),
                        [&](const AnswerTensor& tensor) { return tensor.name == name; });
  };
  const bool by_position =
      tensors.size() == 1 && tensors[0].elements.size() == signature.outputs.size();
  for (size_t i = 0; i < signature.outputs.size(); ++i) {
    const RemoteColumn& column = signature.outputs[i];
    const auto tensor = named(column.name);
    if (!by_position && (tensor == tensors.end() || tensor->elements.size() != 1)) {
      return BadAnswer(tensor == tensors.end()
                           ? "the answer has no output `" + column.name + "`"
                           : "output `" + column.name + "` has " +
                                 std::to_string(tensor->elements.size()) + " elements, not one");
    }
    HR_ASSIGN(RemoteValue value,
              Convert(column, by_position ? tensors[0].elements[i] : tensor->elements[0]));
    values.push_back(std::move(value));
  }
  return values;
}

void AppendRemoteValues(std::span<const RemoteValue> values, std::string& out) {
  base::ByteWriter writer(out);
  writer.Varint(values.size());
  for (const RemoteValue& value : values) {
    writer.U8(static_cast<uint8_t>(value.index()));
    if (const auto* flag = std::get_if<bool>(&value)) writer.U8(*flag ? 1 : 0);
    if (const auto* integer = std::get_if<int64_t>(&value)) writer.Zigzag(*integer);
    if (const auto* number = std::get_if<double>(&value)) {
      writer.U64Le(std::bit_cast<uint64_t>(*number));
    }
    if (const auto* text = std::get_if<std::string>(&value)) writer.String(*text);
  }
}

bool ReadRemoteValues(base::ByteReader& reader, std::vector<RemoteValue>& values) {
  values.clear();
  const uint64_t count = reader.Varint();
  if (count > kRemoteColumnsMax) return false;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const uint8_t kind = reader.U8();
    switch (kind) {
      case 0:
        values.emplace_back();
        break;
      case 1:
        values.emplace_back(reader.U8() != 0);
        break;
      case 2:
        values.emplace_back(reader.Zigzag());
        break;
      case 3:
        values.emplace_back(std::bit_cast<double>(reader.U64Le()));
        break;
      case 4:
        values.emplace_back(std::string(reader.String()));
        break;
      default:
        return false;
    }
  }
  return reader.ok();
}

}  // namespace headrace::model
