"""What goes over the control socket: one bounded JSON line there, one back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

MAX_REQUEST_BYTES = 1_000_000
MAX_REPLY_BYTES = 256_000_000
"""A history query answers in one document."""


class WireError(Exception):
    """The other side said something that is not a request or a reply."""


@dataclass(frozen=True, slots=True)
class Request:
    """A command line to run in the holder's process, as typed by `person` in the folder `cwd`.

    `person` is empty where the caller named nobody. `verb` is ``command``, ``hello`` (who are
    you) or ``raise`` (bring the window to the front).
    """

    verb: str = "command"
    argv: tuple[str, ...] = ()
    cwd: str = ""
    person: str = ""

    def encode(self) -> bytes:
        """One line."""
        body = {
            "verb": self.verb,
            "argv": list(self.argv),
            "cwd": self.cwd,
            "person": self.person,
        }
        return json.dumps(body).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> Request:
        """Raises WireError for anything that is not a request."""
        body = _object(line)
        argv = body.get("argv", [])
        if (
            not isinstance(body.get("verb"), str)
            or not isinstance(argv, list)
            or not all(isinstance(word, str) for word in argv)
            or not all(isinstance(body.get(name, ""), str) for name in ("cwd", "person"))
        ):
            raise WireError("not a request")
        return cls(body["verb"], tuple(argv), body.get("cwd", ""), body.get("person", ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a forwarded command printed and how it ended."""

    document: dict[str, Any]
    text: str = ""
    exit_code: int = 0

    def encode(self) -> bytes:
        """One line."""
        body = {"document": self.document, "text": self.text, "exit_code": self.exit_code}
        return json.dumps(body).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> Answer:
        """Raises WireError for anything that is not an answer."""
        body = _object(line)
        document, code = body.get("document"), body.get("exit_code")
        if not isinstance(document, dict) or not isinstance(code, int):
            raise WireError("not an answer")
        return cls(document, str(body.get("text", "")), code)


def _object(line: bytes) -> dict[str, Any]:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        raise WireError("not JSON") from None
    if not isinstance(body, dict):
        raise WireError("not an object")
    return body
