"""Brings .venv in the repository root up to date: the locked packages and this program itself.

A stamp inside .venv says what it was made from. When it agrees, nothing is done; when it does not,
or was never written because an earlier set-up broke off, the environment is mended or made anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import system_packages
from trouble import SetUpError, say

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "installer" / "lock" / "dev.txt"
STAMP = VENV / "plantroom-stamp"
OLDEST_GLIBC = (2, 34)
"""Qt's Linux wheel is built against it."""

NO_NETWORK = re.compile(
    "name resolution|Name or service not known|getaddrinfo|NewConnectionError|"
    "Network is unreachable|Connection refused|ProxyError|Read timed out|ConnectTimeout",
    re.IGNORECASE,
)
NOT_IN_THE_INDEX = re.compile(r"No matching distribution found for (\S+)")


def tool(name: str) -> Path:
    """A program inside the environment."""
    if os.name == "nt":
        return VENV / "Scripts" / f"{name}.exe"
    return VENV / "bin" / name


def wanted_stamp() -> str:
    """What the environment has to be made from: Python, the lock, this project, this folder."""
    digest = hashlib.sha256()
    for path in (LOCK, ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    # Scripts and the editable install name the folder: a moved checkout needs a new environment.
    digest.update(str(ROOT).encode())
    return f"{platform.python_version()} {platform.machine()} {digest.hexdigest()}\n"


def is_current() -> bool:
    """Whether nothing has to be done."""
    return (
        STAMP.exists()
        and STAMP.read_text(encoding="utf-8") == wanted_stamp()
        and tool("python").exists()
        and tool("plantroom").exists()
    )


def missing_packages() -> list[str]:
    """Debian packages without which .venv cannot be made here; empty when it is there already."""
    if _is_usable() or importlib.util.find_spec("pip") is not None:
        return []
    return system_packages.missing_for_venv()


def bring_up_to_date() -> None:
    """Make or mend .venv.

    Raises:
        SetUpError: something outside the project is missing.
    """
    if is_current():
        return
    _refuse_what_cannot_work()
    STAMP.unlink(missing_ok=True)
    if not _is_usable():
        _make_empty()
    say("Installing the locked packages into .venv (a minute or two the first time)")
    _pip("--require-hashes", "--requirement", str(LOCK))
    say("Installing Plantroom itself")
    _pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    STAMP.write_text(wanted_stamp(), encoding="utf-8")


def _refuse_what_cannot_work() -> None:
    if VENV.is_symlink() or VENV.is_file():
        raise SetUpError(f"{VENV} is not a folder of its own. Move it away and try again.")
    library, version = platform.libc_ver()
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if library == "glibc" and numbers and numbers < OLDEST_GLIBC:
        raise SetUpError(
            f"Plantroom's window library needs glibc 2.34 or newer; this system has {version}. "
            "Debian 12, Ubuntu 22.04 and anything newer have it."
        )


def _is_usable() -> bool:
    """Whether .venv is whole: this same Python answers in it and has pip."""
    if not tool("python").exists():
        return False
    question = "import platform, pip; print(platform.python_version())"
    try:
        answer = subprocess.run(
            [tool("python"), "-c", question], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == platform.python_version()


def _make_empty() -> None:
    if VENV.exists():
        say("Making .venv anew: the one here is unfinished or made by another Python")
        shutil.rmtree(VENV)
    missing = system_packages.missing_for_venv()
    if missing and system_packages.may_install():
        system_packages.install(missing)
        missing = []
    if not missing:
        _venv()
    elif importlib.util.find_spec("pip") is not None:
        # Without ensurepip a venv starts with no pip of its own; the system's can bring it.
        _venv("--without-pip")
        _run([sys.executable, "-m", "pip", "--python", str(tool("python")), "install", "pip"])
    else:
        raise SetUpError(
            "This Python cannot make virtual environments: its package ensurepip is missing. "
            f"Install it and try again: {system_packages.install_command(missing)}"
        )


def _venv(*options: str) -> None:
    # A new process: ensurepip may have been installed after this one looked for it.
    _run([sys.executable, "-m", "venv", *options, str(VENV)])


def _pip(*arguments: str) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries", "2"]
    _run([str(tool("python")), "-m", "pip", "install", *options, *arguments])


def _run(command: list[str]) -> None:
    """Run one step of set-up.

    Raises:
        SetUpError: it failed; says why in a sentence where the reason is a common one.
    """
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetUpError(explain(done.stdout + done.stderr))


def explain(output: str) -> str:
    """A sentence for what pip or venv wrote when it failed."""
    if NO_NETWORK.search(output):
        return (
            "The Python packages cannot be fetched: there is no network here, or a proxy in "
            "between. Connect and run the same command again; it goes on where it stopped."
        )
    if "No space left" in output:
        return "The disk is full: the environment needs about 700 MB. Make room and try again."
    if "DO NOT MATCH THE HASHES" in output:
        return (
            "A package that was fetched is not the one this project was tested with (its hash "
            "differs), so it was not installed. Try another network or package source."
        )
    if absent := NOT_IN_THE_INDEX.search(output):
        return (
            f"The package source that pip uses here has no {absent[1]} for Python "
            f"{platform.python_version()} on {platform.system()} {platform.machine()}."
        )
    last = "\n".join(f"  {line}" for line in output.strip().splitlines()[-12:])
    return f"Set-up failed; the last lines tell why:\n{last}"
