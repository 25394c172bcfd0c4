"""Logging set up once: a rotating file in the profile, warnings on standard error."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import time
from pathlib import Path

from app.diagnostics.masking import MaskingFormatter

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}
_FILE_BYTES, _FILES = 5_000_000, 4
_TOLD_ELSEWHERE = "app.lan"
"""The state of every device is in tables, summaries and on screen. A floor that loses power must
not fill the terminal as well; the file has each loss and recovery once."""
_QUIET = {
    # Its debug lines hold payloads and session keys.
    "tinytuya": logging.WARNING,
    "urllib3": logging.WARNING,
    "keyring": logging.WARNING,
    "asyncio": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "alembic": logging.WARNING,
}


def set_up(level: str = "info", *, console: bool = True) -> None:
    """Send warnings to standard error; the file is added by `to_file` once there is a profile."""
    root = logging.getLogger()
    root.setLevel(LEVELS.get(level.lower(), logging.INFO))
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    if console:
        handler = logging.StreamHandler(sys.stderr)
        handler.setLevel(logging.DEBUG if level.lower() == "debug" else logging.WARNING)
        handler.setFormatter(MaskingFormatter("%(levelname)s %(message)s"))
        if level.lower() != "debug":
            handler.addFilter(_worth_the_terminal)
        root.addHandler(handler)


def _worth_the_terminal(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or not record.name.startswith(_TOLD_ELSEWHERE)


def to_file(folder: Path) -> logging.Handler:
    """Write the log to `folder`/plantroom.log too, at most 20 MB in four files, times in UTC."""
    handler = logging.handlers.RotatingFileHandler(
        folder / "plantroom.log",
        maxBytes=_FILE_BYTES,
        backupCount=_FILES - 1,
        encoding="utf-8",
        delay=True,
    )
    line = "%(asctime)s.%(msecs)03dZ %(levelname)s %(threadName)s %(name)s: %(message)s"
    formatter = MaskingFormatter(line, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    # A full disk must not fill the terminal with the log's own tracebacks.
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # noqa: ARG005
    logging.getLogger().addHandler(handler)
    return handler


def close(handler: logging.Handler) -> None:
    """Take a handler off again and close its file."""
    logging.getLogger().removeHandler(handler)
    handler.close()
