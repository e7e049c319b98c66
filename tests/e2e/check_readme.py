"""The commands of README.md do what it says."""
import os
import re
import subprocess

from program import ROOT, Skip


def check_the_commands_of_the_readme_work(program):
    readme = ROOT / "README.md"
    if not readme.exists():
        raise Skip("no README.md")
    blocks = re.findall(r"^```sh\n(.*?)^```", readme.read_text(), re.S | re.M)
    commands = "\n".join(b for b in blocks if "make" not in b.split())
    assert "headrace" in commands, "the README shows no command"
    with program.scratch() as d:
        (d / "examples").symlink_to(ROOT / "examples")
        path = os.path.dirname(program.binary) + os.pathsep + os.environ["PATH"]
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=d, capture_output=True, text=True,
                              timeout=120, env={**os.environ, "PATH": path})
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-800:]}\n{done.stderr[-800:]}"
