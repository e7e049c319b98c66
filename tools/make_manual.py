#!/usr/bin/env python3
"""Writes the manual page and the shell completions from what the program says of itself.

    tools/make_manual.py --binary build/headrace --output DIR

DIR gets share/man/man1/headrace.1, share/bash-completion/completions/headrace,
share/zsh/site-functions/_headrace and share/fish/vendor_completions.d/headrace.fish.
`make install` runs it, so that they cannot differ from `--help`.
"""
import argparse
import re
import subprocess
from pathlib import Path

COMMAND = re.compile(r"^  ([a-z]+(?: [a-z]+)?) {2,}(\S.*)$", re.M)
FLAG = re.compile(r"^  (-{1,2}[a-z][\w-]*)(?: ([A-Z][\w.:|=]*?)(?:\.{3})?)? +(\S.*)$", re.M)


class Command:
    """One command: name, summary, how it is written, what more it says, its flags."""

    def __init__(self, name, summary, help_text):
        self.name, self.summary = name, summary
        head, _, flags = help_text.partition("\nFlags\n")
        lines = head.split("\n")
        self.usage = lines[0]
        self.more = "\n".join(lines[1:]).replace(summary, "", 1).strip("\n")
        self.flags = FLAG.findall(flags)


def told(binary, *words):
    return subprocess.run([binary, *words, "--help"], check=True, capture_output=True, text=True).stdout


def read_commands(binary):
    overview = told(binary)
    return overview, [Command(name, summary, told(binary, *name.split())) for name, summary in COMMAND.findall(overview)]


def roff(text):
    """Text that means nothing to troff."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def manual(overview, commands):
    version = overview.split()[1].rstrip(":")
    out = [f'.TH HEADRACE 1 "" "headrace {version}" "User Commands"', ".SH NAME",
           "headrace \\- events in, features, scores and decisions out", ".SH SYNOPSIS", ".B headrace",
           ".I COMMAND", "[\\fIflags\\fR]", ".br", ".B headrace", ".I FILE.sql", "[\\fIflags of run\\fR]", ".SH DESCRIPTION",
           roff("Keeps an event log, computes features from it by SQL, scores them with models, decides, and explains and "
                "recomputes every decision. Data goes to standard output, everything else to standard error."),
           ".SH COMMANDS"]
    for command in commands:
        out += [f".SS {roff(command.usage)}", roff(command.summary[0].upper() + command.summary[1:] + ".")]
        if command.more:
            out += [".PP", ".nf", roff(command.more), ".fi"]
        for flag, value, text in command.flags:
            out += [".TP", f"\\fB{roff(flag)}\\fR" + (f" \\fI{roff(value)}\\fR" if value else ""), roff(text)]
    codes = " ".join(overview.partition("Exit codes:")[2].split())
    out += [".SH EXIT STATUS", roff(codes), ".SH FILES", ".TP", "\\fI$TMPDIR\\fR",
            "where a run without \\fB\\-\\-data\\fR keeps its directory (/tmp)"]
    return "\n".join(out) + "\n"


def words_of(commands):
    """{first word: its second words}, in order."""
    tree = {}
    for command in commands:
        first, _, second = command.name.partition(" ")
        tree.setdefault(first, []).extend([second] if second else [])
    return tree


def bash(commands):
    tree = words_of(commands)
    cases = "\n".join(f'      "{c.name}") words="{" ".join(f for f, _, _ in c.flags)} --help" ;;' for c in commands)
    groups = "\n".join(f'    {first}) words="{" ".join(seconds)} --help" ;;' for first, seconds in tree.items() if seconds)
    return f"""# bash completion of headrace
_headrace() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" name="${{COMP_WORDS[1]}}" words=""
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "{' '.join(tree)} --help" -- "$word") $(compgen -f -X '!*.sql' -- "$word"))
    return
  fi
  if [[ $COMP_CWORD -eq 2 ]]; then
    case "$name" in
{groups}
    esac
  fi
  case "$name" in
    {'|'.join(first for first, seconds in tree.items() if seconds)}) [[ $COMP_CWORD -gt 2 ]] && name="$name ${{COMP_WORDS[2]}}" ;;
  esac
  if [[ -z $words && $word == -* ]]; then
    case "$name" in
{cases}
    esac
  fi
  if [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}}
complete -o filenames -F _headrace headrace
"""


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def zsh(commands):
    tree = words_of(commands)
    first = " ".join(quoted(f"{c.name}:{c.summary}") for c in commands if " " not in c.name)
    groups = " ".join(tree_first for tree_first, seconds in tree.items() if seconds)
    cases = []
    for command in commands:
        flags = " ".join(quoted(flag + "[" + re.sub(r"[\[\]]", "", text) + "]" + (f":{value}:_files" if value else ""))
                         for flag, value, text in command.flags)
        cases.append(f"    {quoted(command.name)}) _arguments {flags} '*:file:_files' ;;")
    seconds = "\n".join(f"    {first_word}) compadd {' '.join(words)}; return ;;" for first_word, words in tree.items() if words)
    return f"""#compdef headrace
local -a commands=({first})
if (( CURRENT == 2 )); then
  _describe command commands
  compadd {groups}
  _files -g '*.sql'
  return
fi
local name=$words[2]
if (( CURRENT == 3 )); then
  case $name in
{seconds}
  esac
fi
case $name in
  {'|'.join(groups.split())}) name="$name $words[3]"; shift 2 words; (( CURRENT -= 2 )) ;;
  *) shift words; (( CURRENT -= 1 )) ;;
esac
case $name in
{chr(10).join(cases)}
esac
"""


def fish(commands):
    lines = ["# fish completion of headrace"]
    for command in commands:
        first, _, second = command.name.partition(" ")
        here = f"__fish_seen_subcommand_from {first}"
        if second:
            here += f"; and __fish_seen_subcommand_from {second}"
            lines.append(f"complete -c headrace -n __fish_use_subcommand -a {first}")
            lines.append(f"complete -c headrace -n '__fish_seen_subcommand_from {first}' -a {second} -d {quoted(command.summary)}")
        else:
            lines.append(f"complete -c headrace -n __fish_use_subcommand -a {first} -d {quoted(command.summary)}")
        for flag, value, text in command.flags:
            kind = "-l" if flag.startswith("--") else "-s"
            lines.append(f"complete -c headrace -n '{here}' {kind} {flag.lstrip('-')} {'-r ' if value else ''}-d {quoted(text)}")
    return "\n".join(dict.fromkeys(lines)) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default="build/headrace")
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    overview, commands = read_commands(options.binary)
    share = Path(options.output) / "share"
    for name, text in (("man/man1/headrace.1", manual(overview, commands)),
                       ("bash-completion/completions/headrace", bash(commands)),
                       ("zsh/site-functions/_headrace", zsh(commands)),
                       ("fish/vendor_completions.d/headrace.fish", fish(commands))):
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        (share / name).write_text(text)


if __name__ == "__main__":
    main()
