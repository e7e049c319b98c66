#include "sql/parser_cursor.h"

#include <algorithm>

#include "sql/parser.h"

namespace headrace::sql {
namespace {

constexpr size_t kShownText = 30;

std::string Shorten(const std::string& text) {
  if (text.size() <= kShownText) return text;
  size_t end = kShownText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  return text.substr(0, end) + "...";
}

// Words of two letters are one slip from too many names: only their exchange counts. Up to four
// letters may differ by one, longer words by two.
bool IsTypo(std::string_view written, std::string_view keyword, int& distance) {
  constexpr size_t kShort = 3;
  constexpr size_t kMedium = 4;
  const int limit = keyword.size() <= kMedium ? 1 : 2;
  distance = EditDistance(written, keyword, limit);
  if (distance == 0 || distance > limit) return false;
  if (keyword.size() <= kShort && written.size() != keyword.size()) return false;
  if (keyword.size() == 2) return written[0] == keyword[1] && written[1] == keyword[0];
  return distance < static_cast<int>(written.size());
}

}  // namespace

std::string ToUpper(std::string_view word) {
  std::string upper(word);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

std::string Cursor::Describe(const Token& token) const {
  if (token.kind == TokenKind::kEnd) return "the end of the statement";
  if (token.kind == TokenKind::kString) return "the text '" + Shorten(token.text) + "'";
  if (token.kind == TokenKind::kBitString) return "a bit string";
  const std::string written =
      Shorten(std::string(text_.substr(token.span.begin, token.span.end - token.span.begin)));
  if (token.kind == TokenKind::kNumber) return "the number " + written;
  return token.kind == TokenKind::kQuotedName ? written : "`" + written + "`";
}

const Token& Cursor::Take() {
  const Token& token = Peek();
  if (position_ + 1 < tokens_.size()) ++position_;
  return token;
}

void Cursor::Note(std::string_view word, size_t position) {
  // Only what lies just before a failure is ever asked for.
  constexpr size_t kKept = 4096;
  if (noted_.size() >= 2 * kKept) noted_.erase(noted_.begin(), noted_.begin() + kKept);
  noted_.emplace_back(position, word);
}

bool Cursor::AtWord(std::string_view word, size_t ahead) {
  const Token& token = Peek(ahead);
  if (token.kind == TokenKind::kWord && token.text == word) {
    if (tracing_) keywords_.push_back(position_ + ahead);
    return true;
  }
  if (tracing_) Note(word, position_ + ahead);
  return false;
}

bool Cursor::AtWords(std::string_view first, std::string_view second) {
  return AtWord(first) && AtWord(second, 1);
}

bool Cursor::AcceptWord(std::string_view word) {
  if (!AtWord(word)) return false;
  Take();
  return true;
}

bool Cursor::AcceptWords(std::string_view first, std::string_view second) {
  if (!AtWords(first, second)) return false;
  Take();
  Take();
  return true;
}

bool Cursor::ExpectWord(std::string_view word) {
  return AcceptWord(word) || Fail("`" + ToUpper(word) + "`");
}

bool Cursor::AtSymbol(std::string_view symbol, size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kSymbol && token.text == symbol;
}

bool Cursor::AcceptSymbol(std::string_view symbol) {
  if (!AtSymbol(symbol)) return false;
  Take();
  return true;
}

bool Cursor::ExpectSymbol(std::string_view symbol) {
  return AcceptSymbol(symbol) || Fail("`" + std::string(symbol) + "`");
}

bool Cursor::ExpectClose(const SourceSpan& open) {
  if (AcceptSymbol(")")) return true;
  Fail("`)`");
  if (failure_.hint.empty() && failure_.code == "HR1001") {
    failure_.hint = "it closes the `(` at line " + std::to_string(open.line) + ", column " +
                    std::to_string(open.column);
  }
  return false;
}

bool Cursor::AtOperator(std::string_view op, size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kOperator && token.text == op;
}

bool Cursor::AtName(size_t ahead) const {
  const Token& token = Peek(ahead);
  if (token.kind == TokenKind::kQuotedName) return true;
  return token.kind == TokenKind::kWord && !IsReserved(token.text) && !IsFunctionOnly(token.text);
}

bool Cursor::ExpectName(std::string_view what, Identifier& out) {
  if (AtName()) {
    const Token& token = Take();
    out = {token.text, token.span};
    return true;
  }
  const Token& token = Peek();
  Fail(what);
  if (token.kind == TokenKind::kWord && failure_.code == "HR1001" && failure_.hint.empty()) {
    failure_.hint = ToUpper(token.text) + " is a word of SQL; as a name it needs quotes: \"" +
                    token.text + "\"";
  }
  return false;
}

bool Cursor::ExpectNumber(std::string_view what, int low, int high, int& out) {
  const Token& token = Peek();
  if (token.kind != TokenKind::kNumber) return Fail(what);
  constexpr size_t kMaxDigits = 9;
  const bool whole = token.text.find_first_not_of("0123456789") == std::string::npos;
  const int value = whole && token.text.size() <= kMaxDigits ? std::stoi(token.text) : -1;
  if (value < low || value > high) {
    return FailAt(token.span, "HR1013",
                  std::string(what) + " is a whole number from " + std::to_string(low) + " to " +
                      std::to_string(high) + ", not " + Shorten(token.text),
                  "");
  }
  out = value;
  Take();
  return true;
}

bool Cursor::ExpectNameList(std::string_view what, std::vector<Identifier>& out) {
  const SourceSpan open = Peek().span;
  if (!ExpectSymbol("(")) return false;
  do {
    Identifier name;
    if (!ExpectName(what, name)) return false;
    out.push_back(std::move(name));
  } while (AcceptSymbol(","));
  return ExpectClose(open);
}

SourceSpan Cursor::SpanFrom(const SourceSpan& begin) const {
  return position_ == 0 ? begin : Join(begin, tokens_[position_ - 1].span);
}

bool Cursor::Fail(std::string_view what) {
  if (failed_) return false;
  failed_ = true;
  failure_position_ = position_;
  if (!tracing_ || FindMisspelling(failure_)) return false;
  const Token& token = Peek();
  failure_ = {
      "HR1001", "expected " + std::string(what) + ", found " + Describe(token), token.span, "", {}};
  return false;
}

bool Cursor::FailAt(const SourceSpan& span, std::string code, std::string message,
                    std::string hint) {
  if (failed_) return false;
  failed_ = true;
  failure_position_ = position_;
  failure_ = {std::move(code), std::move(message), span, std::move(hint), {}};
  return false;
}

bool Cursor::Refuse(const SourceSpan& span, std::string what, std::string hint) {
  return FailAt(span, "HR1011", std::move(what), std::move(hint));
}

bool Cursor::CheckCount(size_t count, std::string_view what) {
  if (count < kMaxListed) return true;
  return FailAt(Peek().span, "HR1002",
                "more than " + std::to_string(kMaxListed) + " " + std::string(what), "");
}

bool Cursor::FailTwice(const SourceSpan& span, std::string_view clause) {
  return FailAt(span, "HR1012", std::string(clause) + " stands twice in one statement",
                "keep one of them");
}

bool Cursor::Enter() {
  if (++depth_ <= kMaxDepth) return true;
  return FailAt(Peek().span, "HR1003",
                "the expression is nested more than " + std::to_string(kMaxDepth) + " levels deep",
                "name a part of it as a column of its own and use that name");
}

std::string_view Cursor::Closest(size_t index, int& distance) const {
  const Token& token = tokens_[index];
  const bool plain = token.kind == TokenKind::kWord && !IsReserved(token.text) &&
                     std::ranges::find(keywords_, index) == keywords_.end();
  std::string_view best;
  for (const auto& [at, word] : noted_) {
    int d = 0;
    if (!plain || at != index || !IsTypo(token.text, word, d)) continue;
    if (best.empty() || d < distance || (d == distance && word.size() > best.size())) {
      distance = d;
      best = word;
    }
  }
  return best;
}

// A misspelled keyword is usually taken for a name or an alias first, and the parser stumbles over
// what follows: so the failing token counts, and the two words before it.
bool Cursor::FindMisspelling(Diagnostic& out) {
  constexpr size_t kReach = 2;
  std::string_view best;
  int best_distance = 0;
  for (size_t back = 0; back <= std::min(kReach, position_); ++back) {
    int distance = 0;
    const std::string_view word = Closest(position_ - back, distance);
    if (word.empty() || (!best.empty() && distance > best_distance)) continue;
    best = word;
    best_distance = distance;
    failure_position_ = position_ - back;
  }
  if (best.empty()) return false;
  const Token& token = tokens_[failure_position_];
  const std::string keyword = ToUpper(best);
  out = {
      "HR1004", "expected `" + keyword + "`, found " + Describe(token), token.span, "", {keyword}};
  return true;
}

}  // namespace headrace::sql
