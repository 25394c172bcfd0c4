"""Writes installer/lock/*.txt from pyproject.toml, with a hash for every file of every package.

    .venv/bin/python installer/make_locks.py [--upgrade]

Needs `uv` (pip install uv). Pins that are there stay unless --upgrade is given. The locks name no
package index, so that they install from whichever one a machine is set up for.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# First the widest set; the others take their versions from it.
LOCKS: dict[str, tuple[str, ...]] = {
    "dev": ("ui", "dev"),
    "ui": ("ui",),
    "test": ("test",),
    "core": (),
}


def compile_command(uv: str, name: str, extras: tuple[str, ...], upgrade: bool) -> list[str]:
    """The command that writes one lock; paths are relative so that no machine's paths get in."""
    command = [uv, "pip", "compile", "pyproject.toml", "--quiet"]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-header", "--no-emit-index-url", "--no-annotate"]
    command += ["--output-file", f"installer/lock/{name}.txt"]
    for extra in extras:
        command += ["--extra", extra]
    if name != "dev":
        command += ["--constraint", "installer/lock/dev.txt"]
    if upgrade:
        command.append("--upgrade")
    return command


def main(arguments: list[str]) -> int:
    """Write all locks; 3 when uv is not there, otherwise what uv said."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        print("uv is not installed here. Get it with: pip install uv", file=sys.stderr)
        return 3
    for name, extras in LOCKS.items():
        command = compile_command(uv, name, extras, "--upgrade" in arguments)
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code:
            return code
        print(f"installer/lock/{name}.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
