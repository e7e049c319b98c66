#include "cli/sql_session.h"

#include <charconv>

#include "cli/listing.h"
#include "row/text.h"
#include "serve/query_json.h"
#include "sql/lexer.h"

namespace headrace::cli {
namespace {

struct Place {
  int line = 0;
  int column = 0;
};

// The last two numbers of "line:column" or "file:line:column".
std::optional<Place> ReadPlace(std::string_view text) {
  const size_t second = text.rfind(':');
  if (second == std::string_view::npos || second == 0) return std::nullopt;
  const size_t first = text.rfind(':', second - 1);
  const std::string_view line = text.substr(first + 1, second - first - 1);
  const std::string_view column = text.substr(second + 1);
  Place place;
  auto number = [](std::string_view digits, int* out) {
    auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), *out);
    return problem == std::errc() && end == digits.data() + digits.size();
  };
  if (!number(line, &place.line) || !number(column, &place.column)) return std::nullopt;
  return place;
}

// The place within the statement becomes one within the script.
Error MovedTo(Error error, const ScriptPart& part, const std::string& name) {
  std::optional<Place> place = ReadPlace(error.place());
  if (!place) place = Place{1, 1};
  if (place->line == 1) place->column += part.column - 1;
  place->line += part.line - 1;
  error.AtPlace(name + ":" + std::to_string(place->line) + ":" + std::to_string(place->column));
  return error;
}

// Errors of definitions come rendered for people; the first line says what is wrong.
std::string FirstLine(const std::string& message) {
  return message.substr(0, message.find('\n'));
}

Cell CellOf(const row::Value& value, row::Type type) {
  if (value.null) return Cell::Null();
  using enum row::TypeKind;
  Cell cell;
  row::AppendText(value, type, cell.text);
  const bool number = type.kind == kInteger || type.kind == kBigint || type.kind == kDouble ||
                      type.kind == kDecimal;
  cell.kind = number ? Cell::Kind::kNumber : Cell::Kind::kText;
  return cell;
}

}  // namespace

std::vector<ScriptPart> SplitScript(std::string_view script) {
  std::vector<sql::Diagnostic> ignored;  // the parser says them again
  sql::Lexer lexer(script, 0, ignored);
  sql::StatementTokens statement;
  std::vector<ScriptPart> parts;
  while (lexer.Next(statement)) {
    const std::vector<sql::Token>& tokens = statement.tokens;
    if (tokens.size() < 2 && !statement.broken) continue;
    const sql::SourceSpan& first = tokens.front().span;
    // Up to the semicolon: a broken statement may hold more than its tokens.
    const size_t end = std::max(tokens.back().span.begin, first.begin);
    parts.push_back(
        {std::string(script.substr(first.begin, end - first.begin)), first.line, first.column});
  }
  return parts;
}

Status SqlSession::Open() {
  read_only_ = directory_.has_value();
  HR_ASSIGN(workspace_, Workspace::Open({directory_, read_only_, true}));
  return Ok();
}

Status SqlSession::OpenForWriting() {
  if (!read_only_) return Ok();
  workspace_.reset();
  read_only_ = false;
  HR_ASSIGN(workspace_, Workspace::Open({directory_, false, false}));
  return Ok();
}

Answer SqlSession::Run(const ScriptPart& part, const std::string& name) {
  Answer answer;
  if (workspace_->engine().IsDefinition(part.text)) {
    Status done = OpenForWriting();
    if (done.ok()) done = workspace_->engine().Execute(part.text, name);
    if (!done.ok()) answer.error = MovedTo(std::move(done).error(), part, name);
    return answer;
  }
  Result<engine::QueryResult> result = workspace_->engine().Query(part.text);
  if (result.ok()) {
    answer.result = std::move(result).value();
  } else {
    answer.error = MovedTo(std::move(result).error(), part, name);
  }
  return answer;
}

std::string AnswerJson(const Answer& answer) {
  if (answer.result) return serve::QueryJson(*answer.result);
  if (!answer.error) return R"({"columns":[],"rows":[]})";
  const Place place = ReadPlace(answer.error->place()).value_or(Place{1, 1});
  std::string out = R"({"error":{"code":)";
  row::AppendJsonString(answer.error->code(), out);
  out += ",\"message\":";
  row::AppendJsonString(FirstLine(answer.error->message()), out);
  out += ",\"line\":" + std::to_string(place.line) + ",\"column\":" + std::to_string(place.column);
  out += ",\"hint\":";
  if (answer.error->hint().empty()) {
    out += "null";
  } else {
    row::AppendJsonString(answer.error->hint(), out);
  }
  return out + "}}";
}

Listing ListingOf(const engine::QueryResult& result) {
  std::vector<std::string> names;
  for (const row::Column& column : result.columns.columns)
    names.push_back(column.name);
  Listing listing(names);
  for (const std::vector<row::Value>& values : result.rows) {
    std::vector<Cell> cells;
    for (size_t i = 0; i < values.size(); ++i) {
      cells.push_back(CellOf(values[i], result.columns.columns[i].type));
    }
    listing.Add(std::move(cells));
  }
  return listing;
}

}  // namespace headrace::cli
