"""What can be set for this computer: one frozen dataclass a group, each field with its help.

Secrets are never settings. A page or a command that shows settings is made from these fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SCHEMA = 1
"""Version of the file; a later one comes with a step that rewrites an earlier file."""


def setting(default: Any, text: str, *, low: float | None = None, high: float | None = None) -> Any:
    """A field with its one-line help, and the range a number must stay inside."""
    return field(default=default, metadata={"help": text, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What a new site starts from."""

    name: str = setting("My building", "Name of the first site.")
    zone: str = setting("", "IANA time zone of a new site; empty takes this computer's.")
    units: str = setting("metric", "Units on screen: metric or imperial.")


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How gently devices are approached."""

    connects_per_s: float = setting(
        50.0, "New connections a second, all networks together.", low=0.1, high=500.0
    )
    connects_per_subnet_per_s: float = setting(
        25.0, "New connections a second in one network.", low=0.1, high=500.0
    )
    at_once: int = setting(32, "Connections being opened at the same time.", low=1, high=512)
    discovery: bool = setting(True, "Listen for devices that announce themselves.")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written down about the program itself."""

    level: str = setting("info", "debug, info or warning; PLANTROOM_LOG goes before it.")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every group."""

    site: SiteSettings = field(default_factory=SiteSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    log: LogSettings = field(default_factory=LogSettings)
