"""Identifiers made on the console, without asking anybody."""

from __future__ import annotations

import secrets
import uuid

_NAMESPACE = uuid.UUID("7d1d6a0e-2f0b-5c64-9d4a-0c1f4b7c9a10")


def new_id(at_ms: int) -> str:
    """A UUIDv7 (RFC 9562): sorts by the time it was made; `at_ms` is UTC milliseconds."""
    random = secrets.randbits(74)
    value = (at_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62) << 64
    value |= 0b10 << 62 | random & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def natural_id(*parts: str) -> str:
    """A UUIDv5 of a natural key, so that two offline consoles that generate it make one record."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))
