#include <algorithm>
#include <string>

#include "row/json_text.h"
#include "row/text.h"
#include "schema/codec.h"

namespace headrace::schema {

JsonEncoder::JsonEncoder(const row::Schema& schema) {
  for (const row::Column& column : schema.columns) {
    std::string prefix = prefixes_.empty() ? "{" : ",";
    row::AppendJsonString(column.name, prefix);
    prefixes_.push_back(prefix + ":");
    types_.push_back(column.type);
  }
}

void JsonEncoder::Append(const row::Value* values, std::string& out) const {
  if (prefixes_.empty()) out += '{';
  for (size_t i = 0; i < prefixes_.size(); ++i) {
    out += prefixes_[i];
    if (types_[i].kind == row::TypeKind::kText && !values[i].null) {
      row::AppendJsonString(values[i].text(), out);
    } else {
      row::AppendJson(values[i], types_[i], out);
    }
  }
  out += '}';
}

namespace {

void AppendCsvField(std::string_view text, std::string& out) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos && !text.empty()) {
    out += text;
    return;
  }
  out += '"';
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

// Fields of one CSV record. A quote opens a quoted field only at its start.
struct CsvField {
  std::string text;
  bool quoted = false;
};

std::vector<CsvField> SplitCsv(std::string_view record) {
  std::vector<CsvField> fields;
  if (record.ends_with('\r')) record.remove_suffix(1);
  size_t i = 0;
  while (true) {
    CsvField field;
    if (i < record.size() && record[i] == '"') {
      field.quoted = true;
      for (++i; i < record.size(); ++i) {
        if (record[i] != '"') {
          field.text += record[i];
        } else if (i + 1 < record.size() && record[i + 1] == '"') {
          field.text += record[i++];
        } else {
          ++i;
          break;
        }
      }
    }
    size_t comma = std::min(record.find(',', i), record.size());
    field.text += record.substr(i, comma - i);
    fields.push_back(std::move(field));
    if (comma >= record.size()) return fields;
    i = comma + 1;
  }
}

bool LooksLikeNumber(std::string_view text) {
  if (text.empty()) return false;
  size_t i = text[0] == '-' ? 1 : 0;
  if (i >= text.size() || text[i] < '0' || text[i] > '9') return false;
  if (text[i] == '0' && i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9')
    return false;
  return text.find_first_not_of("0123456789+-.eE", i) == std::string_view::npos &&
         text.back() >= '0' && text.back() <= '9';
}

bool IsBare(row::TypeKind kind) {
  using enum row::TypeKind;
  return kind == kInteger || kind == kBigint || kind == kDecimal || kind == kDouble ||
         kind == kBoolean || kind == kTimestampTz;
}

}  // namespace

std::string CsvHeader(const row::Schema& schema) {
  std::string out;
  for (const row::Column& column : schema.columns) {
    if (!out.empty()) out += ',';
    AppendCsvField(column.name, out);
  }
  return out;
}

void AppendCsvRow(const row::Schema& schema, const row::Value* values, std::string& out) {
  std::string text;
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    if (i > 0) out += ',';
    if (values[i].null) continue;
    text.clear();
    switch (schema.columns[i].type.kind) {
      // As they are read: PostgreSQL's t, \x6162 and blank between date and time are not.
      case row::TypeKind::kBoolean:
      case row::TypeKind::kBytea:
      case row::TypeKind::kTimestampTz:
        row::AppendJson(values[i], schema.columns[i].type, text);
        std::erase(text, '"');
        break;
      default:
        row::AppendText(values[i], schema.columns[i].type, text);
    }
    AppendCsvField(text, out);
  }
}

Result<CsvToJson> CsvToJson::FromHeader(std::string_view header, const row::Schema& schema) {
  if (header.starts_with("\xef\xbb\xbf")) header.remove_prefix(3);
  CsvToJson converter;
  std::string listed;
  for (const CsvField& field : SplitCsv(header)) {
    listed += (listed.empty() ? "" : ", ") + field.text;
    int column = schema.Find(field.text);
    converter.field_of_.push_back(column < 0 ? -1 : static_cast<int>(converter.fields_.size()));
    if (column < 0) continue;
    Field made;
    row::AppendJsonString(field.text, made.prefix);
    made.prefix += ':';
    row::TypeKind kind = schema.columns[static_cast<size_t>(column)].type.kind;
    made.bare = IsBare(kind);
    made.json = kind == row::TypeKind::kJson || kind == row::TypeKind::kJsonb;
    converter.fields_.push_back(std::move(made));
  }
  if (!converter.fields_.empty()) return converter;
  std::string columns;
  for (const row::Column& column : schema.columns) {
    columns += (columns.empty() ? "" : ", ") + column.name;
  }
  return Error(ErrorKind::kInvalidArgument, "HR2210",
               "no column of the stream is in the CSV header")
      .WithHint("the header has " + listed.substr(0, 300) + "; the stream has " + columns);
}

void CsvToJson::Append(std::string_view record, std::string& out) const {
  if (record.ends_with('\r')) record.remove_suffix(1);
  const bool quotes = record.find('"') != std::string_view::npos;
  if (quotes && std::count(record.begin(), record.end(), '"') % 2 != 0) {
    // An open quote: nobody knows where the fields end. The text itself is the payload; it is no
    // JSON, and so goes to the dead letters as it stood.
    out += record.substr(0, kPayloadBytesMax + 1);
    return;
  }
  char separator = '{';
  auto add = [&](size_t index, std::string_view text, bool quoted) {
    if (index >= field_of_.size() || field_of_[index] < 0) return;
    const Field& field = fields_[static_cast<size_t>(field_of_[index])];
    out += separator;
    separator = ',';
    out += field.prefix;
    if (text.empty() && !quoted) {
      out += "null";
    } else if ((field.bare && (LooksLikeNumber(text) || text == "true" || text == "false")) ||
               (field.json && row::CheckJson(text).ok())) {
      out += text;
    } else {
      row::AppendJsonString(text, out);
    }
  };
  if (!quotes) {
    size_t index = 0;
    for (size_t begin = 0;; ++index) {
      size_t comma = std::min(record.find(',', begin), record.size());
      add(index, record.substr(begin, comma - begin), false);
      if (comma >= record.size()) break;
      begin = comma + 1;
    }
  } else {
    size_t index = 0;
    for (const CsvField& field : SplitCsv(record))
      add(index++, field.text, field.quoted);
  }
  if (separator == '{') out += '{';
  out += '}';
}

}  // namespace headrace::schema
