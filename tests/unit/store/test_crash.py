"""`kill -9` in the middle of writing: the next start finds everything that was acknowledged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes.console_store import console_store, do, opened

from app.records.kinds import Asset

KILLS = 8
ROOT = Path(__file__).resolve().parents[3]


def write_until_killed(folder: Path) -> None:
    """The subprocess: creates and edits, and prints each acknowledged name."""
    store = console_store(folder)
    store.start()
    for n in range(1_000_000):
        made = do(store, lambda tx, n=n: tx.create(Asset, "s", name=f"first {n}"))
        print("created", made, f"first {n}", flush=True)
        seen = store.records.get(Asset, made)
        do(store, lambda tx, n=n, s=seen: tx.edit(s, name=f"second {n}"))
        print("edited", made, f"second {n}", flush=True)


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_nothing_acknowledged_is_missing_after_kill_9(tmp_path) -> None:
    pause = random.Random(2)
    acknowledged: dict[str, list[str]] = {}
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    for _ in range(KILLS):
        code = (
            "import sys, importlib.util as u;"
            f"s = u.spec_from_file_location('crash', {str(Path(__file__))!r});"
            "m = u.module_from_spec(s); s.loader.exec_module(m);"
            "import pathlib; m.write_until_killed(pathlib.Path(sys.argv[1]))"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        ) as process:
            lines = [process.stdout.readline() for _ in range(3)]
            time.sleep(pause.random() * 0.15)
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.read().splitlines()
        assert lines[0].startswith("created"), "the program did not start"
        for line in lines:
            if line.startswith(("created ", "edited ")) and len(line.split()) == 4:
                acknowledged.setdefault(line.split()[1], []).append(
                    line.split(maxsplit=2)[2].strip()
                )
        with opened(tmp_path) as store:
            report = store.audit.verify()
            assert report.ok, report.broken
            held = {asset.id: asset.name for asset in store.records.all(Asset)}
            for record, names in acknowledged.items():
                told = [c.value for c in store.records.history("asset", record)]
                assert set(names) <= set(told)
                assert held[record] == told[-1]
            outbox = store._outbox.read().operations
            assert outbox.keys() == {o.id for o in store._recorder.journal.unsent()}
    assert len(acknowledged) > KILLS
