"""The caller's side: hand a command to the process that holds the profile, wait for its answer."""

from __future__ import annotations

from pathlib import Path

from app.control.transport import dial
from app.control.wire import MAX_REPLY_BYTES, Answer, Request, WireError
from app.domain.errors import StoreFault


def ask(address_file: Path, request: Request, timeout_s: float | None = None) -> Answer | None:
    """The holder's answer, or None when nobody listens (yet, or any more).

    Raises:
        StoreFault: the holder went away, or spoke nonsense, while the command ran.
    """
    try:
        address = address_file.read_text(encoding="utf-8")
        channel = dial(address, timeout_s)
    except (OSError, UnicodeDecodeError, ValueError):
        return None
    try:
        channel.send(request.encode())
        return Answer.decode(channel.receive(MAX_REPLY_BYTES))
    except (OSError, WireError) as error:
        raise StoreFault(
            "control.lost",
            "The Plantroom that has this profile open stopped before it answered.",
            where=str(address_file.parent),
            do="See whether the command was carried out, then run it again.",
            retry=True,
        ) from error
    finally:
        channel.close()
