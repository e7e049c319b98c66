#include "expr/regex.h"

#include <re2/re2.h>

#include "expr/utf8.h"

namespace headrace::expr {
namespace {

constexpr int64_t kMaxMemory = 4 << 20;  // of one compiled pattern
constexpr size_t kMaxPattern = 10'000;

Error Invalid(std::string_view why) {
  return Error(ErrorKind::kInvalidArgument, "HR2104",
               "invalid regular expression: " + std::string(why));
}

bool IsNonGreedy(std::string_view pattern) {
  bool escaped = false;
  for (size_t i = 0; i + 1 < pattern.size(); ++i) {
    const char c = pattern[i];
    if (!escaped && pattern[i + 1] == '?' && (c == '*' || c == '+' || c == '?' || c == '}')) {
      return true;
    }
    escaped = !escaped && c == '\\';
  }
  return false;
}

// PostgreSQL's escapes to RE2's. Inside brackets the classes stand without brackets of their own.
std::string_view TranslateEscape(char c, bool bracket) {
  switch (c) {
    case 'd':
      return bracket ? "\\p{Nd}" : "\\p{Nd}";
    case 'D':
      return "\\P{Nd}";
    case 'w':
      return bracket ? "\\p{L}\\p{M}\\p{N}_" : "[\\p{L}\\p{M}\\p{N}_]";
    case 'W':
      return bracket ? "" : "[^\\p{L}\\p{M}\\p{N}_]";
    case 's':
      return bracket ? "\\s\\v" : "[\\s\\v]";
    case 'S':
      return bracket ? "\\S" : "[^\\s\\v]";
    case 'm':
    case 'M':
    case 'y':
      return bracket ? "" : "\\b";
    case 'Y':
      return bracket ? "" : "\\B";
    case 'Z':
      return bracket ? "" : "\\z";
    case 'A':
      return bracket ? "" : "\\A";
    case 'e':
      return "\\x1b";
    case 'B':
      return "\\\\";
    case 'b':
      return "\\x08";
    default:
      return "";
  }
}

// A class inside brackets: PostgreSQL's know all of Unicode.
std::string_view TranslateClass(std::string_view name) {
  struct Entry {
    std::string_view name;
    std::string_view meaning;
  };
  static constexpr Entry kClasses[] = {
      {"[:alpha:]", "\\p{L}\\p{M}"},      {"[:alnum:]", "\\p{L}\\p{M}\\p{N}"},
      {"[:digit:]", "\\p{Nd}"},           {"[:upper:]", "\\p{Lu}"},
      {"[:lower:]", "\\p{Ll}"},           {"[:space:]", "\\s\\v"},
      {"[:word:]", "\\p{L}\\p{M}\\p{N}_"}};
  for (const Entry& entry : kClasses) {
    if (entry.name == name) return entry.meaning;
  }
  return name;
}

// Rewrites an ARE. Confined to one call.
class Translator {
 public:
  Translator(std::string_view pattern, const RegexFlags& flags)
      : pattern_(pattern), flags_(flags) {}

  Result<std::string> Run() {
    if (pattern_.substr(0, 4) == "***:") pattern_.remove_prefix(4);
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\') {
        HR_TRY(Escape(false));
      } else if (c == '[') {
        HR_TRY(Bracket());
      } else if (c == '(' && pattern_.substr(at_, 2) == "(?") {
        HR_TRY(Group());
      } else if (flags_.expanded && SkipExpanded()) {
        continue;
      } else if (c == '.' && flags_.newline) {
        out_ += "[^\\n]";
        ++at_;
      } else {
        out_ += c;
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  bool SkipExpanded() {
    const char c = pattern_[at_];
    if (c == '#') {
      while (at_ < pattern_.size() && pattern_[at_] != '\n')
        ++at_;
      return true;
    }
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return false;
    ++at_;
    return true;
  }

  Status Group() {
    const char kind = at_ + 2 < pattern_.size() ? pattern_[at_ + 2] : '\0';
    if (kind == ':') {
      out_ += "(?:";
      at_ += 3;
      return Ok();
    }
    if (kind == '#') {
      const size_t end = pattern_.find(')', at_);
      if (end == std::string_view::npos) return Invalid("parentheses () not balanced");
      at_ = end + 1;
      return Ok();
    }
    if (kind == '=' || kind == '!' || kind == '<') {
      return Invalid("lookahead and lookbehind are not supported");
    }
    return Invalid("quantifier operand invalid");
  }

  Status Escape(bool bracket) {
    if (at_ + 1 >= pattern_.size()) return Invalid("invalid escape \\ sequence");
    const char c = pattern_[at_ + 1];
    if (!bracket && c >= '1' && c <= '9') return Invalid("back references are not supported");
    if (c == 'u' || c == 'U') return CodePoint(c == 'u' ? 4 : 8);
    const std::string_view translated = TranslateEscape(c, bracket);
    if (!translated.empty()) {
      out_ += translated;
      at_ += 2;
      return Ok();
    }
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (word && std::string_view("afnrtvx0").find(c) == std::string_view::npos) {
      return Invalid("invalid escape \\ sequence");
    }
    // A character beyond ASCII needs no escape, and RE2 takes none.
    if (static_cast<unsigned char>(c) < 0x80) out_ += '\\';
    out_ += c;
    at_ += 2;
    return Ok();
  }

  Status CodePoint(size_t digits) {
    const std::string_view hex = pattern_.substr(at_ + 2, digits);
    if (hex.size() < digits || hex.find_first_not_of("0123456789abcdefABCDEF") != hex.npos) {
      return Invalid("invalid escape \\ sequence");
    }
    out_ += "\\x{" + std::string(hex) + "}";
    at_ += 2 + digits;
    return Ok();
  }

  Status Bracket() {
    // Word boundaries spelled as brackets.
    const std::string_view here = pattern_.substr(at_, 7);
    if (here == "[[:<:]]" || here == "[[:>:]]") {
      out_ += "\\b";
      at_ += 7;
      return Ok();
    }
    out_ += pattern_[at_++];
    if (at_ < pattern_.size() && pattern_[at_] == '^') {
      out_ += pattern_[at_++];
      if (flags_.newline) out_ += "\\n";
    }
    if (at_ < pattern_.size() && pattern_[at_] == ']') {
      out_ += "\\]";
      ++at_;
    }
    while (at_ < pattern_.size() && pattern_[at_] != ']') {
      if (pattern_[at_] == '\\') {
        HR_TRY(Escape(true));
      } else if (pattern_.substr(at_, 2) == "[:") {
        const size_t end = pattern_.find(":]", at_);
        if (end == std::string_view::npos) return Invalid("brackets [] not balanced");
        out_ += TranslateClass(pattern_.substr(at_, end + 2 - at_));
        at_ = end + 2;
      } else if (pattern_[at_] == '[') {
        out_ += "\\[";
        ++at_;
      } else {
        out_ += pattern_[at_++];
      }
    }
    if (at_ == pattern_.size()) return Invalid("brackets [] not balanced");
    out_ += pattern_[at_++];
    return Ok();
  }

  std::string_view pattern_;
  RegexFlags flags_;
  size_t at_ = 0;
  std::string out_;
};

Result<std::unique_ptr<re2::RE2>> CompileRe2(const std::string& translated, bool longest,
                                             const RegexFlags& flags) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  options.set_case_sensitive(!flags.ignore_case);
  options.set_longest_match(longest);
  options.set_dot_nl(true);
  options.set_literal(flags.literal);
  const std::string text = flags.lines && !flags.literal ? "(?m)" + translated : translated;
  auto compiled = std::make_unique<re2::RE2>(text, options);
  if (!compiled->ok()) return Invalid(compiled->error());
  return compiled;
}

// Options in front of a pattern: (?i)abc.
Status TakeEmbeddedFlags(std::string_view* pattern, RegexFlags* flags) {
  const size_t end = pattern->find(')');
  const bool embedded =
      pattern->starts_with("(?") && end != std::string_view::npos && end > 2 &&
      pattern->substr(2, end - 2).find_first_not_of("bceimnpqstwx") == std::string_view::npos;
  if (!embedded) return Ok();
  HR_ASSIGN(*flags, ParseRegexFlags(pattern->substr(2, end - 2), *flags));
  pattern->remove_prefix(end + 1);
  return Ok();
}

// Where SIMILAR's `%` and `_` stand for "any": a regular expression of the same meaning.
Result<std::string> TranslateSimilar(std::string_view pattern, std::string_view escape) {
  std::string out = "\\A(?:";
  bool bracket = false;
  for (size_t at = 0; at < pattern.size();) {
    const size_t size = CharacterSize(pattern, at);
    const std::string_view character = pattern.substr(at, size);
    at += size;
    if (!escape.empty() && character == escape) {
      if (at == pattern.size()) break;
      const std::string_view next = pattern.substr(at, CharacterSize(pattern, at));
      out += re2::RE2::QuoteMeta(re2::StringPiece(next.data(), next.size()));
      at += next.size();
      continue;
    }
    const char c = character[0];
    if (const size_t end = pattern.find(":]", at);
        bracket && c == '[' && pattern.substr(at, 1) == ":" && end != std::string_view::npos) {
      out += TranslateClass(pattern.substr(at - 1, end + 3 - at));
      at = end + 2;
    } else if (bracket) {
      if (c == '\\') out += '\\';
      bracket = c != ']';
      out += character;
    } else if (c == '[') {
      bracket = true;
      out += '[';
      for (std::string_view lead : {"^", "]"}) {
        if (pattern.substr(at, 1) != lead) continue;
        out += lead == "]" ? "\\]" : "^";
        ++at;
      }
    } else if (c == '%') {
      out += ".*";
    } else if (c == '_') {
      out += '.';
    } else if (c == '(') {
      out += "(?:";
    } else if (c == '.' || c == '^' || c == '$' || c == '\\') {
      out += '\\';
      out += c;
    } else {
      out += character;
    }
  }
  return out + ")\\z";
}

}  // namespace

Result<RegexFlags> ParseRegexFlags(std::string_view text, RegexFlags flags) {
  for (char c : text) {
    switch (c) {
      case 'g':
        flags.global = true;
        break;
      case 'i':
        flags.ignore_case = true;
        break;
      case 'c':
        flags.ignore_case = false;
        break;
      case 'n':
      case 'm':
        flags.newline = flags.lines = true;
        break;
      case 's':
        flags.newline = flags.lines = false;
        break;
      case 'p':
        flags.newline = true;
        flags.lines = false;
        break;
      case 'w':
        flags.newline = false;
        flags.lines = true;
        break;
      case 'q':
        flags.literal = true;
        break;
      case 'x':
        flags.expanded = true;
        break;
      case 't':
        flags.expanded = false;
        break;
      case 'e':
        break;
      default:
        return Error(ErrorKind::kInvalidArgument, "HR2104",
                     "invalid regular expression option: \"" + std::string(1, c) + "\"");
    }
  }
  return flags;
}

Regex::Regex(std::unique_ptr<re2::RE2> compiled, const RegexFlags& flags)
    : compiled_(std::move(compiled)),
      flags_(flags),
      groups_(static_cast<size_t>(compiled_->NumberOfCapturingGroups())) {}

Regex::~Regex() = default;

Result<std::unique_ptr<Regex>> Regex::Compile(std::string_view pattern, const RegexFlags& given) {
  if (pattern.size() > kMaxPattern) return Invalid("regular expression is too complex");
  RegexFlags flags = given;
  if (!flags.literal) {
    HR_TRY(TakeEmbeddedFlags(&pattern, &flags));
  }
  std::string translated(pattern);
  if (!flags.literal) {
    HR_ASSIGN(translated, Translator(pattern, flags).Run());
  }
  HR_ASSIGN(auto compiled, CompileRe2(translated, !IsNonGreedy(pattern), flags));
  return std::unique_ptr<Regex>(new Regex(std::move(compiled), flags));
}

Result<std::unique_ptr<Regex>> Regex::CompileSimilar(std::string_view pattern,
                                                     std::string_view escape) {
  if (pattern.size() > kMaxPattern) return Invalid("regular expression is too complex");
  if (CountCharacters(escape) > 1) return Invalid("the escape is one character at most");
  HR_ASSIGN(const std::string translated, TranslateSimilar(pattern, escape));
  HR_ASSIGN(auto compiled, CompileRe2(translated, true, {}));
  return std::unique_ptr<Regex>(new Regex(std::move(compiled), {}));
}

bool Regex::Matches(std::string_view text) const {
  return compiled_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                          re2::RE2::UNANCHORED, nullptr, 0);
}

bool Regex::Find(std::string_view text, size_t from, RegexMatch* match) const {
  std::vector<re2::StringPiece> groups(groups_ + 1);
  // A null pointer would look like a group that took no part.
  const char* const data = text.data() == nullptr ? "" : text.data();
  if (!compiled_->Match(re2::StringPiece(data, text.size()), from, text.size(),
                        re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
    return false;
  }
  match->clear();
  for (const re2::StringPiece& group : groups)
    match->emplace_back(group.data(), group.size());
  return true;
}

}  // namespace headrace::expr
