"""Names of the status shapes and chip styles, without Qt, for states that are tested without it."""

from __future__ import annotations

from enum import Enum


class Shape(Enum):
    """The glyph of a status. Each can be told from the others without colour."""

    RING = "ring"
    DASHED = "dashed"
    SLASHED = "slashed"
    MOON = "moon"
    KEY = "key"
    OVERLAP = "overlap"
    UNEQUAL = "unequal"
    QUESTION = "question"
    BARS = "bars"
    DOWN = "down"


class ChipStyle(Enum):
    """How loud a status is: `plain` is as it should be, `fault` needs a person."""

    PLAIN = "plain"
    FAULT = "fault"
    DASHED = "dashed"
