"""The off-screen tour over the small core, as a process of its own: an event loop runs once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

from fakes.window_core import NOW_MS, WindowCore, building

from app.domain.routes import Route
from ui.bootstrap import run_offscreen


def main(folder: Path) -> int:
    """Run the tour for six seconds; its documents go to standard output."""
    core = WindowCore()
    core.directory.list = building(60)
    core.directory.routes = lambda: {"main-incomer": Route("asset", {"19": "cur_power"})}
    whole = SimpleNamespace(
        clock=core.clock,
        bus=core.bus,
        jobs=core.jobs,
        live=core.live,
        directory=core.directory,
        control=core.control,
        history=SimpleNamespace(raw=lambda *_: [(NOW_MS - 9_000, 61_000, "good", "lan")]),
    )
    core.jobs.start()
    try:
        return run_offscreen(whole, for_s=6, screenshots=folder, out=_say)
    finally:
        core.jobs.stop()
        _say({"watches_left": len(core.live._watches)})


def _say(document: dict) -> None:
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
