"""Writes the table of measured figures in README.md from docs/measured.jsonl.

    .venv/bin/python tests/perf/run.py --json > docs/measured.jsonl
    .venv/bin/python installer/readme_figures.py

With --check it writes nothing and fails when the table is not that of the file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
FIGURES = ROOT / "docs" / "measured.jsonl"
BEGIN = "<!-- measured: written by installer/readme_figures.py -->"
END = "<!-- measured: end -->"


def table(lines: list[dict[str, Any]]) -> str:
    """One row a bench: value, what it is compared with, its goal, and whether it was met."""
    rows = ["| bench | measured | against | goal | met |", "|---|---|---|---|---|"]
    for line in lines:
        against = ""
        if "ratio" in line:
            against = f"x{line['ratio']:.2f} of {short(line['floor'])}"
        measured = f"{short(line['value'])} {line['unit']}".strip()
        met = "yes" if line["ok"] else "**no**"
        rows.append(f"| `{line['name']}` | {measured} | {against} | {goal(line)} | {met} |")
    return "\n".join(rows)


def goal(line: dict[str, Any]) -> str:
    """The goal as the bench says it; a bare number is the limit of the value."""
    said = line["goal"]
    return f"at most {short(said)}" if isinstance(said, int | float) else str(said)


def short(number: float) -> str:
    """Three figures that mean something."""
    return f"{number:,.3g}" if abs(number) < 1000 else f"{number:,.0f}"


def with_table(readme: str, figures: str) -> str:
    """The README with the table between its two marks."""
    head, rest = readme.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    lines = [json.loads(line) for line in figures.splitlines() if line.strip()]
    return f"{head}{BEGIN}\n{table(lines)}\n{END}{tail}"


def main(arguments: list[str]) -> int:
    """Write the table, or compare it; 1 when it differs."""
    readme = README.read_text(encoding="utf-8")
    wanted = with_table(readme, FIGURES.read_text(encoding="utf-8"))
    if "--check" in arguments:
        if readme != wanted:
            print("README.md: run installer/readme_figures.py", file=sys.stderr)
        return int(readme != wanted)
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
