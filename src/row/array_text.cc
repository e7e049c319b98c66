#include "row/array_text.h"

namespace headrace::row {
namespace {

bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool SameNull(std::string_view word) {
  return word.size() == 4 && (word[0] | 32) == 'n' && (word[1] | 32) == 'u' &&
         (word[2] | 32) == 'l' && (word[3] | 32) == 'l';
}

bool NeedsQuotes(std::string_view element) {
  if (element.empty() || SameNull(element)) return true;
  for (char c : element) {
    if (c == '{' || c == '}' || c == ',' || c == '"' || c == '\\' || IsSpace(c)) return true;
  }
  return false;
}

Error Malformed(std::string_view text) {
  return Error(ErrorKind::kInvalidArgument, "HR2001",
               "malformed array literal: \"" + std::string(text) + "\"");
}

// One element at `at`; moves behind it. False when malformed.
bool ReadElement(std::string_view text, size_t* at, ArrayElements* elements) {
  std::string element;
  if (text[*at] == '"') {
    for (++*at; *at < text.size() && text[*at] != '"'; ++*at) {
      if (text[*at] == '\\' && ++*at == text.size()) return false;
      element += text[*at];
    }
    if (*at == text.size()) return false;
    ++*at;
    elements->emplace_back(std::move(element));
    return true;
  }
  size_t kept = 0;  // trailing blanks are dropped, escaped ones are not
  bool escaped = false;
  for (; *at < text.size() && text[*at] != ',' && text[*at] != '}'; ++*at) {
    const bool escape = text[*at] == '\\';
    if (text[*at] == '{' || text[*at] == '"') return false;
    if (escape && ++*at == text.size()) return false;
    element += text[*at];
    if (escape || !IsSpace(text[*at])) kept = element.size();
    escaped |= escape;
  }
  element.resize(kept);
  if (element.empty()) return false;
  if (!escaped && SameNull(element)) {
    elements->emplace_back(std::nullopt);
  } else {
    elements->emplace_back(std::move(element));
  }
  return true;
}

}  // namespace

Result<ArrayElements> ParseArray(std::string_view text) {
  ArrayElements elements;
  const auto blank = [&](size_t at) {
    while (at < text.size() && IsSpace(text[at]))
      ++at;
    return at;
  };
  size_t at = blank(0);
  if (at == text.size() || text[at] != '{') return Malformed(text);
  at = blank(at + 1);
  if (at < text.size() && text[at] == '}') {
    if (blank(at + 1) != text.size()) return Malformed(text);
    return elements;
  }
  for (;;) {
    at = blank(at);
    if (at == text.size() || !ReadElement(text, &at, &elements)) return Malformed(text);
    at = blank(at);
    if (at == text.size()) return Malformed(text);
    if (text[at] == '}') break;
    if (text[at] != ',') return Malformed(text);
    ++at;
  }
  if (blank(at + 1) != text.size()) return Malformed(text);
  return elements;
}

void AppendArray(const ArrayElements& elements, std::string& out) {
  out += '{';
  bool first = true;
  for (const auto& element : elements) {
    if (!first) out += ',';
    first = false;
    if (!element) {
      out += "NULL";
    } else if (!NeedsQuotes(*element)) {
      out += *element;
    } else {
      out += '"';
      for (char c : *element) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
      }
      out += '"';
    }
  }
  out += '}';
}

}  // namespace headrace::row
