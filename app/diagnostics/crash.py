"""The crash report: what a bug leaves behind, in a file that gives no key away."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from app import __version__
from app.diagnostics.masking import MASKER
from app.domain.instants import iso


def write(folder: Path, error: BaseException, argv: Sequence[str], at_ms: int) -> Path | None:
    """Write the report and return its path; None when it cannot be written.

    The traceback has no values of variables. Of the arguments only the words are kept, since a
    value could be anything a person typed.
    """
    words = [word if word.isalpha() else "..." for word in argv]
    trace = "".join(traceback.format_exception(error))
    text = (
        f"Plantroom {__version__}\nPython {sys.version}\n{platform.platform()}\n"
        f"At {iso(at_ms)}\nCommand {' '.join(words)}\n\n{trace}"
    )
    path = folder / f"crash-{at_ms}-{os.getpid()}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(MASKER.hide(text))
    except OSError:
        return None
    return path
