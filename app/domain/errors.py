"""What a failure looks like: every error a person can meet says what, where and what to do."""

from __future__ import annotations

from typing import Any, ClassVar


class ConsoleError(Exception):
    """Base of every failure that is not a bug. `code` is stable; the sentences are for people.

    Attributes:
        code: dotted word a program can branch on, such as ``inventory.not_json``.
        what: one sentence, what failed.
        where: file, device or field it failed at; empty when there is no place to name.
        do: one sentence, what the person can do now.
        retry: True when the same call can succeed later without a change.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, code: str, what: str, *, where: str = "", do: str = "", retry: bool = False
    ) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.where = where
        self.do = do
        self.retry = retry

    def document(self) -> dict[str, Any]:
        """The error as the command line's JSON shows it."""
        return {
            "error": {
                "code": self.code,
                "what": self.what,
                "where": self.where,
                "do": self.do,
                "retry": self.retry,
            }
        }

    def sentence(self) -> str:
        """The error in words, on one line."""
        place = f" ({self.where})" if self.where else ""
        return f"{self.what}{place} {self.do}".strip()


class InvalidRequest(ConsoleError):
    """The person can fix it: shown beside the field or argument."""

    exit_code = 2


class EnvironmentLacks(ConsoleError):
    """This computer lacks something: a library, a key store, disk space, a newer program."""

    exit_code = 3


class WorldFault(ConsoleError):
    """Something outside the program failed; what still works and what to try is said."""

    exit_code = 4


class DeviceFault(WorldFault):
    """A device did not do what it should."""


class CloudFault(WorldFault):
    """The vendor's cloud did not answer, or said no."""


class StoreFault(WorldFault):
    """A database file could not be read or written."""


class ServerFault(WorldFault):
    """The Plantroom server did not answer, or said no."""


class Refused(ConsoleError):
    """A rule said no: role, approval, isolation, profile busy."""

    exit_code = 5


class Cancelled(ConsoleError):
    """The person stopped it."""

    exit_code = 130

    def __init__(self, what: str = "Cancelled.") -> None:
        super().__init__("cancelled", what)
