// LIKE and ILIKE.
#include <string>
#include <utility>

#include "expr/function.h"
#include "expr/utf8.h"

namespace headrace::expr {
namespace {

constexpr std::string_view kDefaultEscape = "\\";

// A pattern taken apart: literal characters, `_` and `%`.
struct LikeToken {
  enum class Kind : uint8_t { kLiteral, kOne, kAny } kind;
  std::string literal;  // a run of characters
};

// A LIKE pattern. Immutable after construction. Matching is linear in text times the number of %.
class LikePattern final : public Prepared {
 public:
  static Result<LikePattern> Parse(std::string_view pattern, std::string_view escape) {
    LikePattern parsed;
    for (size_t at = 0; at < pattern.size();) {
      const size_t size = CharacterSize(pattern, at);
      std::string_view character = pattern.substr(at, size);
      at += size;
      if (!escape.empty() && character == escape) {
        if (at == pattern.size()) {
          return Error(ErrorKind::kInvalidArgument, "HR2104",
                       "LIKE pattern must not end with escape character");
        }
        character = pattern.substr(at, CharacterSize(pattern, at));
        at += character.size();
        parsed.AddLiteral(character);
      } else if (character == "%") {
        parsed.AddAny();
      } else if (character == "_") {
        parsed.tokens_.push_back({LikeToken::Kind::kOne, {}});
      } else {
        parsed.AddLiteral(character);
      }
    }
    return parsed;
  }

  bool Matches(std::string_view text) const {
    size_t at = 0;
    size_t token = 0;
    size_t retry_token = tokens_.size() + 1;  // behind the last %
    size_t retry_at = 0;
    while (at < text.size() || token < tokens_.size()) {
      if (token < tokens_.size() && tokens_[token].kind == LikeToken::Kind::kAny) {
        retry_token = ++token;
        retry_at = at;
        if (token == tokens_.size()) return true;
        continue;
      }
      if (token < tokens_.size() && Step(tokens_[token], text, &at)) {
        ++token;
        continue;
      }
      // The last % takes one character more.
      if (retry_token > tokens_.size() || retry_at >= text.size()) return false;
      retry_at += CharacterSize(text, retry_at);
      at = retry_at;
      token = retry_token;
    }
    return true;
  }

 private:
  void AddLiteral(std::string_view character) {
    if (tokens_.empty() || tokens_.back().kind != LikeToken::Kind::kLiteral) {
      tokens_.push_back({LikeToken::Kind::kLiteral, {}});
    }
    tokens_.back().literal += character;
  }
  void AddAny() {
    if (!tokens_.empty() && tokens_.back().kind == LikeToken::Kind::kAny) return;
    tokens_.push_back({LikeToken::Kind::kAny, {}});
  }

  static bool Step(const LikeToken& token, std::string_view text, size_t* at) {
    if (token.kind == LikeToken::Kind::kOne) {
      if (*at >= text.size()) return false;
      *at += CharacterSize(text, *at);
      return true;
    }
    if (text.substr(*at, token.literal.size()) != token.literal) return false;
    *at += token.literal.size();
    return true;
  }

  std::vector<LikeToken> tokens_;
};

std::string Folded(std::string_view text) {
  std::string folded;
  AppendLower(text, folded);
  return folded;
}

Result<LikePattern> MakePattern(std::string_view pattern, std::string_view escape,
                                bool ignore_case) {
  if (CountCharacters(escape) > 1) {
    return Error(ErrorKind::kInvalidArgument, "HR2104", "invalid escape string")
        .WithHint("escape string must be empty or one character");
  }
  if (ignore_case) return LikePattern::Parse(Folded(pattern), escape);
  return LikePattern::Parse(pattern, escape);
}

template <bool kIgnoreCase>
Result<std::unique_ptr<Prepared>> PrepareLike(KnownArguments arguments) {
  if (arguments[1] == nullptr) return std::unique_ptr<Prepared>();
  if (arguments.size() == 3 && arguments[2] == nullptr) return std::unique_ptr<Prepared>();
  const std::string_view escape = arguments.size() == 3 ? arguments[2]->text() : kDefaultEscape;
  HR_ASSIGN(LikePattern pattern, MakePattern(arguments[1]->text(), escape, kIgnoreCase));
  return std::unique_ptr<Prepared>(std::make_unique<LikePattern>(std::move(pattern)));
}

bool Test(const LikePattern& pattern, std::string_view text, bool ignore_case) {
  return ignore_case ? pattern.Matches(Folded(text)) : pattern.Matches(text);
}

template <bool kIgnoreCase, bool kNegated>
Value Like(const Value* a, CallFrame& frame) {
  if (frame.prepared != nullptr) {
    const auto& pattern = static_cast<const LikePattern&>(*frame.prepared);
    return Value::Boolean(Test(pattern, a[0].text(), kIgnoreCase) != kNegated);
  }
  const std::string_view escape = frame.types.size() == 3 ? a[2].text() : kDefaultEscape;
  const Result<LikePattern> pattern = MakePattern(a[1].text(), escape, kIgnoreCase);
  if (!pattern.ok()) return Fail(frame.context, "HR2104", pattern.error().message());
  return Value::Boolean(Test(pattern.value(), a[0].text(), kIgnoreCase) != kNegated);
}

template <bool kIgnoreCase, bool kNegated>
constexpr FunctionEntry Two(std::string_view name) {
  return Define(name, {kText, kText}, kBoolean, &Like<kIgnoreCase, kNegated>, kPlain,
                &PrepareLike<kIgnoreCase>);
}
template <bool kIgnoreCase, bool kNegated>
constexpr FunctionEntry Three(std::string_view name) {
  return Define(name, {kText, kText, kText}, kBoolean, &Like<kIgnoreCase, kNegated>, kPlain,
                &PrepareLike<kIgnoreCase>);
}

constexpr FunctionEntry kFunctions[] = {
    Two<false, false>("like"),      Three<false, false>("like"),    Two<false, true>("not like"),
    Three<false, true>("not like"), Two<true, false>("ilike"),      Three<true, false>("ilike"),
    Two<true, true>("not ilike"),   Three<true, true>("not ilike"), Two<false, false>("~~"),
    Two<false, true>("!~~"),        Two<true, false>("~~*"),        Two<true, true>("!~~*"),
};

}  // namespace

std::span<const FunctionEntry> LikeFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
