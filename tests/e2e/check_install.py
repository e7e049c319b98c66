"""`make install`: the program, its manual page and completions, as it describes itself; the library."""
import re
import subprocess
from pathlib import Path

from program import ROOT, Skip


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}: {(done.stdout + done.stderr)[-1500:]}"
    return done.stdout


def install(program, prefix):
    build = Path(program.binary).parent
    if not (build / "cmake_install.cmake").exists():
        raise Skip(f"{build} is no build tree")
    run("cmake", "--install", build, "--prefix", prefix)


def check_a_program_finds_and_embeds_the_installed_library(program):
    with program.scratch() as d:
        install(program, d / "usr")
        run("cmake", "-S", ROOT / "examples" / "embed", "-B", d / "build", f"-DCMAKE_PREFIX_PATH={d / 'usr'}")
        run("cmake", "--build", d / "build")
        payments = "".join(f'{{"tx_id":"t{i}","card":"c","amount":400,"ts":"2026-01-31T10:00:0{i}Z"}}\n' for i in (1, 2, 2, 3))
        rows = run(d / "build" / "decide", d / "data", input=payments).splitlines()
        assert len(rows) == 3 and '"decision":"review"' in rows[2], rows
        out, _ = program.ok("why", "decisions:0:2", "--data", d / "data")
        assert "the same bytes" in out, out


def check_what_is_installed_names_every_command_and_flag(program):
    with program.scratch() as d:
        install(program, d / "usr")
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
