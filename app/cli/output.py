"""What the command line prints: documents, lines, words, and the exit code that goes with them."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from typing import Any

from app.domain.errors import ConsoleError, EnvironmentLacks

_LINE_LOCK = threading.Lock()
_NO_SPACE = "store.disk_full"


class OutputLost(EnvironmentLacks):
    """Standard output cannot be written: a file on a full disk, a terminal that is gone."""

    def __init__(self, error: OSError) -> None:
        reason = (error.strerror or type(error).__name__).lower()
        super().__init__(
            "output.lost",
            f"The result cannot be written: {reason}.",
            where="standard output",
            do="Whatever was asked is done; ask again for what it said.",
            retry=True,
        )


def print_document(document: Mapping[str, Any]) -> None:
    """The one document of a command. Raises OutputLost, BrokenPipeError."""
    _write(json.dumps(document, ensure_ascii=False, default=str))


def print_line(document: Mapping[str, Any]) -> None:
    """One line of a command that streams, whole and at once. Safe from any thread.

    Raises:
        OutputLost, BrokenPipeError: nobody takes it.
    """
    text = json.dumps(document, ensure_ascii=False, default=str)
    with _LINE_LOCK:
        _write(text)


def print_result(document: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """A command's result, as a document or in words."""
    if as_json:
        print_document(document)
    else:
        _write(text or json.dumps(document, ensure_ascii=False, indent=2, default=str))


def print_error(error: ConsoleError, *, as_json: bool) -> int:
    """Say what failed and return the exit code."""
    if as_json:
        print_document(error.document())
    else:
        print(error.sentence(), file=sys.stderr)
    return exit_code(error)


def _write(text: str) -> None:
    if not text.isascii():
        # Bytes of a command line that are no text come as halves of characters; output is UTF-8.
        text = text.encode("utf-8", "backslashreplace").decode()
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputLost(error) from error
    except UnicodeEncodeError:
        # A terminal that cannot show a name is no reason to show nothing.
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()


def exit_code(error: ConsoleError) -> int:
    """The contract's exit code; no space on a disk is this computer's lack, not the store's."""
    return 3 if error.code == _NO_SPACE else error.exit_code
