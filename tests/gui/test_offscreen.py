import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tour_says_what_it_sees_and_leaves_four_pictures(tmp_path):
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    ended = subprocess.run(
        [sys.executable, "-m", "fakes.tour_process", str(tmp_path / "shots")],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    *seen, last, left = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [Path(path).name for path in last["screenshots"]] == [
        "devices_light.png",
        "devices_dark.png",
        "attention_light.png",
        "devices_light_1280x720.png",
    ]
    assert all(Path(path).stat().st_size > 20_000 for path in last["screenshots"])
    assert seen[-1]["devices"] == 72
    assert "Rear door contact: The key was changed" in " ".join(seen[-1]["faults"])
    assert left == {"watches_left": 0}
