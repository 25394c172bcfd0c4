"""Instants at the edge: RFC 3339 text in, RFC 3339 text out, UTC milliseconds inside."""

from __future__ import annotations

from datetime import UTC, datetime

from app.domain.errors import InvalidRequest


def iso(at_ms: int | None) -> str | None:
    """`2026-11-21T02:30:50.123Z` for UTC milliseconds; None stays None."""
    if at_ms is None:
        return None
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def parse_instant(text: str, *, where: str) -> int:
    """UTC milliseconds for RFC 3339 text or epoch seconds; a time without zone is UTC.

    Raises:
        InvalidRequest: the text is neither.
    """
    try:
        return round(float(text) * 1000)
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(
            "time.not_understood",
            f"'{text}' is not a time.",
            where=where,
            do="Write it like 2026-11-21T02:30:00Z, or as seconds since 1970.",
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
