"""What the command line prints: documents, lines, words, and the exit code that goes with them."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from typing import Any

from app.domain.errors import ConsoleError

_LINE_LOCK = threading.Lock()
_NO_SPACE = "store.disk_full"


def print_document(document: Mapping[str, Any]) -> None:
    """The one document of a command."""
    print(json.dumps(document, ensure_ascii=False, default=str))


def print_line(document: Mapping[str, Any]) -> None:
    """One line of a command that streams, whole and at once. Safe from any thread."""
    text = json.dumps(document, ensure_ascii=False, default=str)
    with _LINE_LOCK:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def print_result(document: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """A command's result, as a document or in words."""
    if as_json:
        print_document(document)
    elif text:
        print(text)
    else:
        print(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def print_error(error: ConsoleError, *, as_json: bool) -> int:
    """Say what failed and return the exit code."""
    if as_json:
        print_document(error.document())
    else:
        print(error.sentence(), file=sys.stderr)
    return exit_code(error)


def exit_code(error: ConsoleError) -> int:
    """The contract's exit code; no space on a disk is this computer's lack, not the store's."""
    return 3 if error.code == _NO_SPACE else error.exit_code
