"""From what was seen on the wire to the contract's word, and to a sentence a person can act on.

A pure table. It never reads an error code of a library: those do not tell a wrong key from a
silent device (tinytuya's 914 stands for both, and for a wrong version and a busy device).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.words import Connection


class Trouble(StrEnum):
    """What ended, or prevented, a connection."""

    NO_ADDRESS = "no address known"
    NO_KEY = "no usable key"
    ADDRESS_TAKEN = "another device answers at this address"
    NO_ANSWER = "no answer to a connection attempt"
    UNREACHABLE = "no route to the address"
    REFUSED = "connection refused"
    CLOSED_AT_ONCE = "accepted and closed before a word"
    CLOSED_ON_WORD = "closed when spoken to"
    CLOSED = "closed by the device"
    RESET = "reset by the device"
    SILENT = "accepts but does not answer"
    NEVER_ANSWERED = "accepts but has never answered"
    KEY_REJECTED = "the key does not match"
    UNREADABLE = "frames are whole but the key does not open them"
    OTHER_VERSION = "speaks another protocol version"
    BROKEN_STREAM = "sends bytes that are no frames"
    BROKEN_FRAME = "sends frames whose checksum is wrong"
    DROPS = "ends every connection before it answers"
    WEAK_SESSION = "a session key the device would forget"
    LET_GO = "closed by this console"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A word, why, and what a person does next."""

    connection: Connection
    sentence: str
    next: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where it was tried; `heard_s` is how long ago the device announced itself, or None."""

    ip: str = ""
    port: int = 0
    version: str = ""
    heard_s: float | None = None
    owner: str = ""


_TABLE: dict[Trouble, tuple[Connection, str, str]] = {
    Trouble.NO_ADDRESS: (
        Connection.NEVER_SEEN,
        "No address is known and no announcement has been heard.",
        "Check that it has power and is on this network, or enter its address.",
    ),
    Trouble.NO_KEY: (
        Connection.WRONG_KEY,
        "There is no usable local key for it; a local key has 16 characters.",
        "Import an inventory that holds its key.",
    ),
    Trouble.ADDRESS_TAKEN: (
        Connection.OFFLINE,
        "Another device ({owner}) answers at {ip}, so this one has moved or is off.",
        "Wait for its announcement, or correct its address.",
    ),
    Trouble.NO_ANSWER: (
        Connection.OFFLINE,
        "Nothing answers at {ip}.",
        "Check its power and its Wi-Fi; a new address is found when it announces itself.",
    ),
    Trouble.UNREACHABLE: (
        Connection.OFFLINE,
        "There is no way to {ip} from this computer's network.",
        "Check that this computer is on the device's network, then the device's power.",
    ),
    Trouble.REFUSED: (
        Connection.NO_LOCAL_API,
        "{ip} is there but refuses port {port}: its local control is off, or it is starting.",
        "Wait a minute; then check that local control is not switched off for it in the cloud.",
    ),
    Trouble.CLOSED_AT_ONCE: (
        Connection.BUSY,
        "It accepts the connection and closes it at once: its connections are taken, or it hangs.",
        "Close other apps that control it directly; if that does not help, power-cycle it.",
    ),
    Trouble.CLOSED_ON_WORD: (
        Connection.WRONG_KEY,
        "It listens, and closes the connection at the first word: the local key does not match.",
        "Fetch its key again and import it.",
    ),
    Trouble.CLOSED: (
        Connection.CONNECTING,
        "The device closed the connection; trying again.",
        "Wait for the next attempt.",
    ),
    Trouble.RESET: (
        Connection.CONNECTING,
        "The connection was lost; trying again.",
        "Wait for the next attempt.",
    ),
    Trouble.SILENT: (
        Connection.SUSPECT,
        "It accepts connections but does not answer.",
        "Power-cycle the device.",
    ),
    Trouble.NEVER_ANSWERED: (
        Connection.SUSPECT,
        "It accepts connections but does not answer: it is stuck, or its local key is another.",
        "Power-cycle the device; if that does not help, fetch its key again and import it.",
    ),
    Trouble.KEY_REJECTED: (
        Connection.WRONG_KEY,
        "The local key does not match: a device gets a new key each time it is paired.",
        "Fetch its key again and import it.",
    ),
    Trouble.UNREADABLE: (
        Connection.WRONG_KEY,
        "Its frames arrive whole, but the local key does not open them.",
        "Fetch its key again and import it.",
    ),
    Trouble.OTHER_VERSION: (
        Connection.WRONG_VERSION,
        "It does not speak protocol version {version}.",
        "Remove the version from its record; the right one is then found.",
    ),
    Trouble.BROKEN_STREAM: (
        Connection.SUSPECT,
        "It sends bytes that are no Tuya frames.",
        "Check that {ip} really is this device; then power-cycle it.",
    ),
    Trouble.BROKEN_FRAME: (
        Connection.SUSPECT,
        "It sends frames whose checksum is wrong; nothing of them is believed.",
        "Check its Wi-Fi signal; then power-cycle it.",
    ),
    Trouble.DROPS: (
        Connection.SUSPECT,
        "It accepts connections and ends each of them before it has answered.",
        "Check its Wi-Fi signal; then power-cycle it.",
    ),
    Trouble.WEAK_SESSION: (
        Connection.SUSPECT,
        "Every session key it agrees on is one that it would not recognise itself.",
        "Power-cycle the device.",
    ),
    Trouble.LET_GO: (Connection.CONNECTING, "Connecting afresh.", "Wait."),
}


def classify(trouble: Trouble, place: Place) -> Verdict:
    """The word for what was seen, with its sentence and next step."""
    word, sentence, do = _TABLE[trouble]
    said = sentence.format(
        ip=place.ip or "its address",
        port=place.port,
        version=place.version or "?",
        owner=place.owner,
    )
    if trouble in (Trouble.NO_ANSWER, Trouble.UNREACHABLE) and place.heard_s is not None:
        said += f" It announced itself {place.heard_s:.0f} s ago, so a firewall may be in between."
    return Verdict(word, said, do.format(ip=place.ip or "its address"))


PERSISTENT = frozenset(
    {
        Trouble.KEY_REJECTED,
        Trouble.UNREADABLE,
        Trouble.CLOSED_AT_ONCE,
        Trouble.CLOSED_ON_WORD,
        Trouble.NO_KEY,
        Trouble.OTHER_VERSION,
    }
)
"""Troubles an announcement does not cure: the wait goes on although the device is heard."""
