"""Runs the benches and prints one line for each: python tests/perf/run.py [NAME...] [--json].

A bench is a function in the `BENCHES` of a `bench_*.py` beside this file; it returns value, unit,
goal, ok and runs, and where the goal is relative to a floor measured in the same run, floor and
ratio. Exit code 4 when a goal was missed or a bench failed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUDGET_S = 20 * 60
"""The whole run on two cores; a bench that would begin later is not begun."""

MISSED = 4
WRONG_USE = 2

Bench = Callable[[], dict[str, Any]]


def load(path: Path) -> ModuleType:
    """Import one file of benches."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def find_benches(folder: Path = HERE) -> dict[str, Bench]:
    """Every bench by name; a file that cannot be imported becomes a bench that says so."""
    benches: dict[str, Bench] = {}
    for path in sorted(folder.glob("bench_*.py")):
        try:
            found: dict[str, Bench] = load(path).BENCHES
        except Exception as error:  # noqa: BLE001 - one broken file must not hide the others
            print(f"{path.name} cannot be loaded: {error}", file=sys.stderr)
            found = {path.stem.removeprefix("bench_"): _failing(error)}
        if double := benches.keys() & found.keys():
            raise SystemExit(f"two benches are called {', '.join(sorted(double))}")
        benches |= found
    return benches


def _failing(error: Exception) -> Bench:
    def bench() -> dict[str, Any]:
        raise error

    return bench


def measure(name: str, bench: Bench) -> dict[str, Any]:
    """One bench's line; a bench that raises is not ok and tells why on standard error."""
    try:
        return {"name": name, **bench()}
    except Exception as error:  # noqa: BLE001 - the rest still has to be measured
        traceback.print_exception(error, limit=-3, file=sys.stderr)
        print(f"{name} could not be measured: {error}", file=sys.stderr)
        return _unmeasured(name)


def _unmeasured(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "value": 0,
        "unit": "",
        "goal": "measured at all",
        "ok": False,
        "runs": [],
    }


def as_row(line: dict[str, Any]) -> str:
    """A line for people."""
    value = f"{_short(line['value'])} {line['unit']}"
    ratio = f"x{line['ratio']:.2f} of {_short(line['floor'])}" if "ratio" in line else ""
    verdict = "ok" if line["ok"] else "MISSED"
    return f"{line['name']:<44} {value:>18} {ratio:>20}  goal {line['goal']:<24} {verdict}"


def _short(number: float) -> str:
    return f"{number:,.3g}" if abs(number) < 1000 else f"{number:,.0f}"


def main(arguments: list[str]) -> int:
    """Measure what was asked for, in order of name; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    options = parser.parse_args(arguments)
    benches = find_benches()
    if unknown := [name for name in options.names if name not in benches]:
        print(f"no bench is called {', '.join(unknown)}; there are:", file=sys.stderr)
        print("\n".join(f"  {name}" for name in benches), file=sys.stderr)
        return WRONG_USE
    if options.list:
        print("\n".join(benches))
        return 0
    return run({name: benches[name] for name in options.names or benches}, options.json)


def run(benches: dict[str, Bench], as_json: bool) -> int:
    """Measure and print; 4 when anything was missed."""
    began = time.monotonic()
    missed = 0
    for name, bench in benches.items():
        if time.monotonic() - began > BUDGET_S:
            print(f"{name} was not begun: the run's 20 minutes are over", file=sys.stderr)
            line = _unmeasured(name)
        else:
            line = measure(name, bench)
        missed += not line["ok"]
        print(json.dumps(line) if as_json else as_row(line), flush=True)
    return MISSED if missed else 0


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.exit(main(sys.argv[1:]))
