"""Words to records, through the full-text index the projection fills."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from app.records.port import Hit

_WORD = re.compile(r"\w+")


def search(connection: Any, words: str, kinds: Sequence[str], limit: int) -> list[Hit]:
    """Records whose searched text holds every word, each as the beginning of one; best first.

    Whatever a person types is words; nothing of it is query syntax. Takes a driver connection.
    """
    asked = _WORD.findall(words)
    if not asked:
        return []
    among = f" AND kind IN ({','.join('?' * len(kinds))})" if kinds else ""
    rows = connection.execute(
        "SELECT kind,record,site,words FROM find WHERE find MATCH ?"  # noqa: S608 - marks only
        f"{among} ORDER BY rank LIMIT ?",
        (" ".join(f'"{word}"*' for word in asked), *kinds, limit),
    )
    return [Hit(*row) for row in rows]
