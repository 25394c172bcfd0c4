"""What a person types for a value, as the point it is for takes it."""

from __future__ import annotations

import json

from app.domain.errors import InvalidRequest
from app.domain.points import PointSpec
from app.domain.readings import Value
from app.services.views import point_label

_SWITCH = {"on": True, "off": False}
_TEXT_TYPES = frozenset({"enum", "string", "raw", "json"})
MAX_LENGTH = 4_000


def parse_value(text: str, spec: PointSpec) -> Value:
    """`text` is JSON; a bare word is text, `on` and `off` are true and false.

    For a point that takes text, what is not a JSON string is taken as it stands, so that an enum
    choice ``1`` needs no quotes. The result is what a person reads, not yet the raw value.

    Raises:
        InvalidRequest: too long, or a list, a table or null for a point that takes none.
    """
    label = point_label(spec)
    if len(text) > MAX_LENGTH:
        raise InvalidRequest(
            "point.value_refused", "The value is too long.", where=label, do="Shorten it."
        )
    if spec.type not in _TEXT_TYPES and text.strip().casefold() in _SWITCH:
        return _SWITCH[text.strip().casefold()]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, str):
        return value
    if spec.type in _TEXT_TYPES:
        return text
    if isinstance(value, bool | int | float):
        return value
    raise InvalidRequest(
        "point.value_refused",
        f"{label} takes one value, not a list, a table or nothing.",
        where=label,
        do="Write a number, on, off, or text.",
    )
