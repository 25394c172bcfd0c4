"""The time zone this computer stands in, for a site that has none yet."""

from __future__ import annotations

import contextlib
import os
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path

_TIMEZONE = Path("/etc/timezone")
_LOCALTIME = Path("/etc/localtime")


def local_zone(
    environment: Mapping[str, str] | None = None,
    timezone: Path = _TIMEZONE,
    localtime: Path = _LOCALTIME,
) -> str:
    """An IANA name from `TZ`, `/etc/timezone` or where `/etc/localtime` points; else UTC."""
    told = environment if environment is not None else os.environ
    found = (known_zone(name) for name in _candidates(told, timezone, localtime))
    return next((zone for zone in found if zone is not None), "UTC")


def known_zone(name: str) -> str | None:
    """The IANA name as the zone database spells it; None for what it does not know."""
    try:
        return zoneinfo.ZoneInfo(name).key
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return None


def _candidates(told: Mapping[str, str], timezone: Path, localtime: Path) -> Iterator[str]:
    if told.get("TZ"):
        yield told["TZ"].removeprefix(":")
    with contextlib.suppress(OSError):
        yield timezone.read_text(encoding="utf-8", errors="replace")[:200].strip()
    with contextlib.suppress(OSError):
        yield str(localtime.resolve(strict=True)).partition("zoneinfo/")[2]
