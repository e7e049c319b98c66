#include <cmath>
#include <cstring>
#include <optional>

#include "row/json_text.h"
#include "row/text.h"
#include "schema/codec.h"
#include "schema/json_shape.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wcast-qual"
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>
#pragma GCC diagnostic pop

namespace headrace::schema {
namespace {

namespace sj = simdjson;
using OnDemandValue = sj::ondemand::value;

Error Refuse(std::string code, std::string message, const std::string& pointer) {
  return Error(ErrorKind::kInvalidArgument, std::move(code), std::move(message)).AtPlace(pointer);
}

Error Malformed(sj::error_code code) {
  return Refuse("HR2201", std::string("malformed JSON: ") + sj::error_message(code), "");
}

// Members and elements that no column reads are still checked: half a document is no document.
sj::error_code CheckValue(OnDemandValue value, int depth) {
  sj::ondemand::json_type type{};
  if (auto error = value.type().get(type)) return error;
  switch (type) {
    case sj::ondemand::json_type::array: {
      if (depth >= kJsonDepthMax) return sj::DEPTH_ERROR;
      sj::ondemand::array array;
      if (auto error = value.get_array().get(array)) return error;
      for (auto element : array) {
        OnDemandValue child;
        if (auto error = std::move(element).get(child)) return error;
        if (auto error = CheckValue(child, depth + 1)) return error;
      }
      return sj::SUCCESS;
    }
    case sj::ondemand::json_type::object: {
      if (depth >= kJsonDepthMax) return sj::DEPTH_ERROR;
      sj::ondemand::object object;
      if (auto error = value.get_object().get(object)) return error;
      for (auto member : object) {
        sj::ondemand::field field;
        if (auto error = std::move(member).get(field)) return error;
        if (auto error = CheckValue(field.value(), depth + 1)) return error;
      }
      return sj::SUCCESS;
    }
    case sj::ondemand::json_type::string: {
      sj::ondemand::raw_json_string raw;
      return value.get_raw_json_string().get(raw);
    }
    case sj::ondemand::json_type::number: {
      double number = 0;
      auto error = value.get_double().get(number);
      // A number too large for a double is still JSON.
      return error == sj::NUMBER_ERROR && value.raw_json_token().size() > 20 ? sj::SUCCESS : error;
    }
    case sj::ondemand::json_type::boolean: {
      bool flag = false;
      return value.get_bool().get(flag);
    }
    case sj::ondemand::json_type::null: {
      bool null = false;
      if (auto error = value.is_null().get(null)) return error;
      return null ? sj::SUCCESS : sj::N_ATOM_ERROR;
    }
  }
  return sj::TAPE_ERROR;
}

// The value's bytes as they stand in the document.
sj::simdjson_result<std::string_view> RawJson(OnDemandValue value) {
  sj::ondemand::json_type type{};
  if (auto error = value.type().get(type)) return error;
  if (type == sj::ondemand::json_type::array) {
    sj::ondemand::array array;
    if (auto error = value.get_array().get(array)) return error;
    return array.raw_json();
  }
  if (type == sj::ondemand::json_type::object) {
    sj::ondemand::object object;
    if (auto error = value.get_object().get(object)) return error;
    return object.raw_json();
  }
  std::string_view token = value.raw_json_token();
  sj::ondemand::raw_json_string raw;
  // Scalars are consumed so that the document goes on behind them.
  if (type == sj::ondemand::json_type::string) {
    if (auto error = value.get_raw_json_string().get(raw)) return error;
  } else if (auto error = CheckValue(value, 1)) {
    return error;
  }
  return token;
}

std::string_view TrimRight(std::string_view token) {
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ')
    token.remove_suffix(1);
  return token;
}

// A decimal as a whole number of 10^-digits units; false when it is not one or too large.
bool WholeUnits(row::Value decimal, uint8_t digits, int64_t* units) {
  row::Value fitted = decimal;
  if (!row::FitDecimal(&fitted, 38, digits)) return false;
  row::Value back = fitted;
  if (row::Compare(back, decimal, {row::TypeKind::kDecimal, 0, 0}) != 0) return false;
  row::Int128 value = fitted.unscaled();
  if (value > INT64_MAX || value < INT64_MIN) return false;
  *units = static_cast<int64_t>(value);
  return true;
}

bool DecodeBase64(std::string_view text, std::string* out) {
  uint32_t bits = 0;
  int count = 0;
  size_t end = text.size();
  while (end > 0 && text[end - 1] == '=')
    --end;
  if (text.size() % 4 != 0 || text.size() - end > 2) return false;
  for (char c : text.substr(0, end)) {
    int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                : c >= 'a' && c <= 'z' ? c - 'a' + 26
                : c >= '0' && c <= '9' ? c - '0' + 52
                : c == '+'             ? 62
                : c == '/'             ? 63
                                       : -1;
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if (++count % 4 != 1)
      out->push_back(static_cast<char>(bits >> (count % 4 == 0 ? 0 : 8 - 2 * (count % 4))));
  }
  return true;
}

}  // namespace

// The columns as the decoder looks for them, and its reusable buffers.
struct JsonDecoder::Plan {
  row::Schema schema;
  JsonOptions options;
  sj::ondemand::parser parser;
  JsonShape shape;     // of the last document
  std::string padded;  // copy of payloads that have no room behind them
  base::Arena* arena = nullptr;
  ptrdiff_t shift = 0;  // from the parsed bytes to the payload's own

  Plan(row::Schema columns, JsonOptions how)
      : schema(std::move(columns)), options(how), shape(schema, how) {}
  Status DecodeDocument(std::string_view payload, bool has_room, row::Value* slots);
  Status DecodeMember(sj::ondemand::field& field, size_t position, row::Value* slots);
  Status DecodeValue(OnDemandValue value, const row::Column& column, row::Value* slot);
  Status DecodeNumberMember(OnDemandValue value, const row::Column& column, row::Value* slot);
  Status DecodeString(OnDemandValue value, const row::Column& column, row::Value* slot);
  Status DecodeNumber(std::string_view token, const row::Column& column, row::Value* slot) const;
  Status DecodeInteger(const row::Value& number, const row::Column& column, row::Value* slot) const;
  Status FromText(std::string_view text, const row::Column& column, row::Value* slot) const;
};

JsonDecoder::JsonDecoder(row::Schema schema, JsonOptions options)
    : plan_(std::make_unique<Plan>(std::move(schema), options)) {}

JsonDecoder::~JsonDecoder() = default;

Status JsonDecoder::Decode(std::string_view payload, bool padded, base::Arena& arena,
                           row::Value* slots) {
  Plan& plan = *plan_;
  if (payload.size() > kPayloadBytesMax) {
    return Refuse("HR2206", "the event has more than 1048576 bytes", "");
  }
  std::fill_n(slots, plan.schema.columns.size(), row::Value::Null());
  if (plan.shape.Decode(payload, slots)) return Ok();
  std::fill_n(slots, plan.schema.columns.size(), row::Value::Null());
  plan.arena = &arena;
  return plan.DecodeDocument(payload, padded, slots);
}

Status JsonDecoder::Plan::DecodeDocument(std::string_view payload, bool has_room,
                                         row::Value* slots) {
  const char* bytes = payload.data();
  if (!has_room) {
    padded.assign(payload);
    padded.append(sj::SIMDJSON_PADDING, ' ');
    bytes = padded.data();
  }
  shift = payload.data() - bytes;
  sj::ondemand::document document;
  if (auto error = parser.iterate(bytes, payload.size(), payload.size() + sj::SIMDJSON_PADDING)
                       .get(document)) {
    return Malformed(error);
  }
  sj::ondemand::json_type type{};
  if (auto error = document.type().get(type)) return Malformed(error);
  if (type != sj::ondemand::json_type::object) {
    Status whole = row::CheckJson(payload);
    if (!whole.ok()) return Refuse("HR2201", "malformed JSON", "");
    return Refuse("HR2202", "an event must be a JSON object", "");
  }
  sj::ondemand::object object;
  if (auto error = document.get_object().get(object)) return Malformed(error);
  size_t position = 0;
  for (auto member : object) {
    sj::ondemand::field field;
    if (auto error = std::move(member).get(field)) return Malformed(error);
    HR_TRY(DecodeMember(field, position++, slots));
  }
  shape.Finish(position);
  const char* behind = nullptr;
  if (document.current_location().get(behind) != sj::OUT_OF_BOUNDS) {
    return Refuse("HR2201", "malformed JSON: bytes behind the object", "");
  }
  return Ok();
}

Status JsonDecoder::Plan::DecodeMember(sj::ondemand::field& field, size_t position,
                                       row::Value* slots) {
  const char* raw = field.key().raw();
  size_t length = 0;
  bool escaped = false;
  for (; raw[length] != '"'; length += raw[length] == '\\' ? 2 : 1)
    escaped = escaped || raw[length] == '\\';
  std::string_view key(raw, length);
  if (escaped) {
    if (auto error = field.unescaped_key().get(key)) return Malformed(error);
  }
  const int index = schema.Find(key);
  if (!escaped) shape.Expect(position, key, index);
  if (index >= 0) {
    return DecodeValue(field.value(), schema.columns[static_cast<size_t>(index)], &slots[index]);
  }
  if (auto error = CheckValue(field.value(), 2)) {
    if (error == sj::DEPTH_ERROR) return Refuse("HR2206", "the event is nested too deep", "");
    return Malformed(error);
  }
  return Ok();
}

Status JsonDecoder::Plan::DecodeValue(OnDemandValue value, const row::Column& column,
                                      row::Value* slot) {
  std::string pointer = "";
  if (column.type.kind == row::TypeKind::kJsonb || column.type.kind == row::TypeKind::kJson) {
    std::string_view raw;
    if (auto error = RawJson(value).get(raw)) return Malformed(error);
    raw = TrimRight(raw);
    std::string canonical;
    Status good = column.type.kind == row::TypeKind::kJson ? row::CheckJson(raw)
                                                           : row::AppendJsonb(raw, canonical);
    if (!good.ok()) return Refuse("HR2201", "malformed JSON", "/" + column.name);
    bool null = raw == "null";
    *slot = null ? row::Value::Null()
                 : row::Value::Text(arena->Copy(canonical.empty() ? raw : canonical));
    return Ok();
  }
  sj::ondemand::json_type type{};
  if (auto error = value.type().get(type)) return Malformed(error);
  switch (type) {
    case sj::ondemand::json_type::string:
      return DecodeString(value, column, slot);
    case sj::ondemand::json_type::number:
      return DecodeNumberMember(value, column, slot);
    case sj::ondemand::json_type::null: {
      bool null = false;
      if (auto error = value.is_null().get(null)) return Malformed(error);
      if (!null) return Malformed(sj::N_ATOM_ERROR);
      *slot = row::Value::Null();
      return Ok();
    }
    case sj::ondemand::json_type::boolean: {
      bool flag = false;
      if (auto error = value.get_bool().get(flag)) return Malformed(error);
      if (column.type.kind != row::TypeKind::kBoolean) break;
      *slot = row::Value::Boolean(flag);
      return Ok();
    }
    default: {
      if (auto error = CheckValue(value, 2)) {
        if (error == sj::DEPTH_ERROR) return Refuse("HR2206", "the event is nested too deep", "");
        return Malformed(error);
      }
      break;
    }
  }
  return Refuse("HR2203", "column " + column.name + " must be " + row::ToString(column.type),
                "/" + column.name);
}

Status JsonDecoder::Plan::DecodeNumberMember(OnDemandValue value, const row::Column& column,
                                             row::Value* slot) {
  std::string_view token = TrimRight(value.raw_json_token());
  // Reading the number consumes it; its digits are read from the text, exactly.
  double consumed = 0;
  auto error = value.get_double().get(consumed);
  bool huge = error == sj::NUMBER_ERROR && token.size() > 15;
  if (error && !huge) return Malformed(error);
  return DecodeNumber(token, column, slot);
}

Status JsonDecoder::Plan::DecodeString(OnDemandValue value, const row::Column& column,
                                       row::Value* slot) {
  std::string_view token = TrimRight(value.raw_json_token());
  if (token.size() < 2 || token.back() != '"') return Malformed(sj::STRING_ERROR);
  std::string_view text = token.substr(1, token.size() - 2);
  if (std::memchr(text.data(), '\\', text.size()) != nullptr) {
    std::string_view unescaped;
    if (auto error = value.get_string().get(unescaped)) return Malformed(error);
    text = arena->Copy(unescaped);
    if (column.type.kind == row::TypeKind::kText &&
        std::memchr(text.data(), '\0', text.size()) != nullptr) {
      return Refuse("HR2203", "column " + column.name + " must not hold a zero byte",
                    "/" + column.name);
    }
  } else if (column.type.kind == row::TypeKind::kText) {
    text = {text.data() + shift, text.size()};
  }
  if (column.type.kind == row::TypeKind::kText) {
    *slot = row::Value::Text(text);
    return Ok();
  }
  return FromText(text, column, slot);
}

Status JsonDecoder::Plan::FromText(std::string_view text, const row::Column& column,
                                   row::Value* slot) const {
  using enum row::TypeKind;
  auto wrong = [&]() -> Status {
    return Refuse("HR2203",
                  "column " + column.name + ": '" + std::string(text.substr(0, 60)) + "' is no " +
                      row::ToString(column.type),
                  "/" + column.name);
  };
  int64_t micros = 0;
  switch (column.type.kind) {
    case kTimestampTz:
      if (!row::ParseRfc3339(text, &micros)) return wrong();
      *slot = row::Value::Integer(micros);
      return Ok();
    case kDecimal:
    case kInteger:
    case kBigint: {
      if (!row::IsJsonNumber(text)) return wrong();
      return DecodeNumber(text, column, slot);
    }
    case kBytea: {
      std::string bytes;
      if (!DecodeBase64(text, &bytes)) return wrong();
      *slot = row::Value::Text(arena->Copy(bytes));
      return Ok();
    }
    case kBoolean:
      if (text != "true" && text != "false") return wrong();
      *slot = row::Value::Boolean(text == "true");
      return Ok();
    default: {
      Result<row::Value> parsed = row::ParseText(text, column.type, *arena);
      if (!parsed.ok()) return wrong();
      *slot = *parsed;
      return Ok();
    }
  }
}

Status JsonDecoder::Plan::DecodeNumber(std::string_view token, const row::Column& column,
                                       row::Value* slot) const {
  using enum row::TypeKind;
  if (!row::IsJsonNumber(token)) return Malformed(sj::NUMBER_ERROR);
  auto out_of_range = [&]() -> Status {
    return Refuse("HR2204",
                  "column " + column.name + ": " + std::string(token.substr(0, 60)) +
                      " is out of range for " + row::ToString(column.type),
                  "/" + column.name);
  };
  row::Value number = row::Value::Null();
  switch (column.type.kind) {
    case kDouble: {
      Result<row::Value> parsed = row::ParseText(token, column.type, *arena);
      if (!parsed.ok()) return out_of_range();
      *slot = *parsed;
      return Ok();
    }
    case kDecimal:
      if (!row::ParseDecimal(token, &number)) return out_of_range();
      if (column.type.precision > 0 &&
          !row::FitDecimal(&number, column.type.precision, column.type.scale)) {
        return out_of_range();
      }
      *slot = number;
      return Ok();
    case kInteger:
    case kBigint:
      if (!row::ParseDecimal(token, &number)) return out_of_range();
      return DecodeInteger(number, column, slot);
    case kTimestampTz: {
      if (options.timestamp_unit == TimestampUnit::kRfc3339) break;
      uint8_t digits = options.timestamp_unit == TimestampUnit::kSeconds        ? 6
                       : options.timestamp_unit == TimestampUnit::kMilliseconds ? 3
                                                                                : 0;
      int64_t micros = 0;
      if (!row::ParseDecimal(token, &number) || !WholeUnits(number, digits, &micros)) {
        return out_of_range();
      }
      *slot = row::Value::Integer(micros);
      return Ok();
    }
    default:
      break;
  }
  return Refuse("HR2203", "column " + column.name + " must be " + row::ToString(column.type),
                "/" + column.name);
}

Status JsonDecoder::Plan::DecodeInteger(const row::Value& number, const row::Column& column,
                                        row::Value* slot) const {
  int64_t units = 0;
  if (!WholeUnits(number, 0, &units) || !row::FitsInteger(units, column.type)) {
    return Refuse("HR2204",
                  "column " + column.name + " is out of range for " + row::ToString(column.type),
                  "/" + column.name);
  }
  *slot = row::Value::Integer(units);
  return Ok();
}

}  // namespace headrace::schema
