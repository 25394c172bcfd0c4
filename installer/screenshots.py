"""Takes the pictures of the README: runs the demo off-screen and copies what it saved.

.venv/bin/python installer/screenshots.py
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "screenshots"
WATCHED_S = 60
"""Long enough for lines to grow in the chart and for the building's faults to be judged."""


def main() -> int:
    """Run the demo in a profile of its own; returns its exit code, 4 when it saved nothing."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    with tempfile.TemporaryDirectory(prefix="plantroom-shots-") as folder:
        command = [sys.executable, "-m", "app", "--data", folder]
        command += ["demo", "--for", str(WATCHED_S), "--json"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            return done.returncode
        said = json.loads(done.stdout.strip().splitlines()[-1])
        pictures = sorted(Path(folder).rglob("screenshots/*.png"))
        if not pictures:
            print(f"the demo saved no picture: {said}", file=sys.stderr)
            return 4
        PICTURES.mkdir(parents=True, exist_ok=True)
        for picture in pictures:
            shutil.copy(picture, PICTURES / picture.name)
            print(PICTURES.relative_to(ROOT) / picture.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
