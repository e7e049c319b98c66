#include "cli/listing.h"

#include <algorithm>

#include "row/text.h"

namespace headrace::cli {
namespace {

// Columns that a terminal shows for a UTF-8 text, wide characters counted as one.
size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string OneLine(std::string_view text) {
  std::string line;
  for (char c : text)
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  return line;
}

void AppendField(std::string_view text, size_t width, bool right, std::string& out) {
  const size_t used = WidthOf(text);
  const size_t fill = used < width ? width - used : 0;
  if (right) out.append(fill, ' ');
  out += text;
  if (!right) out.append(fill, ' ');
}

void EndLine(std::string& out) {
  while (out.ends_with(' '))
    out.pop_back();
  out += '\n';
}

}  // namespace

void Listing::Print(const Arguments& arguments, Console& console) const {
  if (arguments.Has("--json")) {
    console.Out(Json());
  } else if (arguments.Has("--jsonl")) {
    console.Out(JsonLines());
  } else {
    console.Out(Table());
  }
}

std::string Listing::Csv() const {
  std::string out;
  const auto append = [&](std::string_view text, bool first) {
    if (!first) out.push_back(',');
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
      out += text;
      return;
    }
    out.push_back('"');
    for (char c : text)
      out += c == '"' ? "\"\"" : std::string(1, c);
    out.push_back('"');
  };
  for (size_t i = 0; i < columns_.size(); ++i)
    append(columns_[i], i == 0);
  out.push_back('\n');
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i)
      append(row[i].text, i == 0);
    out.push_back('\n');
  }
  return out;
}

std::string Listing::Table() const {
  std::vector<size_t> widths;
  for (const std::string& column : columns_)
    widths.push_back(WidthOf(column));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], WidthOf(row[i].text));
  }
  std::string out;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out += "  ";
    const bool right = !rows_.empty() && rows_[0][i].kind == Cell::Kind::kNumber;
    AppendField(columns_[i], widths[i], right, out);
  }
  EndLine(out);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += "  ";
      AppendField(OneLine(row[i].text), widths[i], row[i].kind == Cell::Kind::kNumber, out);
    }
    EndLine(out);
  }
  return out;
}

void Listing::AppendObject(const std::vector<Cell>& row, std::string& out) const {
  out += '{';
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += ',';
    row::AppendJsonString(columns_[i], out);
    out += ':';
    if (row[i].kind == Cell::Kind::kText) {
      row::AppendJsonString(row[i].text, out);
    } else {
      out += row[i].kind == Cell::Kind::kNull ? "null" : row[i].text;
    }
  }
  out += '}';
}

std::string Listing::Json() const {
  std::string out = "[";
  for (size_t i = 0; i < rows_.size(); ++i) {
    out += i > 0 ? ",\n " : "";
    AppendObject(rows_[i], out);
  }
  return out + "]\n";
}

std::string Listing::JsonLines() const {
  std::string out;
  for (const auto& row : rows_) {
    AppendObject(row, out);
    out += '\n';
  }
  return out;
}

std::vector<Flag> ListingFlags(std::vector<Flag> others) {
  others.push_back({"--json", "", "one JSON document"});
  others.push_back({"--jsonl", "", "a JSON object a line"});
  return others;
}

}  // namespace headrace::cli
