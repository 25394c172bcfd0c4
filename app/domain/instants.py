"""Instants at the edge: RFC 3339 text in, RFC 3339 text out, UTC milliseconds inside."""

from __future__ import annotations

from datetime import UTC, datetime

from app.domain.errors import InvalidRequest

EARLIEST_MS = -62_135_596_800_000
LATEST_MS = 253_402_300_799_999


def iso(at_ms: int | None) -> str | None:
    """`2026-11-21T02:30:50.123Z` for UTC milliseconds; None stays None."""
    if at_ms is None:
        return None
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def parse_instant(text: str, *, where: str) -> int:
    """UTC milliseconds for RFC 3339 text or epoch seconds; a time without zone is UTC.

    Raises:
        InvalidRequest: the text is neither, or outside the years 1 to 9999.
    """
    at_ms = _epoch_ms(text)
    if at_ms is None or not EARLIEST_MS <= at_ms <= LATEST_MS:
        raise InvalidRequest(
            "time.not_understood",
            f"'{text[:40]}' is not a time.",
            where=where,
            do="Write it like 2026-11-21T02:30:00Z, or as seconds since 1970.",
        )
    return at_ms


def _epoch_ms(text: str) -> int | None:
    try:
        return round(float(text) * 1000)
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
