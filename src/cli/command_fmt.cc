#include <string>

#include "cli/commands.h"
#include "cli/workspace.h"
#include "sql/format.h"
#include "sql/lexer.h"
#include "sql/parser.h"

namespace headrace::cli {
namespace {

struct Formatted {
  std::string text;
  int lost_comment_line = 0;  // a comment that the formatter cannot keep; 0: none
};

// Comments between the words of a statement are not part of its tree.
int FindInnerComment(std::string_view script) {
  std::vector<sql::Diagnostic> ignored;
  sql::Lexer lexer(script, 0, ignored);
  sql::StatementTokens statement;
  while (lexer.Next(statement)) {
    if (statement.inner_comments) return statement.tokens.front().span.line;
  }
  return 0;
}

std::string TrailingComments(std::string_view script) {
  std::vector<sql::Diagnostic> ignored;
  sql::Lexer lexer(script, 0, ignored);
  sql::StatementTokens statement;
  while (lexer.Next(statement)) {
  }
  std::string text;
  for (const std::string& comment : statement.comments)
    text += comment + "\n";
  return text;
}

Result<Formatted> FormatScript(const std::string& name, const std::string& script) {
  sql::SourceMap sources;
  const int file = sources.Add(name, script);
  const sql::ParseResult parsed = sql::Parse(sources.text(file), file);
  if (!parsed.ok()) {
    return Error(ErrorKind::kInvalidArgument, parsed.errors.front().code,
                 sql::Render(parsed.errors, sources));
  }
  Formatted out;
  out.lost_comment_line = FindInnerComment(script);
  for (const sql::Statement& statement : parsed.statements) {
    if (!out.text.empty()) out.text += "\n";
    out.text += sql::Format(statement) + ";\n";
  }
  if (std::string rest = TrailingComments(script); !rest.empty()) {
    out.text += (out.text.empty() ? "" : "\n") + rest;
  }
  return out;
}

ExitCode FormatFile(os::FileSystem& files, const std::string& path, const Arguments& arguments,
                    Console& console) {
  Result<std::string> script = ReadInput(files, path);
  if (!script.ok()) return console.Fail(script.error());
  Result<Formatted> formatted = FormatScript(path, *script);
  if (!formatted.ok()) return console.Fail(formatted.error());
  if (formatted->lost_comment_line > 0) {
    return console.Fail(
        Error(ErrorKind::kAlreadyExists, "HR9007", "a comment within a statement would be lost")
            .AtPlace(path + ":" + std::to_string(formatted->lost_comment_line))
            .WithHint("put it in front of the statement"));
  }
  if (arguments.Has("--check")) {
    if (formatted->text == *script) return ExitCode::kOk;
    console.Note(path + ": not as `headrace fmt` writes it\n");
    return ExitCode::kFailed;
  }
  if (!arguments.Has("--write") || path == "-") {
    console.Out(formatted->text);
    return ExitCode::kOk;
  }
  if (formatted->text == *script) return ExitCode::kOk;
  Status written = os::ReplaceFile(files, path, formatted->text);
  return written.ok() ? ExitCode::kOk : console.Fail(written.error());
}

ExitCode RunFormat(const Arguments& arguments, Console& console) {
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  ExitCode code = ExitCode::kOk;
  for (const std::string& path : arguments.positionals()) {
    const ExitCode one = FormatFile(*files, path, arguments, console);
    if (one != ExitCode::kOk) code = one;
  }
  return code;
}

}  // namespace

Command FormatCommand() {
  return {.name = "fmt",
          .group = "Check",
          .summary = "print a script in canonical spelling",
          .positionals = "FILE.sql...",
          .positionals_min = 1,
          .positionals_max = 1000,
          .flags = {{"--write", "", "rewrite the files instead"},
                    {"--check", "", "only say which differ; exit 1 when one does"}},
          .run = RunFormat};
}

}  // namespace headrace::cli
