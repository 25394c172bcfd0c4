"""What set-up says when it cannot go on: one sentence and what to do about it."""

from __future__ import annotations

import sys


class SetUpError(Exception):
    """Something outside the program is missing. The message is for the person at the keyboard."""


def say(sentence: str) -> None:
    """Tell how far set-up is; standard output stays free for the program that is started."""
    print(sentence, file=sys.stderr, flush=True)
