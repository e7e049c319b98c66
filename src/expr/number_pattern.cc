#include "expr/number_pattern.h"

#include <vector>

#include "expr/decimal_math.h"
#include "row/decimal.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

enum class Sign : uint8_t { kDefault, kFront, kBack, kMinusBack, kMinusFront, kPlus, kAngles };

// One character of the output: a digit place, a point, a group mark or a literal.
struct Item {
  enum class Kind : uint8_t { kDigit, kZero, kPoint, kGroup, kLiteral } kind;
  std::string_view literal = {};
};

struct Pattern {
  std::vector<Item> items;
  Sign sign = Sign::kDefault;
  bool fill = true;
  int whole = 0;        // digit places before the point
  int fraction = 0;     // and behind
  int first_zero = -1;  // digit place from which zeros are shown
};

char Upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

bool BeginsWith(std::string_view text, std::string_view upper) {
  if (text.size() < upper.size()) return false;
  for (size_t i = 0; i < upper.size(); ++i) {
    if (Upper(text[i]) != upper[i]) return false;
  }
  return true;
}

// A sign or modifier at the beginning of `rest`; its size, 0 for none, npos for unsupported.
size_t TakeModifier(std::string_view rest, Pattern* pattern) {
  for (std::string_view unsupported : {"RN", "TH", "EEEE"}) {
    if (BeginsWith(rest, unsupported)) return std::string_view::npos;
  }
  if (Upper(rest[0]) == 'V') return std::string_view::npos;
  const bool front = pattern->items.empty();
  if (Upper(rest[0]) == 'B') return 1;  // blanks for zeros: what 9 does anyway
  if (BeginsWith(rest, "FM")) return pattern->fill = false, 2;
  if (BeginsWith(rest, "MI")) {
    pattern->sign = front ? Sign::kMinusFront : Sign::kMinusBack;
    return 2;
  }
  if (BeginsWith(rest, "PL")) return pattern->sign = Sign::kPlus, 2;
  if (BeginsWith(rest, "SG") || BeginsWith(rest, "PR")) {
    pattern->sign = BeginsWith(rest, "PR") ? Sign::kAngles : front ? Sign::kFront : Sign::kBack;
    return 2;
  }
  if (Upper(rest[0]) == 'S') {
    pattern->sign = front ? Sign::kFront : Sign::kBack;
    return 1;
  }
  return 0;
}

bool ParsePattern(std::string_view text, Pattern* pattern) {
  bool behind = false;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      const size_t end = text.find('"', at + 1);
      const size_t size = (end == std::string_view::npos ? text.size() : end) - at - 1;
      pattern->items.push_back({Item::Kind::kLiteral, text.substr(at + 1, size)});
      at += size + 2;
      continue;
    }
    const size_t modifier = TakeModifier(text.substr(at), pattern);
    if (modifier == std::string_view::npos) return false;
    at += modifier;
    if (modifier > 0) continue;
    switch (Upper(text[at])) {
      case '9':
      case '0':
        if (text[at] == '0' && !behind && pattern->first_zero < 0) {
          pattern->first_zero = pattern->whole;
        }
        ++(behind ? pattern->fraction : pattern->whole);
        pattern->items.push_back({text[at] == '0' ? Item::Kind::kZero : Item::Kind::kDigit});
        break;
      case '.':
      case 'D':
        behind = true;
        pattern->items.push_back({Item::Kind::kPoint});
        break;
      case 'L':  // the currency of the C locale is a blank
        pattern->items.push_back({Item::Kind::kLiteral, " "});
        break;
      case ',':
      case 'G':
        pattern->items.push_back({Item::Kind::kGroup});
        break;
      default:
        pattern->items.push_back({Item::Kind::kLiteral, text.substr(at, 1)});
    }
    ++at;
  }
  return pattern->whole + pattern->fraction <= 80;
}

// The digits laid over the places. Confined to one call.
class Layout {
 public:
  Layout(const Pattern& pattern, std::string_view digits, bool negative)
      : pattern_(pattern), negative_(negative) {
    const size_t point = digits.find('.');
    whole_ = digits.substr(0, point);
    if (whole_ == "0") whole_ = {};
    if (point != std::string_view::npos) fraction_ = digits.substr(point + 1);
    overflow_ = static_cast<int>(whole_.size()) > pattern.whole;
  }

  std::string Run() {
    int place = 0;
    int behind = 0;
    bool point = false;
    for (const Item& item : pattern_.items) {
      switch (item.kind) {
        case Item::Kind::kLiteral:
          body_ += item.literal;
          break;
        case Item::Kind::kPoint:
          if (!started_) Start();
          body_ += '.';
          point = true;
          break;
        case Item::Kind::kGroup:
          body_ += started_ ? "," : pattern_.fill ? " " : "";
          break;
        default:
          if (point) {
            Fraction(behind++);
          } else {
            Whole(place++);
          }
      }
    }
    if (!started_) Start();
    if (!pattern_.fill && pattern_.fraction > 0) TrimFraction();
    Finish();
    return std::move(body_);
  }

 private:
  // The sign goes before the first digit.
  void Start() {
    started_ = true;
    const std::string_view sign = FrontSign();
    body_ += sign;
  }

  std::string_view FrontSign() const {
    switch (pattern_.sign) {
      case Sign::kDefault:
        return negative_ ? "-" : pattern_.fill ? " " : "";
      case Sign::kFront:
        return negative_ ? "-" : "+";
      case Sign::kMinusFront:
        return negative_ ? "-" : pattern_.fill ? " " : "";
      case Sign::kPlus:
        return negative_ ? "-" : "+";
      case Sign::kAngles:
        return negative_ ? "<" : pattern_.fill ? " " : "";
      default:
        return "";
    }
  }

  void Whole(int place) {
    const int from_point = pattern_.whole - place;
    const int have = static_cast<int>(whole_.size());
    const bool zero = pattern_.first_zero >= 0 && place >= pattern_.first_zero;
    // Without a digit of its own, the last place shows the 0 of "0", unless a fraction follows.
    const bool last_zero = from_point == 1 && have == 0 && pattern_.fraction == 0;
    if (from_point <= have || zero || last_zero || overflow_) {
      if (!started_) Start();
      if (overflow_) {
        body_ += '#';
      } else {
        body_ += from_point <= have ? whole_[static_cast<size_t>(have - from_point)] : '0';
      }
    } else if (pattern_.fill) {
      body_ += ' ';
    }
  }

  void Fraction(int place) {
    const auto index = static_cast<size_t>(place);
    body_ += overflow_ ? '#' : index < fraction_.size() ? fraction_[index] : '0';
  }

  void TrimFraction() {
    // FM drops zeros that stand at a 9 behind the point.
    size_t keep = body_.size();
    for (size_t i = pattern_.items.size(); i > 0 && keep > 0; --i) {
      if (pattern_.items[i - 1].kind != Item::Kind::kDigit || body_[keep - 1] != '0') break;
      --keep;
    }
    body_.resize(keep);
  }

  void Finish() {
    if (pattern_.sign == Sign::kBack) body_ += negative_ ? '-' : '+';
    if (pattern_.sign == Sign::kMinusBack && (negative_ || pattern_.fill)) {
      body_ += negative_ ? '-' : ' ';
    }
    if (pattern_.sign == Sign::kAngles && (negative_ || pattern_.fill)) {
      body_ += negative_ ? '>' : ' ';
    }
  }

  const Pattern& pattern_;
  bool negative_;
  std::string_view whole_;
  std::string_view fraction_;
  bool overflow_ = false;
  bool started_ = false;
  std::string body_;
};

}  // namespace

bool FormatNumber(const row::Value& number, std::string_view pattern_text, base::Arena& arena,
                  std::string& out) {
  Pattern pattern;
  if (!row::IsFinite(number) || !ParsePattern(pattern_text, &pattern)) return false;
  row::Value rounded;
  if (RoundDecimal(number, pattern.fraction, Rounding::kHalfAwayFromZero, arena, &rounded) !=
      DecimalError::kNone) {
    return false;
  }
  const bool negative = DecimalSign(rounded) < 0;
  std::string digits;
  row::AppendDecimal(negative ? NegateDecimal(rounded) : rounded, digits);
  out += Layout(pattern, digits, negative).Run();
  return true;
}

}  // namespace headrace::expr
