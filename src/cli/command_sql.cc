#include <optional>

#include "cli/commands.h"
#include "cli/remote.h"
#include "cli/sql_session.h"

namespace headrace::cli {
namespace {

struct Script {
  std::string name;
  std::string text;
};

Result<Script> ReadScript(const Arguments& arguments) {
  if (const std::string* text = arguments.Find("-c"); text != nullptr) {
    return Script{"command line", *text};
  }
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  const std::string path = arguments.Get("-f", "-");
  HR_ASSIGN(std::string text, ReadInput(*files, path));
  return Script{path == "-" ? "standard input" : path, std::move(text)};
}

// One statement, asked of a data directory or of a server: what is printed, or an error.
class Asker {
 public:
  Asker(SqlSession session, std::optional<Remote> remote)
      : session_(std::move(session)), remote_(std::move(remote)) {}

  Status Open() { return remote_ ? Ok() : session_.Open(); }
  // `lines`: a JSON document, errors included; otherwise a table, empty for a definition.
  std::string Ask(const ScriptPart& part, const std::string& name, bool lines,
                  std::optional<Error>* error) {
    if (remote_) return AskRemote(part, lines, error);
    const Answer answer = session_.Run(part, name);
    *error = answer.error;
    if (lines) return AnswerJson(answer) + "\n";
    return answer.result ? ListingOf(*answer.result).Table() : "";
  }

 private:
  std::string AskRemote(const ScriptPart& part, bool lines, std::optional<Error>* error) {
    Result<std::string> body = remote_->Sql(part.text);
    if (!body.ok()) *error = body.error();
    if (lines) return body.ok() ? *body + "\n" : AnswerJson({{}, *error}) + "\n";
    if (!body.ok()) return "";
    Result<Listing> listing = ListingOfJson(*body);
    if (!listing.ok()) *error = listing.error();
    return listing.ok() && listing->size() > 0 ? listing->Table() : "";
  }

  SqlSession session_;
  std::optional<Remote> remote_;
};

Result<Asker> OpenAsker(const Arguments& arguments) {
  std::optional<std::string> directory;
  if (arguments.Has("--data")) directory = arguments.Get("--data", "");
  std::optional<Remote> remote;
  if (const std::string* url = arguments.Find("--url")) {
    if (directory) return BadUsage("--data and --url exclude each other");
    HR_ASSIGN(remote, Remote::At(*url));
  }
  Asker asker{SqlSession(directory), std::move(remote)};
  HR_TRY(asker.Open());
  return asker;
}

ExitCode RunSql(const Arguments& arguments, Console& console) {
  if (arguments.Has("-c") && arguments.Has("-f")) {
    return console.FailUsage("-c and -f exclude each other", "sql");
  }
  Result<Script> script = ReadScript(arguments);
  if (!script.ok()) return console.Fail(script.error());
  Result<Asker> asker = OpenAsker(arguments);
  if (!asker.ok() && asker.error().code() == "HR9001") {
    return console.FailUsage(asker.error().message(), "sql");
  }
  if (!asker.ok()) return console.Fail(asker.error());

  const bool lines = arguments.Has("--jsonl");
  ExitCode code = ExitCode::kOk;
  bool first = true;
  for (const ScriptPart& part : SplitScript(script->text)) {
    std::optional<Error> error;
    const std::string said = asker->Ask(part, script->name, lines, &error);
    if (!said.empty()) console.Out((lines || first ? "" : "\n") + said);
    first = first && said.empty();
    if (!error) continue;
    code = ExitCodeOf(*error);
    if (!lines) console.Fail(*error);
    if (!arguments.Has("--keep-going")) return code;
    code = ExitCode::kConfiguration;
  }
  return code;
}

}  // namespace

Command SqlCommand() {
  return {.name = "sql",
          .group = "Ask",
          .summary = "run SQL statements and print what they answer",
          .flags = {{"-c", "TEXT", "the statements"},
                    {"-f", "FILE", "a script; `-` or neither: standard input"},
                    {"--data", "DIR", "the data directory to ask; without it, an empty one"},
                    kUrlFlag,
                    {"--jsonl", "", "one JSON document a statement, errors included"},
                    {"--keep-going", "", "go on after an error, and exit 78 at the end"}},
          .more =
              "  headrace sql -c \"SELECT 1 + 1\"\n"
              "  headrace sql --data DIR -c \"SELECT decision, count(*) FROM decisions "
              "GROUP BY decision\"\n",
          .run = RunSql};
}

}  // namespace headrace::cli
