#include "expr/json_path.h"

#include <algorithm>

#include "expr/json_value.h"
#include "row/json_text.h"

namespace headrace::expr {

// Reads one path. Confined to one call.
class JsonPathReader {
 public:
  explicit JsonPathReader(std::string_view text) : text_(text) {}

  Result<JsonPath> Run() {
    Blank();
    if (Take("lax ")) Blank();
    if (!Take("$")) return Unsupported();
    for (Blank(); at_ < text_.size(); Blank()) {
      JsonPath::Step step;
      if (Take(".")) {
        if (!Member(&step)) return Unsupported();
      } else if (Take("[")) {
        if (!Subscript(&step)) return Unsupported();
      } else {
        return Unsupported();
      }
      path_.steps_.push_back(std::move(step));
    }
    return std::move(path_);
  }

 private:
  using Kind = JsonPath::Step::Kind;

  Error Unsupported() const {
    return Error(ErrorKind::kInvalidArgument, "HR2106",
                 "jsonpath \"" + std::string(text_) + "\" is not supported")
        .WithHint("member and element accessors are: $.key, $[0], $.*, $[*]");
  }
  void Blank() {
    while (at_ < text_.size() && text_[at_] == ' ')
      ++at_;
  }
  bool Take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool Member(JsonPath::Step* step) {
    Blank();
    step->kind = Kind::kKey;
    if (Take("*")) {
      step->kind = Kind::kAnyKey;
      return true;
    }
    if (at_ < text_.size() && text_[at_] == '"') {
      size_t end = at_ + 1;
      while (end < text_.size() && text_[end] != '"')
        end += text_[end] == '\\' ? 2 : 1;
      if (end >= text_.size()) return false;
      const std::string_view literal = text_.substr(at_, end + 1 - at_);
      if (!row::CheckJson(literal).ok()) return false;
      row::AppendUnescaped(literal, step->key);
      at_ = end + 1;
      return true;
    }
    const size_t begin = at_;
    while (at_ < text_.size() && std::string_view(" .[]()?@$*+-/<>=!&|,:\"'").find(text_[at_]) ==
                                     std::string_view::npos) {
      ++at_;
    }
    step->key = std::string(text_.substr(begin, at_ - begin));
    Blank();
    return !step->key.empty() && (at_ == text_.size() || text_[at_] == '.' || text_[at_] == '[');
  }

  bool Index(int64_t* index, bool* from_last) {
    Blank();
    *from_last = Take("last");
    if (*from_last) {
      Blank();
      if (!Take("-")) return *index = 0, true;
      Blank();
    }
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9')
      ++at_;
    const auto number = ParseIndex(text_.substr(begin, at_ - begin));
    if (!number) return false;
    *index = *from_last ? -*number : *number;
    return true;
  }

  bool Subscript(JsonPath::Step* step) {
    Blank();
    if (Take("*")) {
      step->kind = Kind::kAnyElement;
    } else {
      step->kind = Kind::kRange;
      if (!Index(&step->from, &step->from_last)) return false;
      step->to = step->from;
      step->to_last = step->from_last;
      Blank();
      if (Take("to ") && !Index(&step->to, &step->to_last)) return false;
    }
    Blank();
    return Take("]");
  }

  std::string_view text_;
  size_t at_ = 0;
  JsonPath path_;
};

Result<JsonPath> JsonPath::Parse(std::string_view text) {
  return JsonPathReader(text).Run();
}

std::vector<std::string_view> JsonPath::Select(std::string_view json) const {
  std::vector<std::string_view> items = {TrimJson(json)};
  for (const Step& step : steps_) {
    const bool by_key = step.kind == Step::Kind::kKey || step.kind == Step::Kind::kAnyKey;
    std::vector<std::string_view> next;
    for (std::string_view item : items) {
      const bool array = KindOfJson(item) == JsonKind::kArray;
      // Lax mode: keys look into the elements of arrays, subscripts see a single item as one.
      const std::vector<std::string_view> elements =
          array ? row::JsonElements(item) : std::vector<std::string_view>{item};
      if (!by_key) {
        const auto last = static_cast<int64_t>(elements.size()) - 1;
        const bool any = step.kind == Step::Kind::kAnyElement;
        const int64_t from = any ? 0 : step.from + (step.from_last ? last : 0);
        const int64_t to = any ? last : step.to + (step.to_last ? last : 0);
        for (int64_t i = std::max<int64_t>(from, 0); i <= std::min(to, last); ++i) {
          next.push_back(elements[static_cast<size_t>(i)]);
        }
        continue;
      }
      for (std::string_view element : elements) {
        if (KindOfJson(element) != JsonKind::kObject) continue;
        if (step.kind == Step::Kind::kKey) {
          if (const auto value = JsonMemberOf(element, step.key)) next.push_back(*value);
          continue;
        }
        for (const row::JsonMember& member : row::JsonMembers(element)) {
          next.push_back(member.value);
        }
      }
    }
    items = std::move(next);
  }
  return items;
}

}  // namespace headrace::expr
