// format(): a template with %s, %I and %L.
#include <string>

#include "expr/function.h"
#include "expr/quote.h"
#include "expr/utf8.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

constexpr int64_t kMaxWidth = 1 << 20;

// One run over a template. Confined to one call.
class Formatter {
 public:
  Formatter(const Value* arguments, CallFrame& frame)
      : arguments_(arguments), frame_(frame), text_(arguments[0].text()) {}

  Value Run() {
    while (at_ < text_.size()) {
      if (text_[at_] != '%') {
        out_ += text_[at_++];
        continue;
      }
      ++at_;
      if (at_ < text_.size() && text_[at_] == '%') {
        out_ += text_[at_++];
      } else if (!Specifier()) {
        return Value::Null();
      }
    }
    return MakeText(frame_.context, out_);
  }

 private:
  bool Stop(std::string message) {
    Fail(frame_.context, "HR2103", std::move(message));
    return false;
  }
  bool Unterminated() { return Stop("unterminated format() type specifier"); }

  bool ReadNumber(int64_t* number) {
    const size_t begin = at_;
    *number = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && *number < kMaxWidth) {
      *number = *number * 10 + (text_[at_++] - '0');
    }
    return at_ > begin;
  }

  // Behind '%': [n$][-][width|*|*n$]type
  bool Specifier() {
    int64_t number = 0;
    int64_t position = 0;
    int64_t width = 0;
    bool left = false;
    const size_t begin = at_;
    if (ReadNumber(&number)) {
      if (at_ < text_.size() && text_[at_] == '$') {
        ++at_;
        position = number;
        if (position == 0) {
          return Stop("format specifies argument 0, but arguments are numbered from 1");
        }
      } else {
        at_ = begin;
      }
    }
    for (; at_ < text_.size() && text_[at_] == '-'; ++at_)
      left = true;
    if (at_ < text_.size() && text_[at_] == '*') {
      if (!StarWidth(&width)) return false;
    } else {
      ReadNumber(&width);
    }
    if (width < 0) left = true;
    if (width < 0) width = -width;
    if (at_ == text_.size()) return Unterminated();
    const char type = text_[at_++];
    if (type != 's' && type != 'I' && type != 'L') {
      return Stop("unrecognized format() type specifier \"" + std::string(1, type) + "\"");
    }
    next_ = position > 0 ? static_cast<size_t>(position) : next_ + 1;
    if (next_ >= frame_.types.size()) return Stop("too few arguments for format()");
    std::string shown;
    if (!Show(type, shown)) return false;
    Put(shown, static_cast<size_t>(width), left);
    if (out_.size() <= kMaxTextResult) return true;
    FailTooLong(frame_.context);
    return false;
  }

  bool StarWidth(int64_t* width) {
    ++at_;
    int64_t number = 0;
    const bool numbered = ReadNumber(&number);
    if (numbered) {
      if (at_ == text_.size() || text_[at_] != '$') return Unterminated();
      ++at_;
    }
    next_ = numbered ? static_cast<size_t>(number) : next_ + 1;
    if (next_ >= frame_.types.size()) return Stop("too few arguments for format()");
    const Value& value = arguments_[next_];
    if (!IsInteger(frame_.types[next_])) return Stop("width argument position must be an integer");
    *width = value.null ? 0 : value.integer;
    if (*width > kMaxWidth || *width < -kMaxWidth) return Stop("number is out of range");
    return true;
  }

  bool Show(char type, std::string& shown) {
    const Value& value = arguments_[next_];
    if (value.null) {
      if (type == 'I') return Stop("null values cannot be formatted as an SQL identifier");
      if (type == 'L') shown = "NULL";
      return true;
    }
    std::string plain;
    row::AppendText(value, frame_.types[next_], plain);
    if (type == 's') {
      shown = plain;
    } else if (type == 'I') {
      AppendQuotedIdentifier(plain, shown);
    } else {
      AppendQuotedLiteral(plain, shown);
    }
    return true;
  }

  void Put(std::string_view shown, size_t width, bool left) {
    const size_t size = CountCharacters(shown);
    const size_t fill = width > size ? width - size : 0;
    if (!left) out_.append(fill, ' ');
    out_ += shown;
    if (left) out_.append(fill, ' ');
  }

  const Value* arguments_;
  CallFrame& frame_;
  std::string_view text_;
  size_t at_ = 0;
  size_t next_ = 0;  // the argument used last; 0 is the template
  std::string out_;
};

Value Format(const Value* a, CallFrame& frame) {
  if (a[0].null) return Value::Null();
  return Formatter(a, frame).Run();
}

constexpr FunctionEntry kFunctions[] = {
    Define("format", {kText}, kText, &Format, kTakesNull),
    Define("format", {kText, kUnknown}, kText, &Format, kTakesNull | kVariadic),
};

}  // namespace

std::span<const FunctionEntry> FormatFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
