// ~, SIMILAR TO and the regexp_ functions.
#include <string>

#include "expr/function.h"
#include "expr/regex.h"
#include "expr/utf8.h"
#include "row/array_text.h"

namespace headrace::expr {
namespace {

constexpr size_t kMaxMatches = 1'000'000;

// Compiles when the pattern (argument kPattern) and flags (argument kFlags; 0 for none) are known.
template <size_t kPattern, size_t kFlags>
Result<std::unique_ptr<Prepared>> PrepareRegex(KnownArguments arguments) {
  const bool has_flags = kFlags > 0 && arguments.size() > kFlags;
  if (arguments[kPattern] == nullptr || (has_flags && arguments[kFlags] == nullptr)) {
    return std::unique_ptr<Prepared>();
  }
  RegexFlags flags;
  if (has_flags) {
    HR_ASSIGN(flags, ParseRegexFlags(arguments[kFlags]->text()));
  }
  HR_ASSIGN(auto regex, Regex::Compile(arguments[kPattern]->text(), flags));
  return std::unique_ptr<Prepared>(std::move(regex));
}

template <bool kIgnoreCase>
Result<std::unique_ptr<Prepared>> PrepareMatch(KnownArguments arguments) {
  if (arguments[1] == nullptr) return std::unique_ptr<Prepared>();
  RegexFlags flags;
  flags.ignore_case = kIgnoreCase;
  HR_ASSIGN(auto regex, Regex::Compile(arguments[1]->text(), flags));
  return std::unique_ptr<Prepared>(std::move(regex));
}

Result<std::unique_ptr<Prepared>> PrepareSimilar(KnownArguments arguments) {
  if (arguments[1] == nullptr || (arguments.size() == 3 && arguments[2] == nullptr)) {
    return std::unique_ptr<Prepared>();
  }
  const std::string_view escape = arguments.size() == 3 ? arguments[2]->text() : "\\";
  HR_ASSIGN(auto regex, Regex::CompileSimilar(arguments[1]->text(), escape));
  return std::unique_ptr<Prepared>(std::move(regex));
}

// The pattern of a call: compiled beforehand, or now for this row. Null when it does not compile;
// the row has failed then.
class RegexOf {
 public:
  RegexOf(CallFrame& frame, std::string_view pattern, std::string_view flags_text) {
    if (frame.prepared != nullptr) {
      regex_ = static_cast<const Regex*>(frame.prepared);
      return;
    }
    const Result<RegexFlags> flags = ParseRegexFlags(flags_text);
    if (flags.ok()) {
      Compile(frame, Regex::Compile(pattern, *flags));
    } else {
      Fail(frame.context, "HR2104", flags.error().message());
    }
  }
  RegexOf(CallFrame& frame, Result<std::unique_ptr<Regex>> (*compile)(const Value*),
          const Value* arguments) {
    if (frame.prepared != nullptr) {
      regex_ = static_cast<const Regex*>(frame.prepared);
    } else {
      Compile(frame, compile(arguments));
    }
  }

  explicit operator bool() const { return regex_ != nullptr; }
  const Regex* operator->() const { return regex_; }
  const Regex& operator*() const { return *regex_; }

 private:
  void Compile(CallFrame& frame, Result<std::unique_ptr<Regex>> compiled) {
    if (!compiled.ok()) {
      Fail(frame.context, "HR2104", compiled.error().message());
      return;
    }
    owned_ = std::move(compiled).value();
    regex_ = owned_.get();
  }

  std::unique_ptr<Regex> owned_;
  const Regex* regex_ = nullptr;
};

template <bool kIgnoreCase, bool kNegated>
Value Match(const Value* a, CallFrame& frame) {
  const RegexOf regex(frame, a[1].text(), kIgnoreCase ? "i" : "");
  if (!regex) return Value::Null();
  return Value::Boolean(regex->Matches(a[0].text()) != kNegated);
}

template <bool kNegated>
Value Similar(const Value* a, CallFrame& frame) {
  const bool three = frame.types.size() == 3;
  const RegexOf regex(
      frame,
      three ? +[](const Value* v) { return Regex::CompileSimilar(v[1].text(), v[2].text()); }
            : +[](const Value* v) { return Regex::CompileSimilar(v[1].text(), "\\"); },
      a);
  if (!regex) return Value::Null();
  return Value::Boolean(regex->Matches(a[0].text()) != kNegated);
}

std::string_view FlagsAt(const Value* a, const CallFrame& frame, size_t i) {
  return frame.types.size() > i ? a[i].text() : std::string_view();
}

bool NotGlobal(const Regex& regex, std::string_view function, EvalContext& context) {
  if (!regex.flags().global) return true;
  Fail(context, "HR2103", std::string(function) + "() does not support the \"global\" option");
  return false;
}

Value RegexpLike(const Value* a, CallFrame& frame) {
  const RegexOf regex(frame, a[1].text(), FlagsAt(a, frame, 2));
  if (!regex || !NotGlobal(*regex, "regexp_like", frame.context)) return Value::Null();
  return Value::Boolean(regex->Matches(a[0].text()));
}

size_t OffsetIn(std::string_view text, std::string_view part) {
  return static_cast<size_t>(part.data() - (text.data() == nullptr ? part.data() : text.data()));
}

// Where to look for the match behind this one: an empty match moves by one character.
size_t NextStart(std::string_view text, std::string_view whole) {
  const size_t end = OffsetIn(text, whole) + whole.size();
  if (!whole.empty()) return end;
  return end < text.size() ? end + CharacterSize(text, end) : text.size() + 1;
}

// Calls `take` with each match from byte `from` on until it says false.
template <typename Take>
void ForEachMatch(const Regex& regex, std::string_view text, size_t from, Take take) {
  RegexMatch match;
  for (size_t rounds = 0; from <= text.size() && rounds < kMaxMatches; ++rounds) {
    if (!regex.Find(text, from, &match) || !take(match)) return;
    from = NextStart(text, match[0]);
  }
}

// The replacement with \1 to \9, \& and \\ filled in.
void AppendReplacement(std::string_view replacement, const RegexMatch& match, std::string& out) {
  for (size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '\\' || i + 1 == replacement.size()) {
      out += replacement[i];
      continue;
    }
    const char c = replacement[++i];
    if (c == '&') {
      out += match[0];
    } else if (c >= '1' && c <= '9') {
      const auto group = static_cast<size_t>(c - '0');
      if (group < match.size() && match[group].data() != nullptr) out += match[group];
    } else {
      if (c != '\\') out += '\\';
      out += c;
    }
  }
}

// Replaces match number `nth` (0: every one) from character `start` on.
Value ReplaceMatches(const Regex& regex, const Value* a, int64_t start, int64_t nth,
                     EvalContext& context) {
  const std::string_view text = a[0].text();
  std::string out;
  size_t copied = 0;
  int64_t seen = 0;
  const size_t from = OffsetOf(text, static_cast<size_t>(start - 1));
  ForEachMatch(regex, text, from, [&](const RegexMatch& match) {
    if (nth != 0 && ++seen != nth) return true;
    const size_t at = OffsetIn(text, match[0]);
    out += text.substr(copied, at - copied);
    AppendReplacement(a[2].text(), match, out);
    copied = at + match[0].size();
    return nth == 0 && out.size() <= kMaxTextResult;
  });
  if (copied == 0 && out.empty()) return a[0];
  out += text.substr(copied);
  return MakeText(context, out);
}

Value RegexpReplace(const Value* a, CallFrame& frame) {
  const RegexOf regex(frame, a[1].text(), FlagsAt(a, frame, 3));
  if (!regex) return Value::Null();
  return ReplaceMatches(*regex, a, 1, regex->flags().global ? 0 : 1, frame.context);
}

bool CheckPositive(const Value& value, std::string_view name, int64_t least, EvalContext& context) {
  if (value.integer >= least) return true;
  Fail(context, "HR2103",
       "invalid value for parameter \"" + std::string(name) +
           "\": " + std::to_string(value.integer));
  return false;
}

// regexp_replace(text, pattern, new, start[, nth[, flags]])
Value RegexpReplaceNth(const Value* a, CallFrame& frame) {
  const RegexOf regex(frame, a[1].text(), FlagsAt(a, frame, 5));
  if (!regex || !CheckPositive(a[3], "start", 1, frame.context)) return Value::Null();
  int64_t nth = 1;
  if (frame.types.size() > 4) {
    if (!CheckPositive(a[4], "n", 0, frame.context)) return Value::Null();
    nth = a[4].integer;
  }
  return ReplaceMatches(*regex, a, a[3].integer, nth, frame.context);
}

// The groups of a match as an array; without groups, the whole.
Value GroupsOf(const RegexMatch& match, EvalContext& context) {
  row::ArrayElements elements;
  for (size_t i = match.size() > 1 ? 1 : 0; i < match.size(); ++i) {
    if (match[i].data() == nullptr) {
      elements.emplace_back(std::nullopt);
    } else {
      elements.emplace_back(std::string(match[i]));
    }
  }
  std::string text;
  row::AppendArray(elements, text);
  return MakeText(context, text);
}

Value RegexpMatch(const Value* a, CallFrame& frame) {
  const RegexOf regex(frame, a[1].text(), FlagsAt(a, frame, 2));
  if (!regex || !NotGlobal(*regex, "regexp_match", frame.context)) return Value::Null();
  RegexMatch match;
  if (!regex->Find(a[0].text(), 0, &match)) return Value::Null();
  return GroupsOf(match, frame.context);
}

// Match number `nth` from character `start` on. False when there is none.
bool FindNth(const Regex& regex, std::string_view text, int64_t start, int64_t nth,
             RegexMatch* found) {
  bool has = false;
  if (static_cast<size_t>(start - 1) > CountCharacters(text)) return false;
  ForEachMatch(regex, text, OffsetOf(text, static_cast<size_t>(start - 1)),
               [&](const RegexMatch& match) {
                 if (--nth > 0) return true;
                 *found = match;
                 has = true;
                 return false;
               });
  return has;
}

Value CountOf(const Value* a, CallFrame& frame, int64_t start, std::string_view flags) {
  const RegexOf regex(frame, a[1].text(), flags);
  if (!regex || !NotGlobal(*regex, "regexp_count", frame.context)) return Value::Null();
  int64_t count = 0;
  const std::string_view text = a[0].text();
  if (static_cast<size_t>(start - 1) > CountCharacters(text)) return Value::Integer(0);
  ForEachMatch(*regex, text, OffsetOf(text, static_cast<size_t>(start - 1)),
               [&](const RegexMatch&) { return ++count > 0; });
  return Value::Integer(count);
}

Value RegexpCount(const Value* a, CallFrame& frame) {
  int64_t start = 1;
  if (frame.types.size() > 2) {
    if (!CheckPositive(a[2], "start", 1, frame.context)) return Value::Null();
    start = a[2].integer;
  }
  return CountOf(a, frame, start, FlagsAt(a, frame, 3));
}

// Which part of which match regexp_substr and regexp_instr ask for.
struct Wanted {
  int64_t start = 1;
  int64_t nth = 1;
  int64_t group = 0;
};

bool ReadWanted(const Value* a, CallFrame& frame, size_t group_at, Wanted* wanted) {
  const size_t count = frame.types.size();
  if (count > 2) {
    if (!CheckPositive(a[2], "start", 1, frame.context)) return false;
    wanted->start = a[2].integer;
  }
  if (count > 3) {
    if (!CheckPositive(a[3], "n", 1, frame.context)) return false;
    wanted->nth = a[3].integer;
  }
  if (count > group_at) {
    if (!CheckPositive(a[group_at], "subexpr", 0, frame.context)) return false;
    wanted->group = a[group_at].integer;
  }
  return true;
}

// Without groups in the pattern, group 1 is the whole match.
size_t GroupOf(const Wanted& wanted, const Regex& regex) {
  return regex.groups() == 0 && wanted.group == 1 ? 0 : static_cast<size_t>(wanted.group);
}

// regexp_substr(text, pattern[, start[, nth[, flags[, group]]]])
Value RegexpSubstr(const Value* a, CallFrame& frame) {
  const RegexOf regex(frame, a[1].text(), FlagsAt(a, frame, 4));
  Wanted wanted;
  if (!regex || !NotGlobal(*regex, "regexp_substr", frame.context) ||
      !ReadWanted(a, frame, 5, &wanted)) {
    return Value::Null();
  }
  RegexMatch match;
  if (!FindNth(*regex, a[0].text(), wanted.start, wanted.nth, &match)) return Value::Null();
  const size_t group = GroupOf(wanted, *regex);
  if (group >= match.size() || match[group].data() == nullptr) return Value::Null();
  return Value::Text(match[group]);
}

// regexp_instr(text, pattern[, start[, nth[, end[, flags[, group]]]]])
Value RegexpInstr(const Value* a, CallFrame& frame) {
  const RegexOf regex(frame, a[1].text(), FlagsAt(a, frame, 5));
  Wanted wanted;
  if (!regex || !NotGlobal(*regex, "regexp_instr", frame.context) ||
      !ReadWanted(a, frame, 6, &wanted)) {
    return Value::Null();
  }
  const bool behind = frame.types.size() > 4 && a[4].integer == 1;
  if (frame.types.size() > 4 && (a[4].integer < 0 || a[4].integer > 1)) {
    CheckPositive(a[4], "endoption", INT64_MAX, frame.context);
    return Value::Null();
  }
  RegexMatch match;
  const std::string_view text = a[0].text();
  if (!FindNth(*regex, text, wanted.start, wanted.nth, &match)) return Value::Integer(0);
  const size_t group = GroupOf(wanted, *regex);
  if (group >= match.size() || match[group].data() == nullptr) return Value::Integer(0);
  const size_t at = OffsetIn(text, match[group]) + (behind ? match[group].size() : 0);
  return Value::Integer(static_cast<int64_t>(CountCharacters(text.substr(0, at))) + 1);
}

// substring(text FROM pattern): the first group, or the whole match without groups.
Value SubstringMatch(const Value* a, CallFrame& frame) {
  const RegexOf regex(frame, a[1].text(), "");
  RegexMatch match;
  if (!regex || !regex->Find(a[0].text(), 0, &match)) return Value::Null();
  const std::string_view part = match.size() > 1 ? match[1] : match[0];
  return part.data() == nullptr ? Value::Null() : Value::Text(part);
}

Value RegexpSplit(const Value* a, CallFrame& frame) {
  const RegexOf regex(frame, a[1].text(), FlagsAt(a, frame, 2));
  if (!regex || !NotGlobal(*regex, "regexp_split_to_array", frame.context)) return Value::Null();
  const std::string_view text = a[0].text();
  row::ArrayElements elements;
  size_t copied = 0;
  ForEachMatch(*regex, text, 0, [&](const RegexMatch& match) {
    const size_t at = OffsetIn(text, match[0]);
    // An empty match at either end, or right behind the last one, splits nothing.
    if (match[0].empty() && (at == copied || at == text.size())) return true;
    elements.emplace_back(std::string(text.substr(copied, at - copied)));
    copied = at + match[0].size();
    return true;
  });
  elements.emplace_back(std::string(text.substr(copied)));
  std::string out;
  row::AppendArray(elements, out);
  return MakeText(frame.context, out);
}

constexpr Type T = kText;
constexpr Type I = kInteger;

constexpr FunctionEntry kFunctions[] = {
    Define("~", {T, T}, kBoolean, &Match<false, false>, kPlain, &PrepareMatch<false>),
    Define("!~", {T, T}, kBoolean, &Match<false, true>, kPlain, &PrepareMatch<false>),
    Define("~*", {T, T}, kBoolean, &Match<true, false>, kPlain, &PrepareMatch<true>),
    Define("!~*", {T, T}, kBoolean, &Match<true, true>, kPlain, &PrepareMatch<true>),
    Define("similar", {T, T}, kBoolean, &Similar<false>, kPlain, &PrepareSimilar),
    Define("similar", {T, T, T}, kBoolean, &Similar<false>, kPlain, &PrepareSimilar),
    Define("not similar", {T, T}, kBoolean, &Similar<true>, kPlain, &PrepareSimilar),
    Define("not similar", {T, T, T}, kBoolean, &Similar<true>, kPlain, &PrepareSimilar),
    Define("regexp_like", {T, T}, kBoolean, &RegexpLike, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_like", {T, T, T}, kBoolean, &RegexpLike, kPlain, &PrepareRegex<1, 2>),
    Define("regexp_replace", {T, T, T}, T, &RegexpReplace, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_replace", {T, T, T, T}, T, &RegexpReplace, kPlain, &PrepareRegex<1, 3>),
    Define("regexp_replace", {T, T, T, I}, T, &RegexpReplaceNth, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_replace", {T, T, T, I, I}, T, &RegexpReplaceNth, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_replace", {T, T, T, I, I, T}, T, &RegexpReplaceNth, kPlain, &PrepareRegex<1, 5>),
    Define("regexp_match", {T, T}, kTextArray, &RegexpMatch, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_match", {T, T, T}, kTextArray, &RegexpMatch, kPlain, &PrepareRegex<1, 2>),
    Define("regexp_count", {T, T}, I, &RegexpCount, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_count", {T, T, I}, I, &RegexpCount, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_count", {T, T, I, T}, I, &RegexpCount, kPlain, &PrepareRegex<1, 3>),
    Define("regexp_substr", {T, T}, T, &RegexpSubstr, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_substr", {T, T, I}, T, &RegexpSubstr, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_substr", {T, T, I, I}, T, &RegexpSubstr, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_substr", {T, T, I, I, T}, T, &RegexpSubstr, kPlain, &PrepareRegex<1, 4>),
    Define("regexp_substr", {T, T, I, I, T, I}, T, &RegexpSubstr, kPlain, &PrepareRegex<1, 4>),
    Define("regexp_instr", {T, T}, I, &RegexpInstr, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_instr", {T, T, I}, I, &RegexpInstr, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_instr", {T, T, I, I}, I, &RegexpInstr, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_instr", {T, T, I, I, I}, I, &RegexpInstr, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_instr", {T, T, I, I, I, T}, I, &RegexpInstr, kPlain, &PrepareRegex<1, 5>),
    Define("regexp_instr", {T, T, I, I, I, T, I}, I, &RegexpInstr, kPlain, &PrepareRegex<1, 5>),
    Define("substring", {T, T}, T, &SubstringMatch, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_split_to_array", {T, T}, kTextArray, &RegexpSplit, kPlain, &PrepareRegex<1, 0>),
    Define("regexp_split_to_array", {T, T, T}, kTextArray, &RegexpSplit, kPlain,
           &PrepareRegex<1, 2>),
};

}  // namespace

std::span<const FunctionEntry> RegexFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
