"""What a category code stands for, and whether such a device sleeps between its reports."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

DEFAULT_INTERVAL_S = 43_200.0
"""Half a day: for a battery device of a kind the table does not name."""


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of device. `interval_s` is how often one that sleeps reports when nothing changes."""

    code: str
    name: str
    sleepy: bool = False
    interval_s: float = DEFAULT_INTERVAL_S


@cache
def categories() -> Mapping[str, Category]:
    """Every category the program knows, by code (resources/categories.toml)."""
    table = tomllib.loads(files("resources").joinpath("categories.toml").read_text("utf-8"))
    return {
        code: Category(
            code,
            str(entry["name"]),
            bool(entry.get("sleepy", False)),
            float(entry.get("interval_s", DEFAULT_INTERVAL_S)),
        )
        for code, entry in table["category"].items()
    }


def category(code: str) -> Category:
    """The category of this code; an unknown one is a mains device named by its code."""
    return categories().get(code) or Category(code, code or "Device")
