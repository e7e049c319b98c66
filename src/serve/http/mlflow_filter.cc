#include "serve/http/mlflow_filter.h"

#include <algorithm>
#include <array>
#include <utility>

#include "serve/http/message.h"
#include "serve/http/problem.h"
#include "serve/http/route.h"

namespace headrace::serve {
namespace {

using Field = FilterClause::Field;
using Operator = FilterClause::Operator;

Error BadFilter(const std::string& why) {
  return Error(ErrorKind::kInvalidArgument, kBadRegistryRequest, "the filter " + why);
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool IsWord(char c) {
  return (Lower(c) >= 'a' && Lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

// SQL's LIKE without an escape: % is any text, _ any byte. Goes back to the last % only.
bool Like(std::string_view text, std::string_view pattern, bool ignore_case) {
  auto same = [&](char a, char b) { return ignore_case ? Lower(a) == Lower(b) : a == b; };
  size_t t = 0;
  size_t p = 0;
  size_t star = std::string_view::npos;
  size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '_' || same(pattern[p], text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%')
    ++p;
  return p == pattern.size();
}

bool Compare(int64_t a, int64_t b, Operator op) {
  switch (op) {
    case Operator::kEqual:
      return a == b;
    case Operator::kUnequal:
      return a != b;
    case Operator::kLess:
      return a < b;
    case Operator::kLessOrEqual:
      return a <= b;
    case Operator::kGreater:
      return a > b;
    case Operator::kGreaterOrEqual:
      return a >= b;
    case Operator::kLike:
    case Operator::kILike:
    case Operator::kIn:
      return false;
  }
  return false;
}

class FilterParser {
 public:
  FilterParser(std::string_view text, bool of_versions) : text_(text), versions_(of_versions) {}

  Result<std::vector<FilterClause>> Parse() {
    std::vector<FilterClause> clauses;
    SkipSpace();
    while (!AtEnd()) {
      if (clauses.size() == kFilterClausesMax) return BadFilter("has too many comparisons");
      HR_ASSIGN(FilterClause clause, ParseClause());
      clauses.push_back(std::move(clause));
      SkipSpace();
      if (AtEnd()) break;
      if (!EqualsIgnoringCase(Word(), "and"))
        return BadFilter("joins comparisons other than by AND");
      SkipSpace();
      if (AtEnd()) return BadFilter("ends behind AND");
    }
    return clauses;
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  void SkipSpace() {
    while (!AtEnd() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r'))
      ++at_;
  }
  std::string_view Word() {
    SkipSpace();
    const size_t from = at_;
    while (!AtEnd() && IsWord(Peek()))
      ++at_;
    return text_.substr(from, at_ - from);
  }

  // In quotes of this kind; a quote inside stands twice.
  Result<std::string> Quoted(char quote) {
    std::string out;
    ++at_;
    while (!AtEnd()) {
      const char c = text_[at_++];
      if (c != quote) {
        out += c;
      } else if (Peek() == quote) {
        out += text_[at_++];
      } else {
        return out;
      }
    }
    return BadFilter("has a quote that is not closed");
  }

  Result<FilterClause> ParseClause() {
    FilterClause clause;
    HR_TRY(ParseField(clause));
    HR_TRY(ParseOperator(clause));
    HR_TRY(CheckOperator(clause));
    if (clause.op == Operator::kIn) {
      HR_TRY(ParseList(clause));
    } else {
      HR_TRY(ParseValue(clause));
    }
    return clause;
  }

  Status ParseField(FilterClause& clause) {
    std::string_view word = Word();
    const size_t dot = word.find('.');
    const std::string_view first = word.substr(0, dot);
    if (first == "tag" || first == "tags") {
      clause.field = Field::kTag;
      if (dot == std::string_view::npos) return BadFilter("names a tag as `tag.KEY`");
      clause.key = word.substr(dot + 1);
      if (!clause.key.empty()) return Ok();
      if (Peek() != '`' && Peek() != '"') return BadFilter("names no tag behind `tag.`");
      HR_ASSIGN(clause.key, Quoted(Peek()));
      return Ok();
    }
    if (word == "name") return Ok();
    clause.field = word == "run_id"        ? Field::kRunId
                   : word == "source_path" ? Field::kSource
                                           : Field::kVersion;
    if (versions_ && (clause.field != Field::kVersion || word == "version_number")) return Ok();
    return BadFilter("has an unknown field `" + std::string(word) + "`");
  }

  Status ParseOperator(FilterClause& clause) {
    SkipSpace();
    static constexpr std::array<std::pair<std::string_view, Operator>, 6> kSigns = {
        {{"!=", Operator::kUnequal},
         {"<=", Operator::kLessOrEqual},
         {">=", Operator::kGreaterOrEqual},
         {"=", Operator::kEqual},
         {"<", Operator::kLess},
         {">", Operator::kGreater}}};
    for (const auto& [sign, op] : kSigns) {
      if (!text_.substr(at_).starts_with(sign)) continue;
      at_ += sign.size();
      clause.op = op;
      return Ok();
    }
    std::string_view word = Word();
    if (EqualsIgnoringCase(word, "like")) return clause.op = Operator::kLike, Ok();
    if (EqualsIgnoringCase(word, "ilike")) return clause.op = Operator::kILike, Ok();
    if (EqualsIgnoringCase(word, "in")) return clause.op = Operator::kIn, Ok();
    return BadFilter("has no operator that is known here behind a field");
  }

  static Status CheckOperator(const FilterClause& clause) {
    const bool number = clause.field == Field::kVersion;
    const bool plain = clause.op == Operator::kEqual || clause.op == Operator::kUnequal;
    const bool pattern = clause.op == Operator::kLike || clause.op == Operator::kILike;
    const bool list = clause.op == Operator::kIn && clause.field == Field::kRunId;
    if (plain || list || (number ? !pattern && clause.op != Operator::kIn : pattern)) return Ok();
    return BadFilter("has an operator that its field does not take");
  }

  Status ParseValue(FilterClause& clause) {
    SkipSpace();
    if (clause.field == Field::kVersion && Peek() != '\'') {
      std::string_view digits = Word();
      if (!ParseDigits(digits, INT32_MAX)) return BadFilter("compares a version with no number");
      clause.values.emplace_back(digits);
      return Ok();
    }
    if (Peek() != '\'' && Peek() != '"') return BadFilter("has a value without quotes");
    HR_ASSIGN(std::string value, Quoted(Peek()));
    if (clause.field == Field::kVersion && !ParseDigits(value, INT32_MAX)) {
      return BadFilter("compares a version with no number");
    }
    clause.values.push_back(std::move(value));
    return Ok();
  }

  Status ParseList(FilterClause& clause) {
    SkipSpace();
    if (Peek() != '(') return BadFilter("has IN without a list in parentheses");
    do {
      ++at_;
      if (clause.values.size() == kFilterValuesMax) return BadFilter("has a list that is too long");
      HR_TRY(ParseValue(clause));
      SkipSpace();
    } while (Peek() == ',');
    if (Peek() != ')') return BadFilter("has a list that is not closed");
    ++at_;
    return Ok();
  }

  std::string_view text_;
  bool versions_;
  size_t at_ = 0;
};

int Sign(int64_t a, int64_t b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

int Compare(SearchOrder::Column column, const SearchedItem& a, const SearchedItem& b) {
  switch (column) {
    case SearchOrder::Column::kName:
      return a.name.compare(b.name);
    case SearchOrder::Column::kVersion:
      return Sign(a.version, b.version);
    case SearchOrder::Column::kCreated:
      return Sign(a.created_ms, b.created_ms);
    case SearchOrder::Column::kUpdated:
      return Sign(a.updated_ms, b.updated_ms);
  }
  return 0;
}

}  // namespace

bool FilterClause::Holds(const SearchedItem& item) const {
  if (field == Field::kVersion)
    return Compare(item.version, ParseDigits(values.front(), INT32_MAX).value_or(0), op);
  const std::string* text = &item.name;
  if (field == Field::kRunId) text = &item.run_id;
  if (field == Field::kSource) text = &item.source;
  if (field == Field::kTag) {
    auto tag = item.tags->find(key);
    if (tag == item.tags->end()) return op == Operator::kUnequal;
    text = &tag->second;
  }
  switch (op) {
    case Operator::kEqual:
      return *text == values.front();
    case Operator::kUnequal:
      return *text != values.front();
    case Operator::kIn:
      return std::find(values.begin(), values.end(), *text) != values.end();
    default:
      return Like(*text, values.front(), op == Operator::kILike);
  }
}

Result<std::vector<FilterClause>> ParseFilter(std::string_view text, bool of_versions) {
  if (text.size() > kFilterBytesMax) return BadFilter("is longer than 4096 bytes");
  return FilterParser(text, of_versions).Parse();
}

Result<std::vector<SearchOrder>> ParseSearchOrder(std::string_view text) {
  std::vector<SearchOrder> order;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::vector<std::string_view> words;
    std::string_view part = text.substr(0, comma);
    while (true) {
      const size_t from = part.find_first_not_of(" \t");
      if (from == std::string_view::npos) break;
      const size_t end = std::min(part.find_first_of(" \t", from), part.size());
      words.push_back(part.substr(from, end - from));
      part.remove_prefix(end);
    }
    text.remove_prefix(std::min(comma + 1, text.size()));
    using enum SearchOrder::Column;
    static constexpr std::array<std::pair<std::string_view, SearchOrder::Column>, 5> kColumns = {
        {{"name", kName},
         {"version_number", kVersion},
         {"creation_timestamp", kCreated},
         {"last_updated_timestamp", kUpdated},
         {"timestamp", kUpdated}}};
    auto known = std::find_if(kColumns.begin(), kColumns.end(), [&](const auto& column) {
      return !words.empty() && column.first == words[0];
    });
    const bool descending = words.size() == 2 && EqualsIgnoringCase(words[1], "desc");
    const bool ascending =
        words.size() == 1 || (words.size() == 2 && EqualsIgnoringCase(words[1], "asc"));
    if (known == kColumns.end() || (!descending && !ascending) ||
        order.size() == kFilterClausesMax) {
      return Error(ErrorKind::kInvalidArgument, kBadRegistryRequest,
                   "order_by is no list of columns with ASC or DESC");
    }
    order.push_back({known->second, descending});
  }
  return order;
}

bool ComesBefore(const std::vector<SearchOrder>& order, const SearchedItem& a,
                 const SearchedItem& b) {
  for (const SearchOrder& by : order) {
    const int sign = Compare(by.column, a, b);
    if (sign != 0) return by.descending ? sign > 0 : sign < 0;
  }
  return false;
}

}  // namespace headrace::serve
