"""The bench runner measures all it can, a line for each, and says no when a goal is missed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

GOOD = """
def fast():
    return {"value": 2.5, "unit": "ms", "floor": 2.0, "ratio": 1.25, "goal": 1.5, "ok": True,
            "runs": [2.4, 2.5, 2.6]}
BENCHES = {"fast": fast}
"""
BAD = """
def slow():
    return {"value": 9, "unit": "s", "goal": 3, "ok": False, "runs": [9, 9, 9]}
def broken():
    raise OSError("the port is taken")
BENCHES = {"slow": slow, "broken": broken}
"""


@pytest.fixture
def runner(root, tmp_path):
    folder = tmp_path / "tests" / "perf"
    folder.mkdir(parents=True)
    shutil.copy(root / "tests" / "perf" / "run.py", folder)
    (folder / "bench_good.py").write_text(GOOD, encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(folder / "run.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    run.folder = folder
    return run


def test_a_run_that_meets_its_goals_prints_one_json_object_a_line(runner):
    done = runner("--json")
    assert done.returncode == 0
    (line,) = map(json.loads, done.stdout.splitlines())
    assert line["name"] == "fast"
    assert line["ratio"] == 1.25


def test_a_bench_that_raises_is_told_and_the_others_are_still_measured(runner):
    (runner.folder / "bench_bad.py").write_text(BAD, encoding="utf-8")
    done = runner("--json")
    lines = {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 4
    assert {name: line["ok"] for name, line in lines.items()} == {
        "fast": True, "slow": False, "broken": False,
    }  # fmt: skip
    assert "broken could not be measured: the port is taken" in done.stderr


def test_a_file_of_benches_that_cannot_be_imported_does_not_hide_the_rest(runner):
    (runner.folder / "bench_missing.py").write_text("import nowhere_at_all\n", encoding="utf-8")
    done = runner("--json")
    verdicts = [json.loads(line)["ok"] for line in done.stdout.splitlines()]
    assert sorted(verdicts) == [False, True]
    assert "nowhere_at_all" in done.stderr


def test_a_table_for_people_names_the_ratio_and_the_verdict(runner):
    assert "x1.25 of 2" in runner("fast").stdout
    assert "ok" in runner("fast").stdout


def test_an_unknown_name_is_answered_with_the_names_there_are(runner):
    done = runner("fats")
    assert done.returncode == 2
    assert "fast" in done.stderr


def test_every_bench_of_the_project_can_be_loaded(root):
    command = [sys.executable, str(root / "tests" / "perf" / "run.py"), "--list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
