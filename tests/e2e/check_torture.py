"""`headrace doctor --torture`: a sound program has no findings, a planted fault is found with its evidence."""
import contextlib
import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

FILE_HEADER, FRAME_HEADER, END_OF_GROUP = 64, 32, 4
GROUPS_CUT, GROUPS_WANTED = 8, 60  # four producers have at most four groups that were not acknowledged


def groups(journal):
    """Where each whole group of a journal file begins, and where the last one ends."""
    epoch, at, begin, begins = struct.unpack_from("<I", journal, 4)[0], FILE_HEADER, FILE_HEADER, []
    while at + FRAME_HEADER <= len(journal):
        length, kind, frame_epoch = struct.unpack_from("<IB3xI", journal, at)
        if frame_epoch != epoch or not 1 <= kind <= 5:
            break
        at += FRAME_HEADER + (length + 7) // 8 * 8
        if kind == END_OF_GROUP:
            begins.append(begin)
            begin = at
    return begins, at


def cut_the_last_groups(data):
    """What a disk does that said it had flushed and had not: once, when there is enough to lose."""
    newest = max(Path(data, "journal").glob("0*.journal"), default=None)
    done = Path(data).parent / "cut"
    if newest is None or done.exists():
        return
    journal = newest.read_bytes()
    begins, end = groups(journal)
    if len(begins) < GROUPS_WANTED:
        return
    with open(newest, "r+b") as file:
        file.seek(begins[-GROUPS_CUT])
        file.write(bytes(end - begins[-GROUPS_CUT]))
    done.write_text(str(begins[-GROUPS_CUT]))


def check_a_sound_program_has_no_findings_and_leaves_nothing(program):
    with program.scratch() as d:
        out, err = program.ok("doctor", "--torture", d / "t", "--lives", 4, "--seed", 5, "--json")
        report = json.loads(out)
        assert report["seed"] == 5 and report["lives"] == 5 and report["kills"] > 0, report
        assert report["acknowledged"] > 0 and report["rows_seen"] > 0 and report["rows_audited"] > 0, report
        assert report["findings"] == [] and not any(report["found"].values()), report
        assert "seed 5" in err, err
        assert not (d / "t").exists()
        (d / "mine").mkdir()
        out, _ = program.ok("doctor", "--torture", d / "mine", "--minutes", "0.01")
        assert "nothing lost" in out and list((d / "mine").iterdir()) == [], out


def check_acknowledged_events_that_the_disk_forgot_are_found(program):
    with program.scratch() as d:
        between = f"{sys.executable} {os.path.abspath(__file__)} \"$1\""
        code, out, err = program.run("doctor", "--torture", d / "t", "--lives", 20, "--seed", 3, "--json", "--between",
                                     between)
        assert (d / "t" / "cut").exists(), "no life had enough to lose"
        assert code == 1, (code, out, err)
        report = json.loads(out)
        assert report["lives"] < 20 and report["found"]["lost"] > 0, report["found"]
        assert report["kept"] == str(d / "t") and json.loads((d / "t" / "findings.json").read_text()) == report
        lost = [f for f in report["findings"] if f["fault"] == "lost" and "offset" in f]
        assert lost and all(f["life"] < f["found_in_life"] and "acknowledged in life" in f["text"] for f in lost), lost
        # The freed places were given again, and what stands there has its place in the journal.
        data = next((d / "t").glob("data-*"))
        dump, _ = program.ok("log", "dump", "--data", data)
        lsns = {entry["lsn"] for entry in map(json.loads, dump.splitlines())}
        assert all(f["lsn"] in lsns for f in report["findings"] if "lsn" in f), report["findings"]
        # What was shown is in the directory that was kept, and the program is content with it: only a
        # history can tell.
        program.ok("verify", "--data", data)


def check_a_directory_that_cannot_be_tortured_is_refused(program):
    with program.scratch() as d:
        (d / "mine").write_text("x")
        code, _, err = program.run("doctor", "--torture", d, "--lives", 1)
        assert code == 2 and "HR9020" in err and "mine" in err, (code, err)
        code, _, err = program.run("doctor", "--torture", d / "mine" / "below", "--lives", 1)
        assert code == 66 and "HR7001" in err and (d / "mine").read_text() == "x", (code, err)
        for words in (["--minutes", "0"], ["--minutes", "soon"], ["--lives", "0"], ["--seed", "x"], ["--data", "y"]):
            code, _, err = program.run("doctor", "--torture", d / "new", *words)
            assert code == 2 and "HR9001" in err and not (d / "new").exists(), (words, code, err)
        assert program.run("doctor", "--seed", "3")[0] == 2


def check_a_command_between_lives_that_fails_ends_it(program):
    with program.scratch() as d:
        code, _, err = program.run("doctor", "--torture", d / "t", "--lives", 3, "--between", "exit 3")
        assert code == 74 and "HR9022" in err and "exit 3" in err, (code, err)


def server_of(process):
    """The process that a torture runs as its server at this moment, or None."""
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            if b"\0serve\0" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
    return None


def soon(what):
    """What `what` gives as soon as that is true."""
    deadline = time.monotonic() + 30
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert found, "it does not come true"
    return found


def check_no_server_outlives_a_torture_that_is_killed(program):
    with program.scratch() as d:
        process = subprocess.Popen([program.binary, "doctor", "--torture", str(d / "t"), "--lives", "100"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            server = soon(lambda: server_of(process))
        finally:
            process.kill()
            process.wait()
        soon(lambda: not Path(f"/proc/{server}").exists())


if __name__ == "__main__":
    cut_the_last_groups(sys.argv[1])
