"""bench/run.py with tiny sizes: every figure of large state comes out, with a number and a unit."""
import re
import subprocess
import sys
from pathlib import Path

from program import ROOT

FIGURES = {"restart.state_mb": "MB", "restart.state_ms": "ms", "restart.state_cpu_ms": "ms", "restart.replay_events": "events",
           "restart.replay_ms": "ms", "restart.replay_cpu_ms": "ms"}


def check_state(program):
    done = subprocess.run([sys.executable, ROOT / "bench" / "run.py", "--build", Path(program.binary).parent, "--keys", "2000",
                           "--state-mb", "1", "restart.state"], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-600:]
    lines = [re.fullmatch(r"(\S+) ([0-9.]+) (\S+)", line) for line in done.stdout.splitlines()]
    assert all(lines), done.stdout
    assert {line[1]: line[3] for line in lines} == FIGURES, done.stdout
    figures = {line[1]: float(line[2]) for line in lines}
    assert figures["restart.state_mb"] >= 1 and figures["restart.replay_events"] == 2000, done.stdout
