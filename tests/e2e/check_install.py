"""`make install`: the program, its manual page and completions, as it describes itself."""
import re
import subprocess
from pathlib import Path

from program import Skip


def check_what_is_installed_names_every_command_and_flag(program):
    build = Path(program.binary).parent
    if not (build / "cmake_install.cmake").exists():
        raise Skip(f"{build} is no build tree")
    with program.scratch() as d:
        subprocess.run(["cmake", "--install", str(build), "--prefix", str(d / "usr")], check=True, capture_output=True)
        assert subprocess.run([d / "usr/bin/headrace", "version"], capture_output=True).returncode == 0
        page = (d / "usr/share/man/man1/headrace.1").read_text().replace("\\-", "-")
        completion = d / "usr/share/bash-completion/completions/headrace"
        subprocess.run(["bash", "-n", str(completion)], check=True)
        overview, _ = program.ok("--help")
        names = re.findall(r"^  ([a-z]+(?: [a-z]+)?) {2,}\S", overview, re.M)
        assert len(names) > 10, names
        for name in names:
            text, _ = program.ok(*name.split(), "--help")
            flags = re.findall(r"^  (-{1,2}[a-z][\w-]*)", text.partition("\nFlags\n")[2], re.M)
            assert f".SS headrace {name}" in page and all(f"\\fB{flag}\\fR" in page for flag in flags), name
            script = (f"source '{completion}'; COMP_WORDS=(headrace {name} -); COMP_CWORD={1 + len(name.split())}; _headrace; "
                      'echo "${COMPREPLY[@]}"')
            offered = subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split()
            assert set(flags) <= set(offered), (name, flags, offered)
