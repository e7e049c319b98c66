#include "sql/diagnostics.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "sql/lexer.h"

namespace headrace::sql {
namespace {

constexpr size_t kLineWidth = 120;  // code points shown of a source line

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

size_t CountCodePoints(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return !IsContinuation(c); }));
}

// Byte offset of the code point number `count`, or the end.
size_t OffsetOf(std::string_view text, size_t count) {
  size_t i = 0;
  while (i < text.size()) {
    if (!IsContinuation(text[i]) && count-- == 0) break;
    ++i;
  }
  return i;
}

// One column each: a tab or a control character must not move the caret or drive the terminal.
std::string Printable(std::string_view text) {
  std::string shown(text);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return shown;
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string Place(const Diagnostic& diagnostic, const SourceMap& sources) {
  const SourceSpan& span = diagnostic.span;
  const std::string_view name = sources.name(span.file);
  std::string place = name.empty() ? "" : std::string(name) + ":";
  return place + std::to_string(span.line) + ":" + std::to_string(span.column);
}

// The source line with the caret line under it; empty when the text is not there.
std::string Excerpt(const SourceSpan& span, const SourceMap& sources) {
  const std::string_view text = sources.text(span.file);
  if (text.empty() || span.begin > text.size()) return "";
  const size_t before = span.begin == 0 ? std::string_view::npos : text.rfind('\n', span.begin - 1);
  const size_t line_begin = before == std::string_view::npos ? 0 : before + 1;
  const size_t line_end = std::min(text.find('\n', span.begin), text.size());
  std::string_view line = text.substr(line_begin, line_end - line_begin);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  // Bytes that are no text must not reach a terminal; each then is a column.
  std::string replaced;
  if (!IsUtf8(line)) {
    replaced = line;
    std::ranges::replace_if(
        replaced, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    line = replaced;
  }

  const size_t begin = std::min(span.begin - line_begin, line.size());
  const size_t last = std::max(span.end, span.begin) - line_begin;
  const size_t end = std::max(begin, std::min(last, line.size()));
  size_t caret = CountCodePoints(line.substr(0, begin));
  const size_t width = std::max<size_t>(CountCodePoints(line.substr(begin, end - begin)), 1);

  std::string shown;
  if (CountCodePoints(line) > kLineWidth) {
    const size_t skip = caret > kLineWidth / 2 ? caret - kLineWidth / 2 : 0;
    line.remove_prefix(OffsetOf(line, skip));
    const size_t cut = OffsetOf(line, kLineWidth);
    shown =
        (skip > 0 ? "..." : "") + Printable(line.substr(0, cut)) + (cut < line.size() ? "..." : "");
    caret = caret - skip + (skip > 0 ? 3 : 0);
  } else {
    shown = Printable(line);
  }
  const size_t room = std::max<size_t>(CountCodePoints(shown), caret + 1) - caret;
  const std::string number = std::to_string(span.line);
  return "  " + number + " | " + shown + "\n" + std::string(number.size() + 2, ' ') + " | " +
         std::string(caret, ' ') + "^" + std::string(std::min(width, room) - 1, '~') + "\n";
}

}  // namespace

int SourceMap::Add(std::string name, std::string text) {
  files_.push_back({std::move(name), std::move(text)});
  return static_cast<int>(files_.size()) - 1;
}

std::string_view SourceMap::name(int file) const {
  const auto index = static_cast<size_t>(file);
  return file >= 0 && index < files_.size() ? std::string_view(files_[index].name) : "";
}

std::string_view SourceMap::text(int file) const {
  const auto index = static_cast<size_t>(file);
  return file >= 0 && index < files_.size() ? std::string_view(files_[index].text) : "";
}

std::string FullHint(const Diagnostic& diagnostic) {
  std::string hint;
  for (size_t i = 0; i < diagnostic.candidates.size(); ++i) {
    const bool last = i + 1 == diagnostic.candidates.size();
    hint += i == 0 ? "did you mean " : last ? " or " : ", ";
    hint += "`" + diagnostic.candidates[i] + "`";
  }
  if (!hint.empty()) hint += "?";
  if (!hint.empty() && !diagnostic.hint.empty()) hint += " ";
  return hint + diagnostic.hint;
}

std::string Render(const Diagnostic& diagnostic, const SourceMap& sources, Severity severity) {
  std::string text = Place(diagnostic, sources) +
                     (severity == Severity::kError ? ": error " : ": warning ") + diagnostic.code +
                     ": " + Printable(diagnostic.message) + "\n" +
                     Excerpt(diagnostic.span, sources);
  const std::string hint = FullHint(diagnostic);
  if (!hint.empty()) text += "  hint: " + Printable(hint) + "\n";
  return text;
}

std::string Render(const std::vector<Diagnostic>& diagnostics, const SourceMap& sources) {
  std::vector<size_t> order(diagnostics.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) {
    const SourceSpan& span = diagnostics[i].span;
    return std::make_tuple(span.file, span.begin, span.line, span.column, i);
  });
  std::string text;
  for (const size_t i : order) {
    if (!text.empty()) text += "\n";
    text += Render(diagnostics[i], sources);
  }
  return text;
}

Error ToError(const Diagnostic& diagnostic, const SourceMap& sources) {
  return Error(ErrorKind::kInvalidArgument, diagnostic.code, diagnostic.message)
      .AtPlace(Place(diagnostic, sources))
      .WithHint(FullHint(diagnostic));
}

int EditDistance(std::string_view a, std::string_view b, int limit) {
  const int n = static_cast<int>(a.size());
  const int m = static_cast<int>(b.size());
  if (n - m > limit || m - n > limit) return limit + 1;
  std::vector<int> earlier(b.size() + 1);
  std::vector<int> above(b.size() + 1);
  std::vector<int> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    above[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    int best = row[0];
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool equal = Lower(a[i - 1]) == Lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (equal ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) &&
                           Lower(a[i - 2]) == Lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], earlier[j - 2] + 1);
      best = std::min(best, row[j]);
    }
    if (best > limit) return limit + 1;
    std::swap(earlier, above);
    std::swap(above, row);
  }
  return std::min(above[b.size()], limit + 1);
}

}  // namespace headrace::sql
