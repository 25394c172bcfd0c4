"""The second net under secrets: what looks like one, or is known to be one, never reaches a file.

The first net is that code does not log secrets at all.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable

_HIDDEN = "***"
_NAMED = re.compile(
    r"""(?ix)
    (["']?\b(?:local_?key|real_local_key|session_?key|passphrase|password|secret|access_token|token
      |authorization|key)["']?\s*[:=]\s*)
    (b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\.)*'|[^\s,;)}\]]+)"""
)
_PRAGMA = re.compile(r"(?i)x'[0-9a-f]{32,}'")
_MIN_KNOWN = 8


class Masker:
    """Hides secrets in text. `learn` adds values that must never appear whatever their form."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()

    def learn(self, secrets: Iterable[str]) -> None:
        """Remember these values; very short ones are left out, they would blank ordinary words."""
        fresh = {secret for secret in secrets if len(secret) >= _MIN_KNOWN}
        with self._lock:
            self._known = self._known | fresh

    def hide(self, text: str) -> str:
        """The text with every secret replaced by `***`."""
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, _HIDDEN)
        text = _PRAGMA.sub(_HIDDEN, text)
        return _NAMED.sub(lambda found: found[1] + _HIDDEN, text)


MASKER = Masker()
"""One for the process: logs, crash reports and standard error all pass through it."""


class MaskingFormatter(logging.Formatter):
    """Formats a record, traceback included, and masks the whole."""

    def format(self, record: logging.LogRecord) -> str:
        """One masked entry."""
        return MASKER.hide(super().format(record))
