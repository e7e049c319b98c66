#include <string>

#include "cli/command.h"

namespace headrace::cli {
namespace {

constexpr size_t kSummaryColumn = 20;

void AppendPadded(std::string_view text, size_t width, std::string& out) {
  out += text;
  out.append(text.size() < width ? width - text.size() : 1, ' ');
}

std::string_view FirstWord(std::string_view name) {
  return name.substr(0, name.find(' '));
}

bool AsksForHelp(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (word == "--help" || word == "-h") return true;
  }
  return false;
}

const Command* FindCommand(const std::vector<Command>& commands, std::string_view name) {
  for (const Command& command : commands) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

ExitCode UnknownWord(const std::vector<Command>& commands, const std::string& word,
                     Console& console) {
  std::vector<std::string_view> names;
  for (const Command& command : commands)
    names.push_back(command.name);
  std::string message = "unknown command `" + word + "`";
  if (std::string near = Closest(word, names); !near.empty()) {
    message += "; did you mean `" + near + "`?";
  }
  return console.FailUsage(message, "");
}

ExitCode RunOne(const Command& command, const std::vector<std::string>& words, Console& console) {
  if (AsksForHelp(words)) {
    console.Out(HelpText(command));
    return ExitCode::kOk;
  }
  Result<Arguments> arguments = Arguments::Parse(command.flags, words);
  if (!arguments.ok()) return console.FailUsage(arguments.error().message(), command.name);
  const size_t count = arguments->positionals().size();
  if (count < command.positionals_min || count > command.positionals_max) {
    std::string message =
        count < command.positionals_min ? "something is missing" : "too many words";
    message += ": headrace " + std::string(command.name);
    if (!command.positionals.empty()) message += " " + std::string(command.positionals);
    return console.FailUsage(message, command.name);
  }
  return command.run(*arguments, console);
}

}  // namespace

std::string OverviewText(const std::vector<Command>& commands) {
  std::string text =
      "headrace " HEADRACE_VERSION
      ": events in, features, scores and decisions out, and every one can be explained\n\n"
      "  headrace demo fraud --once      see it work, without network or configuration\n"
      "  headrace run app.sql --input payments=payments.jsonl --output decisions=- --once\n";
  std::string_view group;
  for (const Command& command : commands) {
    if (command.group != group) {
      group = command.group;
      text += "\n";
      text += group;
      text += "\n";
    }
    text += "  ";
    AppendPadded(command.name, kSummaryColumn, text);
    text += command.summary;
    text += "\n";
  }
  text +=
      "\n`headrace COMMAND --help` says more; `headrace FILE.sql` is `headrace run FILE.sql`.\n"
      "Data goes to standard output, everything else to standard error.\n"
      "Exit codes: 0 ok, 1 failed, 2 usage, 65 bad data, 66 no input, 69 unavailable, 70 our bug,\n"
      "74 I/O, 75 try again, 77 denied, 78 SQL or configuration, 124 timeout, 130 interrupted.\n";
  return text;
}

std::string HelpText(const Command& command) {
  std::string text = "headrace " + std::string(command.name);
  if (!command.positionals.empty()) text += " " + std::string(command.positionals);
  if (!command.flags.empty()) text += " [flags]";
  text += "\n\n" + std::string(command.summary) + "\n";
  if (!command.more.empty()) text += "\n" + std::string(command.more);
  if (!command.flags.empty()) text += "\nFlags\n";
  for (const Flag& flag : command.flags) {
    std::string left = std::string(flag.name);
    if (!flag.value.empty()) left += " " + std::string(flag.value);
    if (flag.repeated) left += "...";
    text += "  ";
    AppendPadded(left, 26, text);
    text += std::string(flag.help) + "\n";
  }
  return text;
}

std::string GroupHelpText(const std::vector<Command>& commands, std::string_view group) {
  std::string text;
  for (const Command& command : commands) {
    if (command.name.find(' ') == std::string_view::npos || FirstWord(command.name) != group) {
      continue;
    }
    text += "  headrace ";
    AppendPadded(command.name, kSummaryColumn, text);
    text += std::string(command.summary) + "\n";
  }
  return text;
}

ExitCode RunCommandLine(const std::vector<std::string>& words, Console& console) {
  const std::vector<Command> commands = AllCommands();
  if (words.empty()) {
    console.Note(OverviewText(commands));
    return ExitCode::kUsage;
  }
  const std::string& first = words[0];
  if (first == "--help" || first == "-h" || first == "help") {
    if (words.size() > 1 && first == "help") {
      std::vector<std::string> rest(words.begin() + 1, words.end());
      rest.emplace_back("--help");
      return RunCommandLine(rest, console);
    }
    console.Out(OverviewText(commands));
    return ExitCode::kOk;
  }
  if (first == "--version") return RunCommandLine({"version"}, console);
  if (const Command* command = FindCommand(commands, first); command != nullptr) {
    return RunOne(*command, {words.begin() + 1, words.end()}, console);
  }
  if (words.size() > 1) {
    if (const Command* command = FindCommand(commands, first + " " + words[1]);
        command != nullptr) {
      return RunOne(*command, {words.begin() + 2, words.end()}, console);
    }
  }
  if (std::string group = GroupHelpText(commands, first); !group.empty()) {
    if (AsksForHelp(words)) {
      console.Out(group);
      return ExitCode::kOk;
    }
    const std::string word = words.size() > 1 ? first + " " + words[1] : first;
    return words.size() > 1 ? UnknownWord(commands, word, console)
                            : (console.Note(group), ExitCode::kUsage);
  }
  if (first.ends_with(".sql")) {
    if (const Command* run = FindCommand(commands, "run"); run != nullptr) {
      return RunOne(*run, words, console);
    }
  }
  return UnknownWord(commands, first, console);
}

}  // namespace headrace::cli
