#include "sql/lexer.h"

#include <algorithm>
#include <utility>

namespace headrace::sql {
namespace {

constexpr std::string_view kOperatorChars = "+-*/<>=~!@#%^&|`?";

bool IsBlank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsNamePart(char c) {
  return IsNameStart(c) || IsDigit(c) || c == '$';
}
bool IsOperatorChar(char c) {
  return c != '\0' && kOperatorChars.find(c) != std::string_view::npos;
}

std::string Fold(std::string_view word) {
  std::string folded(word);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return folded;
}

}  // namespace

void Lexer::Mark() {
  for (; counted_ < position_; ++counted_) {
    const char c = text_[counted_];
    if (c == '\n') {
      ++line_;
      column_ = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++column_;
    }
  }
  mark_ = {file_, line_, column_, position_, position_};
}

SourceSpan Lexer::Span() const {
  SourceSpan span = mark_;
  span.end = position_;
  return span;
}

void Lexer::Add(TokenKind kind, std::string text) {
  if (++tokens_ > kMaxTokens) {
    if (tokens_ == kMaxTokens + 1) {
      Fail("HR1002", "the script has more than " + std::to_string(kMaxTokens) + " words",
           "split it into several scripts; rows in bulk are read with --input or over HTTP");
    }
    position_ = text_.size();
    return;
  }
  out_->tokens.push_back({kind, std::move(text), Span()});
}

void Lexer::Fail(std::string code, std::string message, std::string hint) {
  out_->broken = true;
  if (errors_.size() >= kMaxLexicalErrors) return;
  errors_.push_back({std::move(code), std::move(message), Span(), std::move(hint), {}});
}

bool Lexer::Next(StatementTokens& out) {
  out = {};
  out_ = &out;
  while (true) {
    SkipBlanks();
    Mark();
    if (position_ >= text_.size()) break;
    if (text_[position_] == ';') {
      semicolon_line_ = mark_.line;
      ++position_;
      if (out.tokens.empty() && !out.broken) continue;
      break;
    }
    ReadToken();
  }
  const bool any = !out.tokens.empty() || out.broken;
  out.tokens.push_back({TokenKind::kEnd, "", mark_});
  return any;
}

void Lexer::SkipBlanks() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (IsBlank(c)) {
      ++position_;
    } else if (c == '-' && At(position_ + 1) == '-') {
      LineComment();
    } else if (c == '/' && At(position_ + 1) == '*') {
      BlockComment();
    } else {
      return;
    }
  }
}

void Lexer::LineComment() {
  Mark();
  const size_t begin = position_;
  position_ = std::min(text_.find('\n', position_), text_.size());
  KeepComment(begin);
}

void Lexer::BlockComment() {
  Mark();
  const size_t begin = position_;
  size_t depth = 0;
  while (position_ < text_.size()) {
    if (text_[position_] == '/' && At(position_ + 1) == '*') {
      ++depth;
      position_ += 2;
    } else if (text_[position_] == '*' && At(position_ + 1) == '/') {
      --depth;
      position_ += 2;
      if (depth == 0) return KeepComment(begin);
    } else {
      ++position_;
    }
  }
  position_ = begin + 2;
  Fail("HR1007", "the comment is not closed",
       "close it with `*/`; comments nest, so each `/*` needs its own");
  position_ = text_.size();
}

void Lexer::KeepComment(size_t begin) {
  if (!out_->tokens.empty() || out_->broken) {
    out_->inner_comments = true;
    return;
  }
  std::string_view comment = text_.substr(begin, position_ - begin);
  while (!comment.empty() && IsBlank(comment.back()))
    comment.remove_suffix(1);
  const bool beside = mark_.line == semicolon_line_ && out_->comments.empty();
  (beside ? out_->same_line : out_->comments).emplace_back(comment);
}

void Lexer::ReadToken() {
  const char c = text_[position_];
  const char next = At(position_ + 1);
  const char lower = static_cast<char>(c | 0x20);
  if (next == '\'' && (lower == 'e' || lower == 'b' || lower == 'x' || lower == 'n')) {
    ++position_;
    if (lower == 'b' || lower == 'x') return ReadBits(lower);
    return ReadString(lower == 'e');
  }
  if (lower == 'u' && next == '&' && (At(position_ + 2) == '\'' || At(position_ + 2) == '"')) {
    return ReadUnicode();
  }
  if (c == '\'') return ReadString(false);
  if (c == '"') return ReadQuotedName();
  if (IsNameStart(c)) return ReadWord();
  if (IsDigit(c) || (c == '.' && IsDigit(next))) return ReadNumber();
  if (c == '$') return ReadDollar();
  if (c == '`') {
    const size_t close = text_.find_first_of("`\n", position_ + 1);
    position_ = close < text_.size() && text_[close] == '`' ? close + 1 : position_ + 1;
    return Fail("HR1009", "names are not quoted with backticks",
                "write a name that needs quotes as \"name\"");
  }
  if (c == '=' && next == '>') return ReadSymbol();
  if (IsOperatorChar(c)) return ReadOperator();
  if (std::string_view("()[],.:").find(c) != std::string_view::npos) return ReadSymbol();
  ReadInvalid();
}

void Lexer::ReadWord() {
  while (IsNamePart(At(position_)))
    ++position_;
  const std::string_view word = text_.substr(mark_.begin, position_ - mark_.begin);
  if (word.size() > kMaxNameBytes || !IsUtf8(word)) return AddName(std::string(word));
  Add(TokenKind::kWord, Fold(word));
}

void Lexer::ReadNumber() {
  while (IsDigit(At(position_)))
    ++position_;
  if (At(position_) == '.' && At(position_ + 1) != '.') {
    ++position_;
    while (IsDigit(At(position_)))
      ++position_;
  }
  if ((At(position_) | 0x20) == 'e') {
    const char sign = At(position_ + 1);
    const size_t digits = position_ + (sign == '+' || sign == '-' ? 2 : 1);
    if (IsDigit(At(digits))) {
      position_ = digits;
      while (IsDigit(At(position_)))
        ++position_;
    }
  }
  if (IsNamePart(At(position_))) {
    while (IsNamePart(At(position_)))
      ++position_;
    return Fail("HR1008", "letters follow the number",
                "put a space between a number and a word; a name that begins with a digit needs "
                "double quotes");
  }
  Add(TokenKind::kNumber, std::string(text_.substr(mark_.begin, position_ - mark_.begin)));
}

// $tag$ ... $tag$.
void Lexer::ReadDollar() {
  size_t end = position_ + 1;
  if (IsNameStart(At(end))) {
    while (IsNamePart(At(end)) && At(end) != '$')
      ++end;
  }
  if (At(end) != '$') {
    ++position_;
    while (IsDigit(At(position_)))
      ++position_;
    return Fail("HR1009", "a `$` begins neither a name nor a value",
                "parameters such as $1 have no value in a script: write the value itself");
  }
  const std::string_view tag = text_.substr(position_, end + 1 - position_);
  const size_t close = text_.find(tag, end + 1);
  if (close == std::string_view::npos) {
    position_ = end + 1;
    Fail("HR1007", "the text is not closed", "close it with `" + std::string(tag) + "`");
    position_ = text_.size();
    return;
  }
  position_ = close + tag.size();
  AddString(std::string(text_.substr(end + 1, close - end - 1)));
}

void Lexer::ReadOperator() {
  size_t end = position_;
  while (IsOperatorChar(At(end)) && At(end) != '`') {
    const bool comment =
        (At(end) == '-' && At(end + 1) == '-') || (At(end) == '/' && At(end + 1) == '*');
    if (comment) break;
    ++end;
  }
  // `a=-1` is `=` and `-`: an operator ends in + or - only when it holds one of these.
  std::string_view run = text_.substr(position_, end - position_);
  if (run.find_first_of("~!@#%^&|?") == std::string_view::npos) {
    while (run.size() > 1 && (run.back() == '+' || run.back() == '-'))
      run.remove_suffix(1);
  }
  position_ += run.size();
  Add(TokenKind::kOperator, run == "!=" ? "<>" : std::string(run));
}

void Lexer::ReadSymbol() {
  const char c = text_[position_];
  const bool pair = (c == ':' && At(position_ + 1) == ':') || c == '=';
  position_ += pair ? 2 : 1;
  Add(TokenKind::kSymbol, std::string(text_.substr(mark_.begin, position_ - mark_.begin)));
}

void Lexer::ReadInvalid() {
  const auto byte = static_cast<unsigned char>(text_[position_]);
  ++position_;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string shown = "`" + std::string(1, static_cast<char>(byte)) + "`";
  if (byte < 0x20 || byte == 0x7F) {
    shown = std::string("byte 0x") + kHex[byte >> 4] + kHex[byte & 15];
  }
  Fail("HR1009", shown + " has no meaning in SQL", "remove it");
}

}  // namespace headrace::sql
