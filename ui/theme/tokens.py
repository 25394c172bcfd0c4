"""The colours of the two appearances, by role. Blue means interaction; nothing is green."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """One appearance. Values are `#RRGGBB`; the comments on pairs are in `TEXT_PAIRS`."""

    name: str
    canvas: str
    surface: str
    raised: str
    sunken: str
    border: str
    border_strong: str
    text: str
    text2: str
    text3: str
    accent: str
    on_accent: str
    accent_soft: str
    hover: str
    fault: str
    fault_soft: str
    caution: str
    caution_glyph: str
    caution_soft: str
    trace: str
    grid: str
    hatch: str
    rail: str
    rail_text: str
    rail_on: str
    rail_selected: str


LIGHT = Tokens(
    name="light",
    canvas="#E6E9ED",
    surface="#F7F8FA",
    raised="#FFFFFF",
    sunken="#EEF0F3",
    border="#CBD2DA",
    border_strong="#7C8897",
    text="#17202B",
    text2="#445163",
    text3="#5C6878",
    accent="#1B5BB8",
    on_accent="#FFFFFF",
    accent_soft="#DCE7F6",
    hover="#E9EDF2",
    fault="#4F5B6A",
    fault_soft="#E3E7EC",
    caution="#6B4E00",
    caution_glyph="#A66F00",
    caution_soft="#FDF1C7",
    trace="#2C5E91",
    grid="#D5DAE1",
    hatch="#B4BDC8",
    rail="#202A36",
    rail_text="#C3CCD6",
    rail_on="#FFFFFF",
    rail_selected="#33404F",
)

DARK = Tokens(
    name="dark",
    canvas="#12161B",
    surface="#1A2027",
    raised="#222932",
    sunken="#161B21",
    border="#343E4A",
    border_strong="#7A8796",
    text="#E6EBF0",
    text2="#B2BDC9",
    text3="#94A1AF",
    accent="#74ABFA",
    on_accent="#0B1A30",
    accent_soft="#22364F",
    hover="#262E38",
    fault="#A3AFBC",
    fault_soft="#2A323C",
    caution="#F0C746",
    caution_glyph="#F0C746",
    caution_soft="#3B3216",
    trace="#7FB4EA",
    grid="#2C353F",
    hatch="#4A5665",
    rail="#0D1115",
    rail_text="#AEB9C5",
    rail_on="#FFFFFF",
    rail_selected="#26303B",
)

TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    ("text", "canvas"),
    ("text", "raised"),
    ("text", "surface"),
    ("text", "accent_soft"),
    ("text", "hover"),
    ("text2", "canvas"),
    ("text2", "raised"),
    ("text2", "surface"),
    ("text2", "sunken"),
    ("text2", "accent_soft"),
    ("text2", "hover"),
    ("text3", "raised"),
    ("text3", "surface"),
    ("text3", "accent_soft"),
    ("accent", "raised"),
    ("on_accent", "accent"),
    ("fault", "fault_soft"),
    ("caution", "caution_soft"),
    ("rail_text", "rail"),
    ("rail_on", "rail_selected"),
)
"""Foreground and background of every text the window draws: 4.5 to 1 or better (WCAG 1.4.3)."""

SHAPE_PAIRS: tuple[tuple[str, str], ...] = (
    ("border_strong", "raised"),
    ("border_strong", "surface"),
    ("accent", "accent_soft"),
    ("fault", "raised"),
    ("caution_glyph", "caution_soft"),
    ("trace", "raised"),
)
"""Shapes and edges a person must see to use the window: 3 to 1 or better (WCAG 1.4.11)."""


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The WCAG 2.2 contrast ratio of two `#RRGGBB` colours, 1 to 21."""
    dark, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dark + 0.05)
