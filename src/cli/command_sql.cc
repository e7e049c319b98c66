#include "cli/commands.h"
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

ExitCode RunSql(const Arguments& arguments, Console& console) {
  if (arguments.Has("-c") && arguments.Has("-f")) {
    return console.FailUsage("-c and -f exclude each other", "sql");
  }
  Result<Script> script = ReadScript(arguments);
  if (!script.ok()) return console.Fail(script.error());
  std::optional<std::string> directory;
  if (arguments.Has("--data")) directory = arguments.Get("--data", "");
  SqlSession session(directory);
  if (Status opened = session.Open(); !opened.ok()) return console.Fail(opened.error());

  const bool lines = arguments.Has("--jsonl");
  ExitCode code = ExitCode::kOk;
  bool first = true;
  for (const ScriptPart& part : SplitScript(script->text)) {
    const Answer answer = session.Run(part, script->name);
    if (lines) {
      console.Out(AnswerJson(answer) + "\n");
    } else if (answer.result) {
      console.Out((first ? "" : "\n") + ListingOf(*answer.result).Table());
      first = false;
    }
    if (!answer.error) continue;
    code = ExitCodeOf(*answer.error);
    if (!lines) console.Fail(*answer.error);
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
                    {"--jsonl", "", "one JSON document a statement, errors included"},
                    {"--keep-going", "", "go on after an error, and exit 78 at the end"}},
          .more =
              "  headrace sql -c \"SELECT 1 + 1\"\n"
              "  headrace sql --data DIR -c \"SELECT decision, count(*) FROM decisions "
              "GROUP BY decision\"\n",
          .run = RunSql};
}

}  // namespace headrace::cli
