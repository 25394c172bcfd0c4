"""What a command of the command line is: a path of words, its arguments, and one function."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.wiring import Core


class Needs(Enum):
    """How much of the core a command starts when no other process holds the profile."""

    NOTHING = "nothing"
    STORE = "store"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Reply:
    """A command's result: one JSON document, the same in words, and the exit code."""

    document: dict[str, Any]
    text: str = ""
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """One verb. `configure` adds its arguments; `handle` does the work on a core.

    `files` names arguments that are paths, so that a forwarded command finds them from the
    folder its caller stood in.
    """

    path: tuple[str, ...]
    help: str
    configure: Callable[[ArgumentParser], None]
    handle: Callable[[Core, Namespace], Reply]
    needs: Needs = Needs.STORE
    files: tuple[str, ...] = field(default=())


def no_arguments(_parser: ArgumentParser) -> None:
    """The `configure` of a verb that takes none."""
