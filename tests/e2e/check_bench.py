"""bench/run.py with tiny sizes: every figure of large state comes out, with a number and a unit."""
import re
import subprocess
import sys
from pathlib import Path

from program import ROOT

FIGURES = {"restart.1m_keys.mb": "MB", "restart.1m_keys.ms": "ms", "restart.1m_keys.cpu_ms": "ms", "restart.replay_1m.events": "events",
           "restart.replay_1m.ms": "ms", "restart.replay_1m.cpu_ms": "ms"}


def check_state(program):
    done = subprocess.run([sys.executable, ROOT / "bench" / "run.py", "--build", Path(program.binary).parent, "--keys", "2000",
                           "--state-mb", "1", "restart.1m_keys"], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-600:]
    lines = [re.fullmatch(r"(\S+) ([0-9.]+) (\S+)", line) for line in done.stdout.splitlines()]
    assert all(lines), done.stdout
    assert {line[1]: line[3] for line in lines} == FIGURES, done.stdout
    figures = {line[1]: float(line[2]) for line in lines}
    assert figures["restart.1m_keys.mb"] >= 1 and figures["restart.replay_1m.events"] == 2000, done.stdout
